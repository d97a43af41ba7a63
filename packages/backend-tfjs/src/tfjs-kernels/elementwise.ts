// fill, iota, unary, binary, where, cast by kernels of tfjs alone. Here u8 is stored as int32: `bool` of tfjs turns everything that is
// not 0 into 1 on most of its backends.
import type { BinaryOp, DType, UnaryOp } from '@weft/tensor'
import { mergeBroadcast } from '../axes.ts'
import { labelled, reshaped, type Device, type Value } from '../device.ts'
import { input, output, type Body } from '../kernel.ts'
import { broadcastByTile } from './movement.ts'

export const filled = (device: Device, shape: readonly number[], value: number, dtype: DType): Value =>
  labelled(device.run('Fill', {}, { shape: [...shape], value, dtype: dtype === 'f32' ? 'float32' : 'int32' }), dtype)

export const fill: Body = (device, call) => filled(device, output(call).shape, call.attrs['value'] as number, output(call).dtype)

export const iota: Body = (device, call) => {
  const { shape, dtype } = output(call)
  const integers = { start: 0, stop: shape[0]!, step: 1, dtype: dtype === 'f32' ? 'float32' : 'int32' }
  return device.run('Range', {}, integers)
}

const unaryKernels: Readonly<Record<UnaryOp, string>> = {
  neg: 'Neg',
  exp: 'Exp',
  log: 'Log',
  sqrt: 'Sqrt',
  rsqrt: 'Rsqrt',
  sin: 'Sin',
  cos: 'Cos',
  tanh: 'Tanh',
  erf: 'Erf',
  abs: 'Abs',
  floor: 'Floor',
}

/** The kernel of tfjs for f32. */
export const unaryFloat = (device: Device, op: UnaryOp, x: Value): Value => device.run(unaryKernels[op], { x })

export const unary: Body = (device, call) => {
  const op = call.attrs['op'] as UnaryOp
  const x = input(call, 0)
  if (x.dtype === 'f32') return unaryFloat(device, op, x)
  if (op === 'floor') return copied(device, x)
  // Neg and Abs of int32 are missing or go through f32 here and there; integers below 2^24 pass through f32 unchanged.
  return castTo(device, unaryFloat(device, op, castTo(device, x, 'f32')), x.dtype)
}

export const copied = (device: Device, x: Value): Value => labelled(device.run('Identity', { x }), x.dtype)

/** Truncates towards 0. */
export const castTo = (device: Device, x: Value, to: DType): Value => {
  if (x.dtype === to) return x
  if (x.dtype === 'i32' && to === 'u8') return labelled(x, 'u8')
  if (x.dtype === 'u8' && to === 'i32') return labelled(x, 'i32')
  return labelled(device.run('Cast', { x }, { dtype: to === 'f32' ? 'float32' : 'int32' }), to)
}

export const cast: Body = (device, call) => {
  const x = input(call, 0)
  const out = castTo(device, x, call.attrs['to'] as DType)
  return out.data === x.data ? copied(device, out) : out
}

const binaryKernels: Readonly<Record<BinaryOp, string>> = {
  add: 'Add',
  sub: 'Sub',
  mul: 'Multiply',
  div: 'RealDiv',
  max: 'Maximum',
  min: 'Minimum',
  pow: 'Pow',
  lt: 'Less',
  eq: 'Equal',
}

/** The kernel of tfjs, on as few axes as the broadcast allows. lt and eq give `bool` of tfjs. */
export const runBinary = (device: Device, op: BinaryOp, a: Value, b: Value, shape: readonly number[]): Value => {
  const merged = mergeBroadcast([a.shape, b.shape], shape)
  const [shapeA, shapeB] = merged.shapes as [number[], number[]]
  return reshaped(device.run(binaryKernels[op], { a: reshaped(a, shapeA), b: reshaped(b, shapeB) }), shape)
}

export const binary: Body = (device, call) => {
  const op = call.attrs['op'] as BinaryOp
  const [a, b] = [input(call, 0), input(call, 1)]
  const { shape } = output(call)
  if (op === 'lt' || op === 'eq') return asIntegers(device, runBinary(device, op, a, b, shape))
  if (a.dtype !== 'f32') return castTo(device, runBinary(device, op, castTo(device, a, 'f32'), castTo(device, b, 'f32'), shape), a.dtype)
  const out = runBinary(device, op, a, b, shape)
  if (op !== 'max' && op !== 'min') return out
  return withNaN(device, withNaN(device, out, a), b)
}

const asIntegers = (device: Device, condition: Value): Value => labelled(device.run('Cast', { x: condition }, { dtype: 'int32' }), 'u8')

/** `x`, with NaN wherever `source`, which broadcasts to it, has NaN: kernels of tfjs lose it in maxima. */
const withNaN = (device: Device, x: Value, source: Value): Value => {
  const wide = broadcastByTile(device, source, x.shape)
  return selected(device, device.run('NotEqual', { a: wide, b: wide }), wide, x)
}

/** condition (`bool` of tfjs) ? a : b, all of one shape. */
export const selected = (device: Device, condition: Value, a: Value, b: Value): Value => {
  const flat = [a.data.size]
  const out = device.run('Select', { condition: reshaped(condition, flat), t: reshaped(a, flat), e: reshaped(b, flat) })
  return labelled(reshaped(out, a.shape), a.dtype)
}

export const where: Body = (device, call) => {
  const { shape } = output(call)
  const [condition, a, b] = [0, 1, 2].map((slot) => broadcastByTile(device, input(call, slot), shape)) as [Value, Value, Value]
  return selected(device, asCondition(device, condition), a, b)
}

/** u8 as `bool` of tfjs. */
const asCondition = (device: Device, x: Value): Value => device.run('NotEqual', { a: x, b: filled(device, [], 0, 'i32') })

