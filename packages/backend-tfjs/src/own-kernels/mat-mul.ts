// matMul. tfjs' wasm kernel is quick (50 GFLOP/s of XNNPACK) for one plain product [M, K] × [K, N] and twelve times slower once a flag
// or a batch is set, so operands are transposed first and batches are run matrix by matrix on parts of the heap. Small products, and
// all of them on cpu, are loops here. Every path adds up each output over K in ascending order, in f32 on wasm and in f64 on cpu: bits
// depend neither on the path nor on how many rows there are.
import { sizeOf, reshaped, type Device, type Value } from '../device.ts'
import { input, output, type Body } from '../kernel.ts'
import { broadcastStrides, stridesOf } from '../axes.ts'
import { multiplied } from '../tfjs-kernels/mat-mul.ts'
import { filled } from './elementwise.ts'
import { matricesTransposed } from './movement.ts'
import { doubleLoops, singleLoops, type Sizes } from './product-loops.ts'
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
  const out = device.allocate(shape, 'f32')
  // Two rows against two rows are quicker than rows added up, and a transpose is cheap beside a product of many rows.
  const right = transposeB ? b : M >= 8 ? matricesTransposed(device, b) : undefined
  const [x, y, z] = [device.floats(left), device.floats(right ?? b), device.floats(out)]
  const { addedRows, rowsTimesRows } = device.heap === undefined ? doubleLoops : singleLoops
  const loop = right === undefined ? addedRows : rowsTimesRows
  eachMatrix(a, b, shape, (i, j, o) => loop({ a: x, fromA: i * M * K, b: y, fromB: j * K * N, out: z, fromOut: o * M * N }, sizes))
  return finish(device, out, a, b, left, right ?? b)
}
