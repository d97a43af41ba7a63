import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRandomState } from './mersenne-twister.ts'
import { createSha1Hash64 } from './sha1.ts'
import type { Hasher64 } from './word64.ts'
import { carry, multiplyHigh } from './word64.ts'
import { createXxHash64 } from './xx-hash64.ts'

const digest = (hasher: Hasher64, bytes: Uint8Array, from = 0, to = bytes.length): bigint => {
  hasher.hash(bytes, from, to)
  return (BigInt(hasher.high >>> 0) << 32n) | BigInt(hasher.low >>> 0)
}
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

test.each([
  ['', 0xef46db3751d8e999n],
  ['a', 0xd24ec4f1a98c6e5bn],
  ['abc', 0x44bc2cf5ad770999n],
  ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
])('XXH64 of %j', (text, expected) => {
  expect(digest(createXxHash64(), bytesOf(text))).toBe(expected)
})

/** The specification, word by word, on BigInt. */
const referenceXxHash64 = (bytes: Uint8Array, seed: bigint): bigint => {
  const m = (1n << 64n) - 1n
  const [p1, p2, p3, p4, p5] = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n] as const
  const rotate = (x: bigint, n: bigint): bigint => ((x << n) | (x >> (64n - n))) & m
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const round = (acc: bigint, input: bigint): bigint => (rotate((acc + input * p2) & m, 31n) * p1) & m
  let at = 0
  let acc = (seed + p5) & m
  if (bytes.length >= 32) {
    let lanes = [seed + p1 + p2, seed + p2, seed, seed - p1].map((lane) => lane & m)
    for (; at + 32 <= bytes.length; at += 32) lanes = lanes.map((lane, i) => round(lane, view.getBigUint64(at + i * 8, true)))
    acc = lanes.reduce((sum, lane, i) => (sum + rotate(lane, [1n, 7n, 12n, 18n][i]!)) & m, 0n)
    for (const lane of lanes) acc = ((acc ^ round(0n, lane)) * p1 + p4) & m
  }
  acc = (acc + BigInt(bytes.length)) & m
  for (; at + 8 <= bytes.length; at += 8) acc = (rotate(acc ^ round(0n, view.getBigUint64(at, true)), 27n) * p1 + p4) & m
  if (at + 4 <= bytes.length) {
    acc = (rotate(acc ^ ((BigInt(view.getUint32(at, true)) * p1) & m), 23n) * p2 + p3) & m
    at += 4
  }
  for (; at < bytes.length; at++) acc = (rotate(acc ^ ((BigInt(bytes[at]!) * p5) & m), 11n) * p1) & m
  acc = ((acc ^ (acc >> 33n)) * p2) & m
  acc = ((acc ^ (acc >> 29n)) * p3) & m
  return acc ^ (acc >> 32n)
}

test('XXH64 of any bytes and seed equals the specification', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 150 }), fc.nat(), (bytes, seed) => {
      expect(digest(createXxHash64(seed), bytes)).toBe(referenceXxHash64(bytes, BigInt(seed)))
    }),
  )
})

test('the first eight bytes of SHA-1, of any part of an array', () => {
  const hasher = createSha1Hash64()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 20 }), (bytes, skipped) => {
      const from = Math.min(skipped, bytes.length)
      const expected = createHash('sha1').update(bytes.subarray(from)).digest().readBigUInt64LE(0)
      expect(digest(hasher, bytes, from)).toBe(expected)
    }),
  )
})

test('64-bit products and carries', () => {
  fc.assert(
    fc.property(fc.nat({ max: 0xffffffff }), fc.nat({ max: 0xffffffff }), (a, b) => {
      expect(multiplyHigh(a | 0, b | 0) >>> 0).toBe(Number((BigInt(a) * BigInt(b)) >> 32n))
      expect(carry((a + b) | 0, a)).toBe(a + b > 0xffffffff ? 1 : 0)
    }),
  )
})

test("numpy's RandomState", () => {
  const random = createRandomState(1)
  const prime = (1n << 61n) - 1n
  expect(random.integers(1n, prime, 3)).toEqual([775169054918279404n, 1758426461858698313n, 2109959069025162n])
  // The first parameters of MinHash are 112 numbers, the offsets come after them.
  random.integers(1n, prime, 109)
  expect(random.integers(0n, prime, 3)).toEqual([1062448801025099917n, 1324811268927594100n, 1217488311597731462n])
})
