// XXH64 (Yann Collet), seed 0 or a small one, over 32-bit halves.
// Reference: github.com/Cyan4973/xxHash, doc/xxhash_spec.md.
import { carry, multiplyHigh, type Hasher64 } from './word64.ts'

const prime1 = [0x9e3779b1, 0x85ebca87] as const
const prime2 = [0xc2b2ae3d, 0x27d4eb4f] as const
const prime3 = [0x165667b1, 0x9e3779f9] as const
const prime4 = [0x85ebca77, 0xc2b2ae63] as const
const prime5 = [0x27d4eb2f, 0x165667c5] as const

/** @param seed 0 to 2^32 − 1. */
export const createXxHash64 = (seed = 0): Hasher64 => {
  // The accumulator in work, and four lanes of long inputs: high and low halves.
  let high = 0
  let low = 0
  const lanes = new Int32Array(8)

  const multiply = (otherHigh: number, otherLow: number): void => {
    high = (multiplyHigh(low, otherLow) + Math.imul(high, otherLow) + Math.imul(low, otherHigh)) | 0
    low = Math.imul(low, otherLow)
  }
  const add = (otherHigh: number, otherLow: number): void => {
    const sum = (low + otherLow) | 0
    high = (high + otherHigh + carry(sum, low)) | 0
    low = sum
  }
  /** 0 < count < 64, not 32. */
  const rotate = (count: number): void => {
    const [a, b, n] = count < 32 ? [high, low, count] : [low, high, count - 32]
    high = (a << n) | (b >>> (32 - n))
    low = (b << n) | (a >>> (32 - n))
  }
  const shiftXor = (count: number): void => {
    if (count >= 32) low ^= high >>> (count - 32)
    else {
      low ^= (low >>> count) | (high << (32 - count))
      high ^= high >>> count
    }
  }
  /** acc ← rotl(acc + input · P2, 31) · P1 */
  const round = (inputHigh: number, inputLow: number): void => {
    add((multiplyHigh(inputLow, prime2[1]) + Math.imul(inputHigh, prime2[1]) + Math.imul(inputLow, prime2[0])) | 0, Math.imul(inputLow, prime2[1]))
    rotate(31)
    multiply(prime1[0], prime1[1])
  }
  const set = (toHigh: number, toLow: number): void => {
    high = toHigh
    low = toLow
  }

  const readLow = (bytes: Uint8Array, at: number): number =>
    bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)

  const startLane = (lane: number): void => {
    set(0, seed | 0)
    if (lane === 0) add(prime1[0], prime1[1])
    if (lane <= 1) add(prime2[0], prime2[1])
    if (lane === 3) add(~prime1[0], -prime1[1]) // seed − P1
    lanes[lane * 2] = high
    lanes[lane * 2 + 1] = low
  }

  /** The part of a long input in blocks of 32 bytes; returns where it ends. */
  const hashBlocks = (bytes: Uint8Array, from: number, to: number): number => {
    for (let lane = 0; lane < 4; lane++) startLane(lane)
    let at = from
    for (; at + 32 <= to; at += 32) {
      for (let lane = 0; lane < 4; lane++) {
        set(lanes[lane * 2]!, lanes[lane * 2 + 1]!)
        round(readLow(bytes, at + lane * 8 + 4), readLow(bytes, at + lane * 8))
        lanes[lane * 2] = high
        lanes[lane * 2 + 1] = low
      }
    }
    mergeLanes()
    return at
  }

  const mergeLanes = (): void => {
    let sumHigh = 0
    let sumLow = 0
    for (const [lane, count] of [[0, 1], [1, 7], [2, 12], [3, 18]] as const) {
      set(lanes[lane * 2]!, lanes[lane * 2 + 1]!)
      rotate(count)
      add(sumHigh, sumLow)
      sumHigh = high
      sumLow = low
    }
    for (let lane = 0; lane < 4; lane++) {
      set(0, 0)
      round(lanes[lane * 2]!, lanes[lane * 2 + 1]!)
      set(sumHigh ^ high, sumLow ^ low)
      multiply(prime1[0], prime1[1])
      add(prime4[0], prime4[1])
      sumHigh = high
      sumLow = low
    }
    set(sumHigh, sumLow)
  }

  const hashTail = (bytes: Uint8Array, from: number, to: number): void => {
    let at = from
    for (; at + 8 <= to; at += 8) {
      const accHigh = high
      const accLow = low
      set(0, 0)
      round(readLow(bytes, at + 4), readLow(bytes, at))
      set(high ^ accHigh, low ^ accLow)
      rotate(27)
      multiply(prime1[0], prime1[1])
      add(prime4[0], prime4[1])
    }
    if (at + 4 <= to) {
      const word = readLow(bytes, at)
      set(high ^ (multiplyHigh(word, prime1[1]) + Math.imul(word, prime1[0])), low ^ Math.imul(word, prime1[1]))
      rotate(23)
      multiply(prime2[0], prime2[1])
      add(prime3[0], prime3[1])
      at += 4
    }
    for (; at < to; at++) {
      const byte = bytes[at]!
      set(high ^ (multiplyHigh(byte, prime5[1]) + Math.imul(byte, prime5[0])), low ^ Math.imul(byte, prime5[1]))
      rotate(11)
      multiply(prime1[0], prime1[1])
    }
  }

  const hasher: Hasher64 = {
    high: 0,
    low: 0,
    hash: (bytes, from, to) => {
      let at = from
      if (to - from >= 32) at = hashBlocks(bytes, from, to)
      else {
        set(0, seed | 0)
        add(prime5[0], prime5[1])
      }
      add(Math.floor((to - from) / 2 ** 32), (to - from) | 0)
      hashTail(bytes, at, to)
      shiftXor(33)
      multiply(prime2[0], prime2[1])
      shiftXor(29)
      multiply(prime3[0], prime3[1])
      shiftXor(32)
      hasher.high = high
      hasher.low = low
    },
  }
  return hasher
}
