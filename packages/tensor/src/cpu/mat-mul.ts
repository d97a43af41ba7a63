// Batched matrix product. Each output is one sum over K in ascending order, in f64, rounded once: what stands in a row never
// depends on how many rows there are.
import type { Kernel, Operand } from '../backend.ts'
import type { HostArray } from '../dtype.ts'
import { stridesOf } from '../shape.ts'
import { allocateNumbers, numbersOf, outputSize, store, type Buffers, type CpuBuffer } from './buffers.ts'
import { broadcastStrides, forEachRow } from './rows.ts'

export const matMul = (buffers: Buffers): Kernel<CpuBuffer> => ({ inputs, attrs, outputs }) => {
  const [left, right] = inputs as readonly [Operand<CpuBuffer>, Operand<CpuBuffer>]
  const [meta] = outputs as [(typeof outputs)[0]]
  const [rows, columns] = meta.shape.slice(-2) as [number, number]
  const inner = left.shape[left.shape.length - (attrs['transposeA'] ? 2 : 1)]!
  const a = attrs['transposeA'] ? transposed(numbersOf(left), inner, rows) : numbersOf(left)
  const b = numbersOf(right)
  const out = allocateNumbers(meta.dtype, outputSize(meta))
  const batch = meta.shape.slice(0, -2)
  const matrices = [left, right].map(({ shape }) => broadcastStrides(shape.slice(0, -2), batch))
  const product = attrs['transposeB'] ? rowsTimesRows : rowsTimesMatrix
  forEachRow(batch, [...matrices, stridesOf(batch)], ([i, j, o], length, [stepA, stepB, stepOut]) => {
    for (let k = 0; k < length; k++) {
      const [fromA, fromB, fromOut] = [(i! + k * stepA!) * rows * inner, (j! + k * stepB!) * inner * columns, (o! + k * stepOut!) * rows * columns]
      product({ a: a.subarray(fromA), b: b.subarray(fromB), out: out.subarray(fromOut), rows, inner, columns })
    }
  })
  return [buffers.own(store(out, meta))]
}

interface Product {
  readonly a: HostArray
  readonly b: HostArray
  readonly out: HostArray
  readonly rows: number
  readonly inner: number
  readonly columns: number
}

/** [rows, inner] × [inner, columns]: a row of the result is a weighted sum of contiguous rows of b, four of them in one sweep. */
const rowsTimesMatrix = ({ a, b, out, rows, inner, columns }: Product): void => {
  const totals = new Float64Array(columns)
  for (let i = 0; i < rows; i++) {
    totals.fill(0)
    let k = 0
    for (; k + 4 <= inner; k += 4) {
      const at = i * inner + k
      const [w0, w1, w2, w3] = [a[at]!, a[at + 1]!, a[at + 2]!, a[at + 3]!]
      const [b0, b1, b2, b3] = [k * columns, (k + 1) * columns, (k + 2) * columns, (k + 3) * columns]
      for (let j = 0; j < columns; j++) totals[j] = totals[j]! + w0 * b[b0 + j]! + w1 * b[b1 + j]! + w2 * b[b2 + j]! + w3 * b[b3 + j]!
    }
    for (; k < inner; k++) {
      const weight = a[i * inner + k]!
      const from = k * columns
      for (let j = 0; j < columns; j++) totals[j]! += weight * b[from + j]!
    }
    out.set(totals, i * columns)
  }
}

/** [rows, inner] × [columns, inner]ᵀ: dot products of contiguous rows, four at a time so that the additions overlap. */
const rowsTimesRows = ({ a, b, out, rows, inner, columns }: Product): void => {
  for (let i = 0; i < rows; i++) {
    const from = i * inner
    let j = 0
    for (; j + 4 <= columns; j += 4) {
      const [b0, b1, b2, b3] = [j * inner, (j + 1) * inner, (j + 2) * inner, (j + 3) * inner]
      let [s0, s1, s2, s3] = [0, 0, 0, 0]
      for (let k = 0; k < inner; k++) {
        const weight = a[from + k]!
        s0 += weight * b[b0 + k]!
        s1 += weight * b[b1 + k]!
        s2 += weight * b[b2 + k]!
        s3 += weight * b[b3 + k]!
      }
      const o = i * columns + j
      out[o] = s0
      out[o + 1] = s1
      out[o + 2] = s2
      out[o + 3] = s3
    }
    for (; j < columns; j++) {
      let total = 0
      for (let k = 0; k < inner; k++) total += a[from + k]! * b[j * inner + k]!
      out[i * columns + j] = total
    }
  }
}

/** Each [height, width] matrix of the array as [width, height]. */
const transposed = (x: HostArray, height: number, width: number): HostArray => {
  const out = x.slice()
  const size = height * width
  for (let from = 0; size > 0 && from < x.length; from += size) {
    for (let i = 0; i < height; i++) for (let j = 0; j < width; j++) out[from + j * height + i] = x[from + i * width + j]!
  }
  return out
}
