// matMul. tfjs' wasm kernel is quick (50 GFLOP/s of XNNPACK) for one plain product [M, K] × [K, N] and twelve times slower once a flag
// or a batch is set, so operands are transposed first and batches are run matrix by matrix on parts of the heap. Small products, and
// all of them on cpu, are loops here. Every path adds up each output over K in ascending order in f32: bits depend neither on the
// path nor on how many rows there are.
import { sizeOf, reshaped, type Device, type Value } from '../device.ts'
import { input, output, type Body } from '../kernel.ts'
import type { View } from '../memory-access.ts'
import { broadcastStrides, stridesOf } from '../axes.ts'
import { multiplied } from '../tfjs-kernels/mat-mul.ts'
import { filled } from './elementwise.ts'
import { matricesTransposed } from './movement.ts'
import { forEachRow } from './rows.ts'

export const matMul: Body = (device, call) =>
  product(device, input(call, 0), input(call, 1), { transposeA: call.attrs['transposeA'] === true, transposeB: call.attrs['transposeB'] === true, shape: output(call).shape })

interface ProductOptions {
  readonly transposeA: boolean
  readonly transposeB: boolean
  /** Of the result: [..., M, N]. */
  readonly shape: readonly number[]
}

export const product = (device: Device, a: Value, b: Value, options: ProductOptions): Value => {
  const { transposeA, transposeB, shape } = options
  const [M, N] = shape.slice(-2) as [number, number]
  const K = a.shape[a.shape.length - (transposeA ? 2 : 1)]!
  if (K === 0) return filled(device, shape, 0, 'f32')
  // A batch of rows against one matrix is one product with more rows.
  const b1 = sizeOf(b.shape.slice(0, -2)) === 1
  if (b1 && !transposeA && a.shape.length > 2) {
    const rows = sizeOf(a.shape.slice(0, -1))
    return reshaped(product(device, reshaped(a, [rows, K]), reshaped(b, b.shape.slice(-2)), { transposeA, transposeB, shape: [rows, N] }), shape)
  }
  if (device.heap === undefined || M * N * K < smallProduct) return productByLoops(device, a, b, options, [M, K, N])
  return productByXnnpack(device, a, b, options, [M, K, N])
}

/** A call of tfjs costs some 10 µs: as much as this many multiplications in a loop. */
const smallProduct = 16_384

/** XNNPACK packs its right-hand side at first use, which takes twice as long as a transpose. */
const packing = 2

type Sizes = readonly [number, number, number]

/** Walks the batch: which matrix of a and of b makes which matrix of the result. */
const eachMatrix = (a: Value, b: Value, shape: readonly number[], visit: (i: number, j: number, o: number) => void): void => {
  const batch = shape.slice(0, -2)
  const matrices = [a, b].map((x) => broadcastStrides(x.shape.slice(0, -2), batch))
  forEachRow(batch, [...matrices, stridesOf(batch)], ([i, j, o], length, [stepA, stepB, stepOut]) => {
    for (let k = 0; k < length; k++) visit(i! + k * stepA!, j! + k * stepB!, o! + k * stepOut!)
  })
}

/**
 * Whether (Bᵀ·Aᵀ)ᵀ moves fewer elements than A·B. Without a flag it is A·B always: B may be a weight that stays packed over many calls.
 */
const isQuickerSwapped = (a: Value, b: Value, { transposeA, transposeB, shape }: ProductOptions, K: number): boolean => {
  if (!transposeA && !transposeB) return false
  const [sizeA, sizeB] = [a.data.size, b.data.size]
  const isPacked = !transposeB && b.data.packedRows === K
  const direct = (transposeA ? sizeA : 0) + (transposeB ? sizeB : 0) + (isPacked ? 0 : packing * sizeB)
  const swapped = (transposeA ? 0 : sizeA) + (transposeB ? 0 : sizeB) + sizeOf(shape) + packing * sizeA
  return swapped < direct
}

