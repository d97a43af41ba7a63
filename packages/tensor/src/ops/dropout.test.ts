import { expect, test } from 'vitest'
import { childKey, grad, ones, randomKey, tidy } from '@weft/tensor'
import { dropout, sum } from '@weft/tensor/ops'
import { backend, f32, numbers, valuesOf } from '../../test/closeness.ts'

const key = childKey(randomKey(7), 'layers/3')

test('drops at the rate, scales the rest, and the gradient passes where the value did', async () => {
  const x = ones(backend, [100, 100])
  const [gradient] = grad(() => tidy(() => sum(dropout(x, { rate: 0.2, key }))), [x])
  const values = await valuesOf(dropout(x, { rate: 0.2, key }))
  const kept = values.filter((value) => value !== 0)
  expect(new Set(kept)).toEqual(new Set([1.25]))
  expect(Math.abs(kept.length - 8000)).toBeLessThan(4 * 40) // four standard deviations
  expect(await valuesOf(gradient!)).toEqual(values)
})

test('one key is one mask, another key another', async () => {
  const x = f32(numbers(64, 1), [64])
  const masked = (k: typeof key) => valuesOf(dropout(x, { rate: 0.5, key: k }))
  expect(await masked(key)).toEqual(await masked({ ...key }))
  expect(await masked(key)).not.toEqual(await masked(childKey(key, 'x')))
})

test('rate 0 changes nothing; rates outside of [0, 1) are refused', async () => {
  const x = f32([1, 2], [2])
  expect(await valuesOf(dropout(x, { rate: 0, key }))).toEqual([1, 2])
  for (const rate of [1, -0.1, NaN]) expect(() => dropout(x, { rate, key })).toThrow(`dropout: expected rate in [0, 1), got ${rate}`)
})
