// MinHash signatures of a text's word n-grams (Broder 1997), bit for bit those of datatrove: h(x) = (a·x + b mod 2^64) mod 2^61 − 1 over
// 64-bit hashes of the n-grams, parameters from numpy's RandomState. Knows no documents, only words.
import { createRandomState } from './hash/mersenne-twister.ts'
import { createSha1Hash64 } from './hash/sha1.ts'
import { carry, multiplyHigh, type Hasher64 } from './hash/word64.ts'
import { createXxHash64 } from './hash/xx-hash64.ts'

export interface MinHashSettings {
  /** Words in an n-gram. */
  readonly ngramSize: number
  /** Hashes in the signature. */
  readonly numHashes: number
  readonly seed: number
  readonly hash: 'xxhash64' | 'sha1-64'
}

const prime = (1n << 61n) - 1n

/** The multipliers and offsets of the hash family. */
export const minHashParameters = (seed: number, numHashes: number): { readonly a: bigint[]; readonly b: bigint[] } => {
  const random = createRandomState(seed)
  return { a: random.integers(1n, prime, numHashes), b: random.integers(0n, prime, numHashes) }
}

/** Low halves, then high halves, as int32. */
const splitHalves = (values: readonly bigint[]): Int32Array =>
  Int32Array.from([...values.map((value) => Number(BigInt.asIntN(32, value))), ...values.map((value) => Number(BigInt.asIntN(32, value >> 32n)))])

export interface MinHashSigner {
  /**
   * The signature, [low, high] halves in turn (little-endian u64 on every platform that matters); undefined for fewer words than
   * an n-gram has. The array is reused by the next call.
   */
  sign(words: readonly string[]): Uint32Array | undefined
  /** The hashes of the n-grams themselves, in order. */
  shingles(words: readonly string[]): bigint[]
}

export const createMinHashSigner = (settings: MinHashSettings): MinHashSigner => {
  const { ngramSize, numHashes, seed } = settings
  const { a, b } = minHashParameters(seed, numHashes)
  const kernel = createMinimaKernel(splitHalves(a), splitHalves(b))
  const hasher = settings.hash === 'sha1-64' ? createSha1Hash64() : createXxHash64()
  const signature = new Uint32Array(numHashes * 2)
  const ngrams = createNgramBytes(ngramSize)
  return {
    sign: (words) => {
      if (words.length < ngramSize) return undefined
      kernel.clear(signature)
      ngrams.forEach(words, hasher, () => kernel.fold(signature, hasher.high, hasher.low))
      return signature
    },
    shingles: (words) => {
      const hashes: bigint[] = []
      ngrams.forEach(words, hasher, () => hashes.push((BigInt(hasher.high >>> 0) << 32n) | BigInt(hasher.low >>> 0)))
      return hashes
    },
  }
}

/** Joins words by single spaces as UTF-8 and hashes every window of `size` words. */
const createNgramBytes = (size: number) => {
  const encoder = new TextEncoder()
  let bytes = new Uint8Array(1 << 16)
  return {
    forEach: (words: readonly string[], hasher: Hasher64, visit: () => void): void => {
      if (words.length < size) return
      const joined = words.join(' ')
      if (bytes.length < joined.length * 3) bytes = new Uint8Array(joined.length * 3)
      encoder.encodeInto(joined, bytes)
      const starts = new Uint32Array(words.length + 1)
      for (let i = 0; i < words.length; i++) starts[i + 1] = starts[i]! + utf8Length(words[i]!) + 1
      for (let i = 0; i + size <= words.length; i++) {
        hasher.hash(bytes, starts[i]!, starts[i + size]! - 1)
        visit()
      }
    },
  }
}

const utf8Length = (text: string): number => {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    if (unit < 0x800) length++
    else if ((unit & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      length += 2 // a pair: two units, four bytes
      i++
    } else length += 2
  }
  return length
}

/**
 * Keeps, for each hash of the family, the smallest value seen. Nearly every value is too large, which its top 29 bits tell; so these are
 * estimated first (one product in doubles, off by 2 at most) and only the rest is computed in full.
 */
const createMinimaKernel = (a: Int32Array, b: Int32Array) => {
  const count = a.length / 2
  const aHigh = a.subarray(count)
  const bHigh = b.subarray(count)
  const aLowScaled = Float64Array.from(a.subarray(0, count), (low) => (low >>> 0) / 2 ** 32)
  const foldExactly = (signature: Uint32Array, j: number, xHigh: number, xLow: number): void => {
    const aLow = a[j]!
    const productLow = Math.imul(xLow, aLow)
    const productHigh = multiplyHigh(xLow, aLow) + Math.imul(xHigh, aLow) + Math.imul(xLow, aHigh[j]!)
    // + b, modulo 2^64
    const low = (productLow + b[j]!) >>> 0
    const high = (productHigh + bHigh[j]! + carry(low, productLow)) >>> 0
    // mod 2^61 − 1: the top three bits onto the bottom, then at most one subtraction
    let foldedLow = low + (high >>> 29)
    let foldedHigh = high & 0x1fffffff
    if (foldedLow > 0xffffffff) {
      foldedLow -= 0x100000000
      foldedHigh++
    }
    if (foldedHigh === 0x20000000) {
      foldedHigh = 0
      foldedLow++
    } else if (foldedHigh === 0x1fffffff && foldedLow === 0xffffffff) {
      foldedHigh = 0
      foldedLow = 0
    }
    const smallestHigh = signature[2 * j + 1]!
    if (foldedHigh < smallestHigh || (foldedHigh === smallestHigh && foldedLow < signature[2 * j]!)) {
      signature[2 * j] = foldedLow
      signature[2 * j + 1] = foldedHigh
    }
  }
  return {
    clear: (signature: Uint32Array): void => {
      signature.fill(0xffffffff)
    },
    fold: (signature: Uint32Array, xHigh: number, xLow: number): void => {
      const xLowUnsigned = xLow >>> 0
      for (let j = 0; j < count; j++) {
        const estimate = (xLowUnsigned * aLowScaled[j]! + Math.imul(xHigh, a[j]!) + Math.imul(xLow, aHigh[j]!) + bHigh[j]!) & 0x1fffffff
        if (estimate - 2 > signature[2 * j + 1]! && estimate < 0x1ffffffd) continue
        foldExactly(signature, j, xHigh, xLow)
      }
    },
  }
}
