// Seeded randomness for the host: shuffles, samples, hash seeds. Tensors draw their bits on the device from counters instead.
// The generator is sfc32 (Chris Doty-Humphrey, PractRand), 128 bits of state, period ≥ 2^32 with an expected 2^127; seeding
// mixes with MurmurHash3's 32-bit finalizer.
import type { Json } from './json.ts'
import { ConfigError } from './weft-error.ts'

export interface RandomSource {
  /** Uniform in [0, 2^32). */
  nextUint32(): number
  /** Uniform in [0, 1), a multiple of 2^-32. */
  nextFloat(): number
  /** An independent source that depends on this one's origin and the label alone, not on how much was drawn. */
  fork(label: string | number): RandomSource
  /** All that `createRandomSource({ state })` needs to go on with the next number. */
  state(): Json
}

/**
 * @param options.seed any integer in ±2^53.
 * @param options.state what `state()` returned.
 * @throws ConfigError for a seed that is not a safe integer or a malformed state.
 */
export const createRandomSource = (options: { readonly seed: number } | { readonly state: Json }): RandomSource => {
  if ('seed' in options) {
    if (!Number.isSafeInteger(options.seed)) {
      throw new ConfigError(`random seed: expected an integer in ±2^53, got ${options.seed}`)
    }
    const low = options.seed >>> 0
    const high = Math.floor(options.seed / 2 ** 32) >>> 0
    return startAt([mix(low ^ 0x9e3779b9), mix(high ^ 0x85ebca6b ^ low)])
  }
  return resume(options.state)
}

type Origin = readonly [number, number]

const startAt = (origin: Origin): RandomSource => {
  const source = fromWords(origin, [origin[0], origin[1], mix(origin[0] ^ origin[1]), 1])
  for (let i = 0; i < 12; i++) source.nextUint32() // sfc32 needs some rounds until every seed bit has reached every state bit
  return source
}

const resume = (state: Json): RandomSource => {
  if (!Array.isArray(state) || state.length !== 6 || !state.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32)) {
    throw new ConfigError('random state: expected the six words that state() returned')
  }
  const words = state as number[]
  return fromWords([words[0]!, words[1]!], words.slice(2))
}

const fromWords = (origin: Origin, words: readonly number[]): RandomSource => {
  let [a, b, c, counter] = words as [number, number, number, number]
  const nextUint32 = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return sum >>> 0
  }
  return {
    nextUint32,
    nextFloat: () => nextUint32() / 2 ** 32,
    fork: (label) => startAt(hashLabel(origin, String(label))),
    state: () => [origin[0], origin[1], a >>> 0, b >>> 0, c >>> 0, counter >>> 0],
  }
}

const hashLabel = (origin: Origin, label: string): Origin => {
  let [low, high] = origin
  for (let i = 0; i < label.length; i++) {
    low = mix(low ^ label.charCodeAt(i))
    high = mix((high + low) ^ (i + 1))
  }
  return [mix(low ^ label.length), mix(high ^ 0xc2b2ae35)]
}

/** MurmurHash3's fmix32. */
const mix = (word: number): number => {
  let x = word | 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}
