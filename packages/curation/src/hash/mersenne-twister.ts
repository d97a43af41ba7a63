// MT19937 (Matsumoto & Nishimura 1998) as far as numpy's RandomState needs it here: MinHash's hash parameters come from it, so that
// signatures equal those of datatrove. For everything else this package draws from a RandomSource.

const size = 624
const shift = 397

/** 32-bit numbers from `init_genrand(seed)`. */
const createMersenneTwister = (seed: number): (() => number) => {
  const state = new Uint32Array(size)
  state[0] = seed
  for (let i = 1; i < size; i++) {
    const previous = state[i - 1]! ^ (state[i - 1]! >>> 30)
    state[i] = Math.imul(previous, 1812433253) + i
  }
  let at = size
  const refill = (): void => {
    for (let i = 0; i < size; i++) {
      const joined = (state[i]! & 0x80000000) | (state[(i + 1) % size]! & 0x7fffffff)
      state[i] = state[(i + shift) % size]! ^ (joined >>> 1) ^ ((joined & 1) === 0 ? 0 : 0x9908b0df)
    }
    at = 0
  }
  return () => {
    if (at === size) refill()
    let y = state[at++]!
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }
}

/** `numpy.random.RandomState(seed).randint(low, high, dtype=uint64, size=count)` for one call after the other. */
export const createRandomState = (seed: number) => {
  const next = createMersenneTwister(seed)
  return {
    /** `high` excluded. */
    integers: (low: bigint, high: bigint, count: number): bigint[] => {
      const range = high - 1n - low
      const mask = (1n << BigInt(range.toString(2).length)) - 1n
      return Array.from({ length: count }, () => {
        for (;;) {
          const word = ((BigInt(next()) << 32n) | BigInt(next())) & mask
          if (word <= range) return word + low
        }
      })
    },
  }
}
