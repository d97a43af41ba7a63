import fc from 'fast-check'
import { expect, test } from 'vitest'
import { read } from '@weft/tensor'
import { logSoftmax, mean, softmax } from '@weft/tensor/ops'
import { expectClose, f32, f64, sample, valuesOf } from '../../test/closeness.ts'

test('softmax of 1, 2, 3', async () => {
  // torch.softmax(torch.tensor([1., 2., 3.], dtype=torch.float64), 0)
  const expected = [0.09003057317038046, 0.24472847105479764, 0.6652409557748218]
  expectClose(await valuesOf(softmax(f64([1, 2, 3], [3]))), expected)
  expectClose(await valuesOf(logSoftmax(f64([1, 2, 3], [3]))), expected.map(Math.log))
})

test('any axis: the values of a permuted axis', async () => {
  const { x, values } = sample([3, 4, 5], 1)
  const got = await valuesOf(softmax(x, { axis: 1 }))
  const expected = values.map((_, i) => {
    const [a, c] = [Math.floor(i / 20), i % 5]
    const column = [0, 1, 2, 3].map((b) => Math.exp(values[a * 20 + b * 5 + c]!))
    return Math.exp(values[i]!) / column.reduce((sum, e) => sum + e)
  })
  expectClose(got, expected)
})

test('rows sum to 1 and do not change when a number is added, in f32', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 40 }), fc.integer({ min: -60, max: 60 }), async (row, shift) => {
      const plain = await valuesOf(softmax(f32(row.map(Math.round), [1, row.length])))
      expect(Math.abs(plain.reduce((sum, p) => sum + p) - 1)).toBeLessThan(1e-5)
      expectClose(await valuesOf(softmax(f32(row.map((x) => Math.round(x) + shift), [1, row.length]))), plain)
    }),
    { numRuns: 50 },
  )
})

test('far logits neither overflow nor vanish from the logarithm', async () => {
  expectClose(await valuesOf(logSoftmax(f32([1000, 0, -1000], [3]))), [0, -1000, -2000])
  expectClose(await valuesOf(softmax(f32([-Infinity, 3], [2]))), [0, 1])
})

test('mean over axes', async () => {
  const x = f64([1, 2, 3, 4, 5, 6], [2, 3])
  expect(await valuesOf(mean(x))).toEqual([3.5])
  expect(await valuesOf(mean(x, { axes: [0] }))).toEqual([2.5, 3.5, 4.5])
  const kept = mean(x, { axes: [-1], keepDims: true })
  expect(kept.shape).toEqual([2, 1])
  expect(await valuesOf(kept)).toEqual([2, 5])
  expect(await read(mean(f32([], [0])))).toEqual(Float32Array.of(NaN))
})

test('integers are refused by name', () => {
  expect(() => softmax(f32([1], [1]), { axis: 2 })).toThrow(/softmax: axis 2/)
})
