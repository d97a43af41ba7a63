import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCpuBackend } from './cpu.ts'
import { childKey, memory, random, randomKey, read } from './index.ts'
import { keyWords, philoxBits, philoxBlock } from './random-key.ts'

/** Philox4x32-10 as the paper writes it, with 64-bit products. */
const philox = (counter: readonly number[], key: readonly number[]): number[] => {
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint]
  let [k0, k1] = key.map(BigInt) as [bigint, bigint]
  const word = 0xffffffffn
  for (let round = 0; round < 10; round++) {
    const [p0, p1] = [0xd2511f53n * c0, 0xcd9e8d57n * c2]
    ;[c0, c1, c2, c3] = [((p1 >> 32n) ^ c1 ^ k0) & word, p1 & word, ((p0 >> 32n) ^ c3 ^ k1) & word, p0 & word]
    k0 = (k0 + 0x9e3779b9n) & word
    k1 = (k1 + 0xbb67ae85n) & word
  }
  return [c0, c1, c2, c3].map(Number)
}

test('the known answers of Random123', () => {
  expect(philox([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8])
  expect(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toEqual([0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1])
  const block = new Uint32Array(4)
  philoxBlock([0, 0], 0, block)
  expect([...block]).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8])
})

test('every counter and key agrees with 64-bit arithmetic', () => {
  const word = fc.integer({ min: 0, max: 2 ** 32 - 1 })
  fc.assert(fc.property(word, word, fc.integer({ min: 0, max: 2 ** 53 - 1 }), (k0, k1, counter) => {
    const block = new Uint32Array(4)
    philoxBlock([k0, k1], counter, block)
    expect([...block]).toEqual(philox([counter % 2 ** 32, Math.floor(counter / 2 ** 32), 0, 0], [k0, k1]))
  }))
})

test('a shorter draw is the beginning of a longer one', () => {
  const long = philoxBits([1, 2], 13)
  expect([...philoxBits([1, 2], 6)]).toEqual([...long.subarray(0, 6)])
  expect(long.every((x) => x >= 0 && x < 2 ** 24)).toBe(true)
})

test('keys differ by seed, also above 32 bits, and by path', () => {
  const keys = [randomKey(1), randomKey(2), randomKey(2 ** 32 + 1), randomKey(-1), childKey(randomKey(1), 'a'), childKey(childKey(randomKey(1), 'a'), 0), childKey(randomKey(1), 'b')]
  expect(new Set(keys.map((key) => keyWords(key).join())).size).toBe(keys.length)
  expect(keyWords(randomKey(5, 'x'))).toEqual(keyWords(randomKey(5, 'x')))
})

test('uniform and normal values have the moments of their distributions', async () => {
  const backend = createCpuBackend()
  const count = 40_000
  const moments = async (distribution: 'uniform' | 'normal') => {
    using x = random(backend, [200, 200], { key: randomKey(3), distribution })
    const list = Array.from(await read(x))
    const mean = list.reduce((a, b) => a + b, 0) / count
    return { mean, deviation: Math.sqrt(list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count), within: list.filter((value) => Math.abs(value) < 1).length / count }
  }
  const uniform = await moments('uniform')
  expect(uniform.mean).toBeCloseTo(0.5, 1.9)
  expect(uniform.deviation).toBeCloseTo(Math.sqrt(1 / 12), 2)
  expect(uniform.within).toBe(1)
  const normal = await moments('normal')
  expect(Math.abs(normal.mean)).toBeLessThan(0.02) // four standard errors
  expect(normal.deviation).toBeCloseTo(1, 1.7)
  expect(normal.within).toBeCloseTo(0.6827, 1.9)
  expect(memory(backend).buffers).toBe(0)
})
