// sum, max, min over axes as loops over visible memory; sums are kept in f64, so that a million addends lose nothing.
import type { ReduceOp } from '@weft/tensor'
import { sizeOf } from '../device.ts'
import { input, numbers, output, type Body } from '../kernel.ts'
import type { View } from '../memory-access.ts'
import { emptyValue } from '../tfjs-kernels/reduce.ts'
import { stridesOf } from '../axes.ts'
import { forEachRow } from './rows.ts'

export const reduce: Body = (device, call) => {
  const x = input(call, 0)
  const op = call.attrs['op'] as ReduceOp
  const axes = numbers(call, 'axes')
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
  const totals = new Float64Array(sizeOf(kept)).fill(emptyValue(op, x.dtype))
  const out = device.allocate(output(call).shape, output(call).dtype)
  const values = device.view(x)
  const steps = stridesOf(kept).map((stride, axis) => (axes.includes(axis) ? 0 : stride))
  const combine = loops[x.dtype as keyof typeof loops][op]
  forEachRow(x.shape, [stridesOf(x.shape), steps], ([i, o], length, [stepX, stepOut]) => combine(values, i!, stepX!, totals, o!, stepOut!, length))
  device.view(out).set(totals)
  return out
}

type CombineRow = (x: View, i: number, step: number, totals: Float64Array, o: number, stepOut: number, length: number) => void

/** NaN wins: it is neither larger nor smaller, and nothing replaces it. */
const larger = (best: number, value: number): number => (value <= best || best !== best ? best : value)
const smaller = (best: number, value: number): number => (value >= best || best !== best ? best : value)

/** Loops of their own for each element type: an engine makes a loop that has seen two kinds of array slower for both. */
const makeLoops = (): Readonly<Record<ReduceOp, CombineRow>> => {
  /** Four sums at a time, whose additions overlap; what is added to what depends on the length alone. */
  const sumOfRow = (x: View, i: number, length: number): number => {
    let s0 = 0
    let s1 = 0
    let s2 = 0
    let s3 = 0
    const end = i + length
    for (; i + 4 <= end; i += 4) {
      s0 += x[i]!
      s1 += x[i + 1]!
      s2 += x[i + 2]!
      s3 += x[i + 3]!
    }
    for (; i < end; i++) s0 += x[i]!
    return s0 + s1 + (s2 + s3)
  }
  const addRow = (x: View, i: number, totals: Float64Array, o: number, length: number): void => {
    for (let k = 0; k < length; k++) totals[o + k]! += x[i + k]!
  }
  const sum: CombineRow = (x, i, step, totals, o, stepOut, length) => {
    if (stepOut === 0 && step === 1) totals[o]! += sumOfRow(x, i, length)
    else if (stepOut === 1 && step === 1) addRow(x, i, totals, o, length)
    else for (let k = 0; k < length; k++) totals[o + k * stepOut]! += x[i + k * step]!
  }
  const extreme =
    (choose: (best: number, value: number) => number): CombineRow =>
    (x, i, step, totals, o, stepOut, length) => {
      if (stepOut === 0) {
        let best = totals[o]!
        for (let k = 0; k < length; k++) best = choose(best, x[i + k * step]!)
        totals[o] = best
      } else for (let k = 0; k < length; k++) totals[o + k * stepOut] = choose(totals[o + k * stepOut]!, x[i + k * step]!)
    }
  return { sum, max: extreme(larger), min: extreme(smaller) }
}

const loops = { f32: makeLoops(), i32: makeLoops(), u8: makeLoops() } as const