const productByXnnpack = (device: Device, a: Value, b: Value, { transposeA, transposeB, shape }: ProductOptions, [M, K, N]: Sizes): Value => {
  if (isQuickerSwapped(a, b, { transposeA, transposeB, shape }, K)) {
    const [left, right] = [transposeB ? b : matricesTransposed(device, b), transposeA ? a : matricesTransposed(device, a)]
    const out = productByXnnpack(device, left, right, { transposeA: false, transposeB: false, shape: [...shape.slice(0, -2), N, M] }, [N, K, M])
    const result = matricesTransposed(device, out)
    device.drop(out)
    return result
  }
  const left = transposeA ? matricesTransposed(device, a) : a
  const right = transposeB ? matricesTransposed(device, b) : b
  if (shape.length === 2 || sizeOf(shape.slice(0, -2)) === 1) return finish(device, reshaped(multiplied(device, reshaped(left, [1, M, K]), reshaped(right, [1, K, N])), shape), a, b, left, right)
  const out = device.allocate(shape, 'f32')
  eachMatrix(left, right, shape, (i, j, o) => {
    const parts = [device.part(left, i * M * K, [1, M, K]), device.part(right, j * K * N, [1, K, N])] as const
    const made = multiplied(device, ...parts)
    device.floats(out).set(device.floats(made), o * M * N)
    device.drop(made)
    device.forget(...parts)
  })
  return finish(device, out, a, b, left, right)
}

/** Frees the transposed copies. */
const finish = (device: Device, out: Value, a: Value, b: Value, left: Value, right: Value): Value => {
  if (left !== a) device.drop(left)
  if (right !== b) device.drop(right)
  return out
}

const productByLoops = (device: Device, a: Value, b: Value, { transposeA, transposeB, shape }: ProductOptions, sizes: Sizes): Value => {
  const [M, K, N] = sizes
  const left = transposeA ? matricesTransposed(device, a) : a
  const out = filled(device, shape, 0, 'f32')
  // Two rows against two rows are quicker than rows added up, and a transpose is cheap beside a product of many rows.
  const right = transposeB ? b : M >= 8 ? matricesTransposed(device, b) : undefined
  const [x, y, z] = [device.floats(left), device.floats(right ?? b), device.floats(out)]
  eachMatrix(a, b, shape, (i, j, o) => (right === undefined ? addedRows : rowsTimesRows)(x, i * M * K, y, j * K * N, z, o * M * N, sizes))
  return finish(device, out, a, b, left, right ?? b)
}

const { fround } = Math

/** [M, K] × [N, K]ᵀ: two by two dot products, so that four chains of additions overlap and each load serves two. */
const rowsTimesRows = (a: View, fromA: number, b: View, fromB: number, out: View, fromOut: number, [M, K, N]: Sizes): void => {
  for (let i = 0; i < M; i += 2) {
    const a0 = fromA + i * K
    const a1 = i + 1 < M ? a0 + K : a0
    for (let j = 0; j < N; j += 2) {
      const b0 = fromB + j * K
      const b1 = j + 1 < N ? b0 + K : b0
      let s00 = fround(0)
      let s01 = fround(0)
      let s10 = fround(0)
      let s11 = fround(0)
      for (let k = 0; k < K; k++) {
        const [x0, x1, y0, y1] = [a[a0 + k]!, a[a1 + k]!, b[b0 + k]!, b[b1 + k]!]
        s00 = fround(s00 + fround(x0 * y0))
        s01 = fround(s01 + fround(x0 * y1))
        s10 = fround(s10 + fround(x1 * y0))
        s11 = fround(s11 + fround(x1 * y1))
      }
      // At an odd end the second row or column is the first again: the same values land on the same places.
      const [c0, c1] = [fromOut + i * N + j, fromOut + (a1 === a0 ? i : i + 1) * N + j]
      const right = b1 === b0 ? 0 : 1
      out[c0] = s00
      out[c0 + right] = s01
      out[c1] = s10
      out[c1 + right] = s11
    }
  }
}

/** [M, K] × [K, N]: rows of b added up, in the order that they lie in memory. */
const addedRows = (a: View, fromA: number, b: View, fromB: number, out: View, fromOut: number, [M, K, N]: Sizes): void => {
  for (let i = 0; i < M; i++) {
    const row = fromOut + i * N
    for (let k = 0; k < K; k++) {
      const weight = a[fromA + i * K + k]!
      const source = fromB + k * N
      for (let j = 0; j < N; j++) out[row + j] = out[row + j]! + fround(weight * b[source + j]!)
    }
  }
}
