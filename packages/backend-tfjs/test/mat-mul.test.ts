// Every path of the product gives the same bits, and each stays right in the cases where kernels of tfjs go wrong.
import type { Backend, Operand } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { describe, expect, it } from 'vitest'
import { createTfjsBackend } from '../src/index.ts'
import { tf } from './start-tfjs.ts'

const wasm = await createTfjsBackend({ tf, backendName: 'wasm' })
const plain = await createTfjsBackend({ tf, backendName: 'wasm', ownLoops: false })
const reference = createCpuBackend()
const cpu = await createTfjsBackend({ tf, backendName: 'cpu' })

/** Values whose products need rounding, without a random source. */
const values = (count: number, seed: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898 + seed) * 1.7)

const matrix = <H>(backend: Backend<H>, content: Float32Array, rows: number, columns: number): Operand<H> => ({ data: backend.upload(content, [rows, columns], 'f32'), shape: [rows, columns], dtype: 'f32' })

const multiply = <H>(backend: Backend<H>, a: Operand<H>, b: Operand<H>, transposeB = false): Float32Array => {
  const shape = [a.shape[0]!, b.shape[transposeB ? 0 : 1]!]
  const [data] = backend.kernels.matMul({ inputs: [a, b], donated: [false, false], attrs: { transposeA: false, transposeB }, outputs: [{ shape, dtype: 'f32' }] })
  const result = backend.readSync!({ data: data!, shape, dtype: 'f32' }) as Float32Array
  backend.free(data!)
  return result
}

const column = (content: Float32Array, columns: number, at: number): Float32Array => content.filter((_, i) => i % columns === at)

const shapes = [
  [3, 40, 5],
  [64, 65, 66],
  [128, 130, 7],
  [2, 300, 200],
] as const

describe('products on cpu', () => {
  it.each(shapes)('of [%d, %d] × [·, %d] have the same bits whole or row by row', (M, K, N) => {
    const [left, right] = [values(M * K, 1), values(K * N, 2)]
    const b = matrix(cpu, right, K, N)
    const whole = multiply(cpu, matrix(cpu, left, M, K), b)
    expect(multiply(cpu, matrix(cpu, left.slice(0, K), 1, K), b)).toEqual(whole.slice(0, N))
    const expected = multiply(reference, matrix(reference, left, M, K), matrix(reference, right, K, N))
    expect(whole).toEqual(expected)
  })
})

describe('products on wasm', () => {
  it.each(shapes)('of [%d, %d] × [·, %d] have the same bits whole or row by row, by loops or by XNNPACK', (M, K, N) => {
    const [left, right] = [values(M * K, 1), values(K * N, 2)]
    const [a, b] = [matrix(wasm, left, M, K), matrix(wasm, right, K, N)]
    const whole = multiply(wasm, a, b)
    const firstRow = matrix(wasm, left.slice(0, K), 1, K)
    expect(multiply(wasm, firstRow, b)).toEqual(whole.slice(0, N))
    const transposed = Float32Array.from({ length: K * N }, (_, i) => right[(i % K) * N + Math.floor(i / K)]!)
    expect(multiply(wasm, a, matrix(wasm, transposed, N, K), true)).toEqual(whole)
    // One row and one column alone are small enough for the loops.
    expect(multiply(wasm, firstRow, matrix(wasm, column(right, N, N - 1), K, 1))[0]).toBe(whole[N - 1])
  })

  it.each([
    ['own loops', wasm],
    ['tfjs alone', plain],
  ])('pack a buffer anew that is seen as another matrix: %s', (_, backend) => {
    const content = values(64 * 96, 3)
    const onBoth = <H>(on: Backend<H>): Float32Array[] => {
      const b = matrix(on, content, 64, 96)
      return [multiply(on, matrix(on, values(32 * 64, 4), 32, 64), b), multiply(on, matrix(on, values(32 * 96, 5), 32, 96), { ...b, shape: [96, 64] })]
    }
    const expected = onBoth(reference)
    onBoth(backend).forEach((made, i) => made.forEach((value, k) => expect(Math.abs(value - expected[i]![k]!)).toBeLessThan(1e-4)))
  })
})
