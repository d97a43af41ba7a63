// permute, broadcastTo, slice, pad, concat: one strided copy over visible memory, and a blocked one for transposes of matrices.
import { broadcastStrides, mergePermutation, stridesOf } from '../axes.ts'
import { reshaped, type Device, type Value } from '../device.ts'
import { input, list, numbers, output, type Body } from '../kernel.ts'
import type { View } from '../memory-access.ts'
import { copied, filled } from './elementwise.ts'
import { forEachRow } from './rows.ts'

interface Place {
  readonly values: View
  readonly offset: number
  readonly strides: readonly number[]
}

/** Below this a loop beats `set`, which costs some 30 ns. */
const shortRow = 48

const copy = (shape: readonly number[], from: Place, to: Place): void => {
  const [x, z] = [from.values, to.values]
  forEachRow(shape, [from.strides, to.strides], ([i, o], length, [stepFrom, stepTo]) => {
    const source = from.offset + i!
    const target = to.offset + o!
    if (stepFrom === 1 && stepTo === 1) {
      if (length > shortRow) z.set(x.subarray(source, source + length), target)
      else for (let k = 0; k < length; k++) z[target + k] = x[source + k]!
    } else for (let k = 0; k < length; k++) z[target + k * stepTo!] = x[source + k * stepFrom!]!
  })
}

const offsetOf = (starts: readonly number[], strides: readonly number[]): number => starts.reduce((sum, start, axis) => sum + start * strides[axis]!, 0)

/** The output's axes walk through the input. */
const gathered = (device: Device, x: Value, shape: readonly number[], offset: number, strides: readonly number[]): Value => {
  const out = device.allocate(shape, x.dtype)
  copy(shape, { values: device.view(x), offset, strides }, { values: device.view(out), offset: 0, strides: stridesOf(shape) })
  return out
}

/** Axis i of the result is axis axes[i] of x; x itself, in the new shape, where nothing moves. */
export const transposed = (device: Device, x: Value, axes: readonly number[]): Value => {
  const shape = axes.map((axis) => x.shape[axis]!)
  const merged = mergePermutation(x.shape, axes)
  const rank = merged.axes.length
  if (rank === 0) return reshaped(x, shape)
  const keepsRows = merged.axes[rank - 1] === rank - 1
  // tfjs copies whole rows in C++; moving the last axis is where it falls behind.
  if (device.heap !== undefined && x.dtype === 'f32' && keepsRows) return reshaped(device.run('Transpose', { x: reshaped(x, merged.shape) }, { perm: merged.axes }), shape)
  const swapsLastTwo = merged.axes.every((axis, i) => axis === (i < rank - 2 ? i : 2 * rank - 3 - i))
  if (swapsLastTwo) return reshaped(matricesTransposed(device, reshaped(x, merged.shape)), shape)
  const strides = stridesOf(x.shape)
  return gathered(device, x, shape, 0, axes.map((axis) => strides[axis]!))
}

/** [..., R, C] → [..., C, R] */
export const matricesTransposed = (device: Device, x: Value): Value => {
  const [rows, columns] = x.shape.slice(-2) as [number, number]
  const out = device.allocate([...x.shape.slice(0, -2), columns, rows], x.dtype)
  const [from, to] = [device.view(x), device.view(out)]
  const size = rows * columns
  for (let at = 0; at < from.length; at += size) transposeMatrix(from, to, at, rows, columns)
  return out
}

/** Eight columns at a time: each cache line that is read serves all of them. */
const transposeMatrix = (from: View, to: View, at: number, rows: number, columns: number): void => {
  const whole = columns - (columns % 8)
  for (let j = 0; j < whole; j += 8) {
    for (let i = 0; i < rows; i++) {
      const source = at + i * columns + j
      let target = at + j * rows + i
      for (let k = 0; k < 8; k++, target += rows) to[target] = from[source + k]!
    }
  }
  for (let j = whole; j < columns; j++) for (let i = 0; i < rows; i++) to[at + j * rows + i] = from[at + i * columns + j]!
}

const owned = (device: Device, out: Value, from: Value): Value => (out.data === from.data ? copied(device, out) : out)

export const permute: Body = (device, call) => owned(device, transposed(device, input(call, 0), numbers(call, 'axes')), input(call, 0))

export const broadcastTo: Body = (device, call) => {
  const { shape } = output(call)
  return gathered(device, input(call, 0), shape, 0, broadcastStrides(input(call, 0).shape, shape))
}

export const slice: Body = (device, call) => {
  const x = input(call, 0)
  const strides = stridesOf(x.shape)
  return gathered(device, x, numbers(call, 'sizes'), offsetOf(numbers(call, 'starts'), strides), strides)
}

/** The first `length` of axis 1. */
export const keptRows = (device: Device, x: Value, length: number): Value =>
  x.shape[1] === length ? x : gathered(device, x, [x.shape[0]!, length, ...x.shape.slice(2)], 0, stridesOf(x.shape))

/** Zeros after axis 1 up to `length`. */
export const paddedRows = (device: Device, x: Value, length: number): Value => {
  if (x.shape[1] === length) return x
  const shape = [x.shape[0]!, length, ...x.shape.slice(2)]
  const out = filled(device, shape, 0, x.dtype)
  copy(x.shape, { values: device.view(x), offset: 0, strides: stridesOf(x.shape) }, { values: device.view(out), offset: 0, strides: stridesOf(shape) })
  return out
}

export const pad: Body = (device, call) => {
  const x = input(call, 0)
  const { shape, dtype } = output(call)
  const out = filled(device, shape, call.attrs['value'] as number, dtype)
  const strides = stridesOf(shape)
  copy(x.shape, { values: device.view(x), offset: 0, strides: stridesOf(x.shape) }, { values: device.view(out), offset: offsetOf(numbers(call, 'before'), strides), strides })
  return out
}

export const concat: Body = (device, call) => {
  const { shape, dtype } = output(call)
  const axis = call.attrs['axis'] as number
  const out = device.allocate(shape, dtype)
  const strides = stridesOf(shape)
  const values = device.view(out)
  let start = 0
  for (const part of list(call, 0)) {
    copy(part.shape, { values: device.view(part), offset: 0, strides: stridesOf(part.shape) }, { values, offset: start * strides[axis]!, strides })
    start += part.shape[axis]!
  }
  return out
}
