import fc from 'fast-check'
import { expect, test } from 'vitest'
import { qkvRope, reshape, rope, slice } from '@weft/tensor/ops'
import { expectClose, f32, f64, i32, sample, valuesOf } from '../../test/closeness.ts'

const frequencyValues = [1, 0.1, 0.01]
const frequencies = f64(frequencyValues, [3])

/** Pairs (i, i + R/2), one vector at one position. */
const turned = (vector: readonly number[], position: number, scale = 1): number[] => {
  const half = frequencyValues.length
  return vector.map((value, i) => {
    if (i >= 2 * half) return value
    const angle = position * frequencyValues[i % half]!
    const partner = i < half ? -vector[i + half]! : vector[i - half]!
    return scale * (value * Math.cos(angle) + partner * Math.sin(angle))
  })
}

const vectors = (values: readonly number[], size: number): number[][] => Array.from({ length: values.length / size }, (_, i) => values.slice(i * size, (i + 1) * size))

test('each pair (i, i + R/2) turns by position · frequency, the rest stays', async () => {
  const { x, values } = sample([2, 4, 3, 8], 1)
  const expected = vectors(values, 8).flatMap((vector, i) => turned(vector, 5 + (Math.floor(i / 3) % 4), 1.5))
  expectClose(await valuesOf(rope(x, frequencies, { offset: 5, scale: 1.5 })), expected)
})

test('positions of each row, or of one row for all', async () => {
  const { x, values } = sample([2, 2, 1, 6], 2)
  const positions = [3, 0, 7, 7]
  expectClose(await valuesOf(rope(x, frequencies, { positions: i32(positions, [2, 2]) })), vectors(values, 6).flatMap((vector, i) => turned(vector, positions[i]!)))
  expectClose(await valuesOf(rope(x, frequencies, { positions: i32([3, 0], [1, 2]) })), vectors(values, 6).flatMap((vector, i) => turned(vector, positions[i % 2]!)))
})

test('a product of query and key depends on their distance alone', async () => {
  const [q, k] = [sample([1, 1, 1, 6], 3).x, sample([1, 1, 1, 6], 4).x]
  const product = async (at: number, from: number): Promise<number> => {
    const [a, b] = [await valuesOf(rope(q, frequencies, { offset: at })), await valuesOf(rope(k, frequencies, { offset: from }))]
    return a.reduce((total, value, i) => total + value * b[i]!, 0)
  }
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 500 }), async (start, distance) => {
      expectClose([await product(start + distance, start)], [await product(distance, 0)], { atol: 1e-10 })
    }),
    { numRuns: 20 },
  )
})

test('qkvRope splits query, key and value heads and turns the first two', async () => {
  const { x } = sample([2, 3, 4 * 6], 5)
  const { q, k, v } = qkvRope(x, frequencies, { numHeads: 2, numKvHeads: 1, offset: 2 })
  expect([q.shape, k.shape, v.shape]).toEqual([[2, 3, 2, 6], [2, 3, 1, 6], [2, 3, 1, 6]])
  const part = (start: number, count: number) => reshape(slice(x, [0, 0, start * 6], [2, 3, count * 6]), [2, 3, count, 6])
  expectClose(await valuesOf(q), await valuesOf(rope(part(0, 2), frequencies, { offset: 2 })))
  expectClose(await valuesOf(k), await valuesOf(rope(part(2, 1), frequencies, { offset: 2 })))
  expect(await valuesOf(v)).toEqual(await valuesOf(part(3, 1)))
})

test('what does not fit is refused', () => {
  const x = f32([1, 2, 3, 4], [1, 1, 1, 4])
  expect(() => rope(x, f32([1, 1, 1], [3]))).toThrow('rope: 3 frequencies rotate 6 dimensions, but a head has 4')
  expect(() => rope(x, f32([1], [1]), { positions: i32([0, 1], [1, 2]) })).toThrow(/expected positions of shape \[1, T\] = \[1, 1\], got \[1, 2\]/)
  expect(() => rope(x, f32([1], [1]), { positions: i32([0], [1, 1]), offset: 2 })).toThrow(/not both/)
  expect(() => qkvRope(f32([1, 2, 3, 4], [1, 1, 4]), f32([1], [1]), { numHeads: 1, numKvHeads: 1 })).toThrow(/do not divide/)
})
