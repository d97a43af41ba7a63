import fc from 'fast-check'
import { expect, test } from 'vitest'
import { argMax, cumSum, topK } from '@weft/tensor/ops'
import { expectClose, f32, f64, i32, sample, valuesOf } from '../../test/closeness.ts'

const rows = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 12 })).chain(([count, size]) =>
  fc.array(fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(-Infinity)), { minLength: size, maxLength: size }), { minLength: count, maxLength: count }),
)

test('topK and argMax agree with a stable sort', async () => {
  await fc.assert(
    fc.asyncProperty(rows, fc.nat(11), async (table, pick) => {
      const size = table[0]!.length
      const k = 1 + (pick % size)
      const order = table.map((row) => row.map((_, i) => i).sort((a, b) => (row[b] === row[a] ? a - b : row[b]! > row[a]! ? 1 : -1)).slice(0, k))
      const x = f32(table.flat(), [table.length, size])
      const { values, indices } = topK(x, { k })
      expect(await valuesOf(indices)).toEqual(order.flat())
      expect(await valuesOf(values)).toEqual(order.flatMap((row, r) => row.map((i) => table[r]![i]!)))
      expect(await valuesOf(argMax(x))).toEqual(order.map((row) => row[0]!))
    }),
    { numRuns: 60 },
  )
})

test('argMax over another axis, of integers, and within the row where there is NaN', async () => {
  expect(await valuesOf(argMax(i32([1, 9, 5, 2, 7, 7], [2, 3]), { axis: 0 }))).toEqual([1, 0, 1])
  const [index] = await valuesOf(argMax(f32([1, NaN, 2], [3])))
  expect(index).toBeLessThan(3)
})

test('cumSum, exclusive and from the end', async () => {
  const { x, values } = sample([3, 13], 1)
  const sums = (exclusive: boolean, reverse: boolean): number[] =>
    values.map((_, i) => {
      const [start, at] = [i - (i % 13), i % 13]
      return values.slice(start, start + 13).reduce((total, value, j) => (((reverse ? j > at : j < at) || (j === at && !exclusive)) ? total + value : total), 0)
    })
  for (const exclusive of [false, true]) for (const reverse of [false, true]) expectClose(await valuesOf(cumSum(x, { exclusive, reverse })), sums(exclusive, reverse))
  expect(await valuesOf(cumSum(i32([1, 2, 3, 4], [2, 2]), { axis: 0 }))).toEqual([1, 2, 4, 6])
})

test('k is checked against the row', () => {
  expect(() => topK(f64([1, 2], [1, 2]), { k: 3 })).toThrow('topK: expected k in 1 … 2, got 3')
  expect(() => topK(f64([1, 2], [1, 2]), { k: 0 })).toThrow('topK: expected k in 1 … 2, got 0')
})
