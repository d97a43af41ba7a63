// Sums and extremes over axes. One pass over the input in its own order; sums are kept in f64 and rounded once.
import type { Kernel, Operand, ReduceOp } from '../backend.ts'
import type { DType } from '../dtype.ts'
import { sizeOf, stridesOf } from '../shape.ts'
import { allocateNumbers, numbersOf, outputSize, store, type Buffers, type CpuBuffer } from './buffers.ts'
import { larger, smaller } from './elementwise.ts'
import { forEachRow } from './rows.ts'

export const reduce = (buffers: Buffers): Kernel<CpuBuffer> => ({ inputs, attrs, outputs }) => {
  const from = inputs[0] as Operand<CpuBuffer>
  const x = numbersOf(from)
  const axes = attrs['axes'] as readonly number[]
  const op = attrs['op'] as ReduceOp
  const kept = from.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
  const totals = new Float64Array(sizeOf(kept)).fill(emptyValue(op, from.dtype))
  const keptStrides = stridesOf(kept).map((stride, axis) => (axes.includes(axis) ? 0 : stride))
  const combine = op === 'sum' ? addRow : op === 'max' ? maxRow : minRow
  forEachRow(from.shape, [stridesOf(from.shape), keptStrides], ([i, o], length, [stepX, stepOut]) => combine(x, i!, stepX!, totals, o!, stepOut!, length))
  const out = allocateNumbers(outputs[0]!.dtype, outputSize(outputs[0]!))
  out.set(totals)
  return [buffers.own(store(out, outputs[0]!))]
}

/** i32 is exact up to 2^24 − 1 only, so that is where its range ends. */
const emptyValue = (op: ReduceOp, dtype: DType): number => {
  if (op === 'sum') return 0
  if (dtype === 'u8') return op === 'max' ? 0 : 255
  const end = dtype === 'i32' ? 2 ** 24 - 1 : Infinity
  return op === 'max' ? -end : end
}

type CombineRow = (x: ArrayLike<number>, i: number, stepX: number, totals: Float64Array, o: number, stepOut: number, length: number) => void

const addRow: CombineRow = (x, i, stepX, totals, o, stepOut, length) => {
  if (stepOut === 0) {
    let total = totals[o]!
    for (let k = 0; k < length; k++) total += x[i + k * stepX]!
    totals[o] = total
  } else for (let k = 0; k < length; k++) totals[o + k * stepOut]! += x[i + k * stepX]!
}

const maxRow: CombineRow = (x, i, stepX, totals, o, stepOut, length) => {
  for (let k = 0; k < length; k++) totals[o + k * stepOut] = larger(totals[o + k * stepOut]!, x[i + k * stepX]!)
}

const minRow: CombineRow = (x, i, stepX, totals, o, stepOut, length) => {
  for (let k = 0; k < length; k++) totals[o + k * stepOut] = smaller(totals[o + k * stepOut]!, x[i + k * stepX]!)
}
