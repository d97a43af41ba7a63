import { expect, test } from 'vitest'
import { grad, tidy } from '@weft/tensor'
import { add, addLayerNorm, addRmsNorm, layerNorm, mul, rmsNorm, sum } from '@weft/tensor/ops'
import { expectClose, f32, sample, valuesOf } from '../../test/closeness.ts'

const rowsOf = (values: readonly number[], size: number): number[][] => Array.from({ length: values.length / size }, (_, i) => values.slice(i * size, (i + 1) * size))
const average = (row: readonly number[]): number => row.reduce((total, x) => total + x, 0) / row.length

const layerNormed = (values: readonly number[], weight: readonly number[], bias: readonly number[], epsilon: number): number[] =>
  rowsOf(values, weight.length).flatMap((row) => {
    const center = average(row)
    const deviation = Math.sqrt(average(row.map((x) => (x - center) ** 2)) + epsilon)
    return row.map((x, i) => ((x - center) / deviation) * weight[i]! + bias[i]!)
  })

const rmsNormed = (values: readonly number[], weight: readonly number[], epsilon: number, offset: number): number[] =>
  rowsOf(values, weight.length).flatMap((row) => row.map((x, i) => (x / Math.sqrt(average(row.map((y) => y * y)) + epsilon)) * (weight[i]! + offset)))

test('layerNorm is (x − mean) / √(variance + ε) · weight + bias', async () => {
  const [x, weight, bias] = [sample([2, 3, 7], 1), sample([7], 2), sample([7], 3)]
  expectClose(await valuesOf(layerNorm(x.x, weight.x, bias.x, { epsilon: 0.01 })), layerNormed(x.values, weight.values, bias.values, 0.01))
  expectClose(await valuesOf(layerNorm(x.x, weight.x, undefined, { epsilon: 0.01 })), layerNormed(x.values, weight.values, weight.values.map(() => 0), 0.01))
})

test('rmsNorm is x / √(mean(x²) + ε) · (weight + offset)', async () => {
  const [x, weight] = [sample([4, 7], 4), sample([7], 5)]
  for (const offset of [0, 1]) {
    expectClose(await valuesOf(rmsNorm(x.x, weight.x, { epsilon: 0.01, offset })), rmsNormed(x.values, weight.values, 0.01, offset))
  }
})

test('the fused pair is the addition and then the norm, with the same gradients', async () => {
  const [x, residual, weight, bias] = [sample([3, 5], 6).x, sample([3, 5], 7).x, sample([5], 8).x, sample([5], 9).x]
  const [ofSum, ofNormed] = [sample([3, 5], 10).x, sample([3, 5], 11).x]
  type Pair = { readonly sum: typeof x; readonly normed: typeof x }
  const loss = (pair: Pair) => add(sum(mul(pair.sum, ofSum)), sum(mul(pair.normed, ofNormed)))
  const kinds: readonly (readonly [() => Pair, () => Pair])[] = [
    [() => addLayerNorm(x, residual, weight, bias, { epsilon: 1e-5 }), () => ((total) => ({ sum: total, normed: layerNorm(total, weight, bias, { epsilon: 1e-5 }) }))(add(x, residual))],
    [() => addRmsNorm(x, residual, weight, { epsilon: 1e-5, offset: 1 }), () => ((total) => ({ sum: total, normed: rmsNorm(total, weight, { epsilon: 1e-5, offset: 1 }) }))(add(x, residual))],
  ]
  for (const [fused, apart] of kinds) {
    const [a, b] = [tidy(fused), tidy(apart)]
    expectClose(await valuesOf(a.normed), await valuesOf(b.normed))
    const roots = [x, residual, weight, bias]
    const [got, expected] = [grad(() => tidy(() => loss(fused())), roots), grad(() => tidy(() => loss(apart())), roots)]
    for (let i = 0; i < roots.length; i++) expectClose(await valuesOf(got[i]!), await valuesOf(expected[i]!))
  }
})

test('the sum alone, and the norm alone, have a gradient too', async () => {
  const [x, residual, weight] = [sample([2, 4], 12).x, sample([2, 4], 13).x, sample([4], 14).x]
  const onlySum = grad(() => tidy(() => sum(addRmsNorm(x, residual, weight, { epsilon: 1e-5 }).sum)), [x, weight])
  expect(await valuesOf(onlySum[0]!)).toEqual(Array<number>(8).fill(1))
  expect(await valuesOf(onlySum[1]!)).toEqual([0, 0, 0, 0])
  const onlyNormed = grad(() => tidy(() => sum(addRmsNorm(x, residual, weight, { epsilon: 1e-5 }).normed)), [x])
  const apart = grad(() => tidy(() => sum(rmsNorm(add(x, residual), weight, { epsilon: 1e-5 }))), [x])
  expectClose(await valuesOf(onlyNormed[0]!), await valuesOf(apart[0]!))
})

test('a weight of another size is refused with both shapes', () => {
  expect(() => layerNorm(f32([1, 2], [1, 2]), f32([1, 2, 3], [3]), undefined, { epsilon: 1e-5 })).toThrow('layerNorm: expected weight of shape [D] = [2], got [3]')
  expect(() => addRmsNorm(f32([1, 2], [1, 2]), f32([1, 2], [2]), f32([1, 2], [2]), { epsilon: 1e-5 })).toThrow('addRmsNorm: expected residual of shape [1, 2], got [2]')
})
