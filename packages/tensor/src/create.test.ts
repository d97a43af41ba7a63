import { afterEach, expect, test } from 'vitest'
import { createCpuBackend } from './cpu.ts'
import { disposeAll, full, memory, ones, read, ShapeError, tensor, zeros } from './index.ts'

const backend = createCpuBackend()
afterEach(() => expect(memory(backend).buffers).toBe(0))

test('the dtype follows the array, or is given', async () => {
  const made = [tensor(backend, [1], [1]), tensor(backend, Int32Array.of(1), [1]), tensor(backend, Uint8Array.of(1), [1]), tensor(backend, [1], [1], { dtype: 'f64' })]
  expect(made.map(({ dtype }) => dtype)).toEqual(['f32', 'i32', 'u8', 'f64'])
  disposeAll(made)
})

test('values must fill the shape', () => {
  expect(() => tensor(backend, [1, 2, 3], [2, 2])).toThrow(/3 values do not fill \[2, 2\], which has 4/)
  expect(() => tensor(backend, [1], [-1])).toThrow(ShapeError)
  expect(() => tensor(backend, [1], [0.5])).toThrow(ShapeError)
})

test('zeros, ones, full, and nothing at all', async () => {
  const made = [zeros(backend, [2]), ones(backend, [2], { dtype: 'i32' }), full(backend, [2], -Infinity), zeros(backend, [0, 3])]
  expect(await Promise.all(made.map(async (x) => Array.from(await read(x))))).toEqual([[0, 0], [1, 1], [-Infinity, -Infinity], []])
  disposeAll(made)
})
