// Counter-based randomness: the same bits on every backend, in any order, as often as needed. Philox4x32-10 of Salmon, Moraes,
// Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).

/** Names a stream of random bits. Pure: the same key always gives the same bits. */
export interface RandomKey {
  readonly seed: number
  readonly path: string
}

export const randomKey = (seed: number, path = ''): RandomKey => ({ seed, path })

/** A key for a part: dropout's is (run seed, step, micro-batch, layer path). */
export const childKey = (key: RandomKey, label: string | number): RandomKey => ({ seed: key.seed, path: `${key.path}/${label}` })

/** The two words of Philox's key: FNV-1a over the path, twice with different bases, mixed with the seed. */
export const keyWords = (key: RandomKey): readonly [number, number] => {
  const low = key.seed >>> 0
  const high = Math.floor(key.seed / 2 ** 32) >>> 0
  return [finalize(hash(key.path, 0x811c9dc5) ^ low), finalize(hash(key.path, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b) ^ finalize(low))]
}

const hash = (text: string, basis: number): number => {
  let h = basis
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h
}

const finalize = (word: number): number => {
  let x = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

/**
 * `length` integers in [0, 2^24): element i is word i mod 4 of counter ⌊i/4⌋, shifted right by 8.
 */
export const philoxBits = (key: readonly [number, number], length: number): Int32Array => {
  const out = new Int32Array(length)
  const block = new Uint32Array(4)
  for (let i = 0; i < length; i += 4) {
    philoxBlock(key, i / 4, block)
    for (let j = 0; j < 4 && i + j < length; j++) out[i + j] = block[j]! >>> 8
  }
  return out
}

/** Ten rounds on the counter (low word, high word, 0, 0). */
export const philoxBlock = (key: readonly [number, number], counter: number, into: Uint32Array): void => {
  let c0 = counter >>> 0
  let c1 = Math.floor(counter / 2 ** 32) >>> 0
  let c2 = 0
  let c3 = 0
  let [k0, k1] = key
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(0xd2511f53, c0)
    const low0 = Math.imul(0xd2511f53, c0) >>> 0
    const high1 = mulHigh(0xcd9e8d57, c2)
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0
    k0 = (k0 + 0x9e3779b9) >>> 0
    k1 = (k1 + 0xbb67ae85) >>> 0
  }
  into[0] = c0
  into[1] = c1
  into[2] = c2
  into[3] = c3
}

/** The upper 32 bits of the 64-bit product. */
const mulHigh = (a: number, b: number): number => {
  const aHigh = a >>> 16
  const aLow = a & 0xffff
  const bHigh = b >>> 16
  const bLow = b & 0xffff
  const cross = aHigh * bLow + Math.floor((aLow * bLow) / 65536)
  const cross2 = aLow * bHigh + (cross % 65536)
  return (aHigh * bHigh + Math.floor(cross / 65536) + Math.floor(cross2 / 65536)) >>> 0
}
