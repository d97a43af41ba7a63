// SHA-1 (FIPS 180-4) of short byte ranges, synchronously and in any runtime; here a well-mixed 64-bit hash, not a security measure.
import type { Hasher64 } from './word64.ts'

const swap = (x: number): number => (x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24)

/** The first eight bytes of the SHA-1 digest, read as a little-endian number (datatrove's `sha1_hash64`). */
export const createSha1Hash64 = (): Hasher64 => {
  const words = new Int32Array(80)
  const state = new Int32Array(5)

  const compress = (): void => {
    for (let t = 16; t < 80; t++) {
      const x = words[t - 3]! ^ words[t - 8]! ^ words[t - 14]! ^ words[t - 16]!
      words[t] = (x << 1) | (x >>> 31)
    }
    let [a, b, c, d, e] = state as unknown as [number, number, number, number, number]
    for (let t = 0; t < 80; t++) {
      let mixed: number
      if (t < 20) mixed = ((b & c) | (~b & d)) + 0x5a827999
      else if (t < 40) mixed = (b ^ c ^ d) + 0x6ed9eba1
      else if (t < 60) mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
      else mixed = (b ^ c ^ d) + 0xca62c1d6
      const next = (((a << 5) | (a >>> 27)) + e + words[t]! + mixed) | 0
      e = d
      d = c
      c = (b << 30) | (b >>> 2)
      b = a
      a = next
    }
    state[0]! += a
    state[1]! += b
    state[2]! += c
    state[3]! += d
    state[4]! += e
  }

  const hasher: Hasher64 = {
    high: 0,
    low: 0,
    hash: (bytes, from, to) => {
      state.set([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0])
      const length = to - from
      const blocks = Math.floor((length + 8) / 64) + 1
      for (let block = 0; block < blocks; block++) {
        words.fill(0)
        const start = block * 64
        const end = Math.min(64, length - start)
        for (let i = 0; i < end; i++) words[i >> 2]! |= bytes[from + start + i]! << (24 - (i & 3) * 8)
        if (end >= 0 && end < 64) words[end >> 2]! |= 0x80 << (24 - (end & 3) * 8)
        if (block === blocks - 1) {
          words[14] = Math.floor(length / 2 ** 29)
          words[15] = length << 3
        }
        compress()
      }
      hasher.low = swap(state[0]!)
      hasher.high = swap(state[1]!)
    },
  }
  return hasher
}
