// sum, max, min by kernels of tfjs alone.
import type { ReduceOp } from '@weft/tensor'
import { labelled, reshaped, sizeOf, type Device, type Value } from '../device.ts'
import { input, numbers, output, type Body } from '../kernel.ts'
import { castTo, copied, filled, selected } from './elementwise.ts'
import { broadcastByTile, transposed } from './movement.ts'

/** Some kernels add up in one f32 register: 10^6 values of 1.1 come out 1 % off. Sums of sums of this many stay exact to some 1e-6. */
const stageSize = 512

export const reduce: Body = (device, call) => {
  const x = input(call, 0)
  const op = call.attrs['op'] as ReduceOp
  const axes = numbers(call, 'axes')
  const { shape, dtype } = output(call)
  if (x.data.size === 0) return filled(device, shape, emptyValue(op, dtype), dtype)
  if (axes.every((axis) => x.shape[axis] === 1)) return copied(device, x)
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
  const moved = transposed(device, x, [...kept, ...axes])
  const rows = reshaped(moved, [sizeOf(shape), x.data.size / sizeOf(shape)])
  return op === 'sum' ? sumOfRows(device, rows) : extremeOfRows(device, rows, op)
}

/** i32 is exact up to 2^24 − 1 only, so that is where its range ends. */
export const emptyValue = (op: ReduceOp, dtype: string): number => {
  if (op === 'sum') return 0
  if (dtype === 'u8') return op === 'max' ? 0 : 255
  const end = dtype === 'i32' ? 2 ** 24 - 1 : Infinity
  return op === 'max' ? -end : end
}

/** [N, K] → [N] */
const sumOfRows = (device: Device, x: Value): Value => {
  const [rows, size] = x.shape as [number, number]
  if (size <= stageSize || x.dtype !== 'f32') return labelled(device.run('Sum', { x }, { axis: [1], keepDims: false }), x.dtype)
  const parts = Math.ceil(size / stageSize)
  const short = parts * stageSize - size
  const whole = short === 0 ? x : device.run('PadV2', { x }, { paddings: [[0, 0], [0, short]], constantValue: 0 })
  return sumOfRows(device, device.run('Sum', { x: reshaped(whole, [rows, parts, stageSize]) }, { axis: [2], keepDims: false }))
}

/** [N, K] → [N]; a NaN in a row makes its result NaN, which the kernels of tfjs do not promise. */
const extremeOfRows = (device: Device, x: Value, op: 'max' | 'min'): Value => {
  const out = labelled(device.run(op === 'max' ? 'Max' : 'Min', { x }, op === 'max' ? { reductionIndices: [1], keepDims: false } : { axis: [1], keepDims: false }), x.dtype)
  if (x.dtype !== 'f32') return out
  const isNaN = castTo(device, labelled(device.run('Cast', { x: device.run('NotEqual', { a: x, b: x }) }, { dtype: 'int32' }), 'i32'), 'f32')
  const count = sumOfRows(device, isNaN)
  const any = device.run('Greater', { a: count, b: filled(device, [], 0, 'f32') })
  return selected(device, any, broadcastByTile(device, filled(device, [], NaN, 'f32'), out.shape), out)
}
