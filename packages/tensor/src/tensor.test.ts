import { afterEach, expect, test } from 'vitest'
import { createCpuBackend } from './cpu.ts'
import { DisposedTensorError, memory, read, readScalar, ShapeError, tensor } from './index.ts'
import { add, reshape } from './primitives.ts'

const backend = createCpuBackend()
afterEach(() => expect(memory(backend).buffers).toBe(0))

test('using frees at the end of a block', () => {
  {
    using x = tensor(backend, [1, 2], [2])
    expect(x.size).toBe(2)
    expect(memory(backend)).toMatchObject({ buffers: 1, bytes: 8 })
  }
  expect(memory(backend).bytes).toBe(0)
})

test('use after dispose names the operation and what to do; a second dispose does nothing', () => {
  const x = tensor(backend, [1, 2], [2])
  x.dispose()
  x.dispose()
  expect(() => add(x, x)).toThrow(DisposedTensorError)
  expect(() => add(x, x)).toThrow(/binary: a f32 \[2\] tensor was used after it was disposed/)
  expect(`${x.toString()}`).toBe('Tensor f32 [2] on cpu (disposed)')
})

test('reshapes share a buffer until the last handle goes', async () => {
  const x = tensor(backend, [1, 2, 3, 4, 5, 6], [2, 3])
  const y = reshape(x, [3, -1])
  expect(y.shape).toEqual([3, 2])
  expect(memory(backend).buffers).toBe(1)
  x.dispose()
  expect(Array.from(await read(y))).toEqual([1, 2, 3, 4, 5, 6])
  expect(() => reshape(y, [4, -1])).toThrow(ShapeError)
  y.dispose()
})

test('readScalar wants one element', async () => {
  using x = tensor(backend, [7], [1, 1])
  using y = tensor(backend, [7, 8], [2])
  expect(await readScalar(x)).toBe(7)
  await expect(readScalar(y)).rejects.toThrow(/expected one element, got \[2\]/)
})
