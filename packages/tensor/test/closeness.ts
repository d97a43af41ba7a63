// What tests of operations share: seeded f64 tensors on the reference backend, their values, and one way of comparing.
import { createRandomSource } from '@weft/contracts'
import { expect } from 'vitest'
import { createCpuBackend } from '@weft/tensor/cpu'
import { read, tensor, type DType, type Shape, type Tensor } from '@weft/tensor'

export const backend = createCpuBackend()

/** |got − expected| ≤ atol + rtol · |expected| everywhere; NaN equals NaN. */
export const expectClose = (got: ArrayLike<number>, expected: ArrayLike<number>, { rtol = 1e-12, atol = 1e-12 } = {}): void => {
  expect(got.length).toBe(expected.length)
  for (let i = 0; i < got.length; i++) {
    const [a, b] = [got[i]!, expected[i]!]
    if (Object.is(a, b) || a === b || Math.abs(a - b) <= atol + rtol * Math.abs(b)) continue
    expect.fail(`element ${i}: got ${a}, expected ${b} (rtol ${rtol}, atol ${atol})`)
  }
}

export const valuesOf = async (x: Tensor): Promise<number[]> => Array.from(await read(x))

export const f64 = (values: readonly number[], shape: Shape): Tensor => tensor(backend, values, shape, { dtype: 'f64' })
export const f32 = (values: readonly number[], shape: Shape): Tensor => tensor(backend, values, shape)
export const i32 = (values: readonly number[], shape: Shape): Tensor => tensor(backend, values, shape, { dtype: 'i32' })

/** Numbers around 0, the same for the same seed. */
export const numbers = (count: number, seed: number, spread = 2): number[] => {
  const source = createRandomSource({ seed })
  return Array.from({ length: count }, () => (source.nextFloat() * 2 - 1) * spread)
}

const sizeOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1)

/** A seeded tensor and its values on the host. */
export const sample = (shape: Shape, seed: number, options: { readonly spread?: number; readonly dtype?: DType } = {}): { readonly x: Tensor; readonly values: number[] } => {
  const values = numbers(sizeOf(shape), seed, options.spread)
  return { x: tensor(backend, values, shape, { dtype: options.dtype ?? 'f64' }), values }
}
