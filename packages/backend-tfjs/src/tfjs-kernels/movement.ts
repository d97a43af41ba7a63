// permute, broadcastTo, slice, pad, concat by kernels of tfjs alone.
import type { Shape } from '@weft/tensor'
import { mergeBroadcast, mergePermutation } from '../axes.ts'
import { labelled, reshaped, type Device, type Value } from '../device.ts'
import { input, list, numbers, output, type Body } from '../kernel.ts'
import { copied, filled } from './elementwise.ts'

export const transposed = (device: Device, x: Value, axes: readonly number[]): Value => {
  const shape = axes.map((axis) => x.shape[axis]!)
  const merged = mergePermutation(x.shape, axes)
  if (merged.axes.length === 0) return reshaped(x, shape)
  return labelled(reshaped(device.run('Transpose', { x: reshaped(x, merged.shape) }, { perm: merged.axes }), shape), x.dtype)
}

/** A result needs a buffer of its own. */
const owned = (device: Device, out: Value, from: Value): Value => (out.data === from.data ? copied(device, out) : out)

export const permute: Body = (device, call) => owned(device, transposed(device, input(call, 0), numbers(call, 'axes')), input(call, 0))

/** Tile is what every tfjs backend has. */
export const broadcastByTile = (device: Device, x: Value, shape: Shape): Value => {
  const merged = mergeBroadcast([x.shape], shape)
  const from = merged.shapes[0]!
  const reps = merged.out.map((size, axis) => (from[axis] === size ? 1 : size))
  if (reps.every((count) => count === 1)) return reshaped(x, shape)
  return labelled(reshaped(device.run('Tile', { x: reshaped(x, from) }, { reps }), shape), x.dtype)
}

export const broadcastTo: Body = (device, call) => owned(device, broadcastByTile(device, input(call, 0), output(call).shape), input(call, 0))

export const sliced = (device: Device, x: Value, starts: readonly number[], sizes: readonly number[]): Value =>
  labelled(device.run('Slice', { x }, { begin: [...starts], size: [...sizes] }), x.dtype)

export const slice: Body = (device, call) => sliced(device, input(call, 0), numbers(call, 'starts'), numbers(call, 'sizes'))

export const pad: Body = (device, call) => {
  const x = input(call, 0)
  const value = call.attrs['value'] as number
  const [before, after] = [numbers(call, 'before'), numbers(call, 'after')]
  if (x.data.size === 0) return filled(device, output(call).shape, value, x.dtype)
  return device.run('PadV2', { x }, { paddings: x.shape.map((_, axis) => [before[axis], after[axis]]), constantValue: value })
}

export const concat: Body = (device, call) => {
  const parts = list(call, 0).filter(({ data }) => data.size > 0)
  return parts.length === 1 ? copied(device, parts[0]!) : device.run('Concat', parts, { axis: call.attrs['axis'] })
}
