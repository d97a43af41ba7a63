import { expect, test } from 'vitest'
import { createCpuBackend } from '@weft/tensor/cpu'
import { memory, tensor } from '@weft/tensor'
import { kvAppend, reshape } from '@weft/tensor/ops'
import { f32, valuesOf } from '../../test/closeness.ts'

test('rows are written from at[b] on, the rest stays', async () => {
  const cache = f32(Array.from({ length: 16 }, (_, i) => i), [2, 4, 1, 2])
  const rows = f32([100, 101, 102, 103], [2, 1, 1, 2])
  const next = kvAppend(cache, rows, { at: [3, 1] })
  expect(await valuesOf(next)).toEqual([0, 1, 2, 3, 4, 5, 100, 101, 8, 9, 102, 103, 12, 13, 14, 15])
  expect(cache.isDisposed).toBe(true)
})

test('a cache that somebody else holds keeps its values there, and the copy is counted', async () => {
  const backend = createCpuBackend()
  const cache = tensor(backend, [1, 2, 3], [1, 3, 1, 1])
  const snapshot = reshape(cache, cache.shape)
  const next = kvAppend(cache, tensor(backend, [9], [1, 1, 1, 1]), { at: [1] })
  expect(await valuesOf(snapshot)).toEqual([1, 2, 3])
  expect(await valuesOf(next)).toEqual([1, 9, 3])
  expect(memory(backend).missedDonations).toBe(1)
})

test('what lies outside of the cache is refused', () => {
  const cache = f32([1, 2, 3], [1, 3, 1, 1])
  const rows = f32([8, 9], [1, 2, 1, 1])
  for (const at of [[2], [-1], [0.5], [0, 0]]) expect(() => kvAppend(cache, rows, { at })).toThrow(`kvAppend: rows [1, 2, 1, 1] at [${at.join(', ')}] do not fit into a cache [1, 3, 1, 1]`)
  expect(cache.isDisposed).toBe(false)
})
