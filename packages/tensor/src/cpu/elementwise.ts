// fill, iota, unary, binary, where, cast. Every operation has a loop of its own, so that the engine can keep it tight.
import type { BinaryOp, Kernel, KernelCall, Operand, UnaryOp } from '../backend.ts'
import { type DType, type HostArray } from '../dtype.ts'
import { stridesOf } from '../shape.ts'
import { allocateNumbers, numbersOf, outputSize, store, type Buffers, type CpuBuffer } from './buffers.ts'
import { erf } from './erf.ts'
import { broadcastStrides, forEachRow } from './rows.ts'

type Call = KernelCall<CpuBuffer>

const operand = (call: Call, slot: number): Operand<CpuBuffer> => call.inputs[slot] as Operand<CpuBuffer>

export const fill = (buffers: Buffers): Kernel<CpuBuffer> => ({ attrs, outputs }) => {
  const out = allocateNumbers(outputs[0]!.dtype, outputSize(outputs[0]!))
  if (attrs['value'] !== 0) out.fill(attrs['value'] as number)
  return [buffers.own(store(out, outputs[0]!))]
}

export const iota = (buffers: Buffers): Kernel<CpuBuffer> => ({ outputs }) => {
  const out = allocateNumbers(outputs[0]!.dtype, outputSize(outputs[0]!))
  for (let i = 0; i < out.length; i++) out[i] = i
  return [buffers.own(store(out, outputs[0]!))]
}

export const unary = (buffers: Buffers): Kernel<CpuBuffer> => (call) => {
  const x = numbersOf(operand(call, 0))
  const out = allocateNumbers(call.outputs[0]!.dtype, x.length)
  unaryLoop(call.attrs['op'] as UnaryOp, x, out)
  return [buffers.own(store(out, call.outputs[0]!))]
}

const unaryLoop = (op: UnaryOp, x: HostArray, out: HostArray): void => {
  const n = x.length
  switch (op) {
    case 'neg':
      for (let i = 0; i < n; i++) out[i] = -x[i]!
      return
    case 'exp':
      for (let i = 0; i < n; i++) out[i] = Math.exp(x[i]!)
      return
    case 'log':
      for (let i = 0; i < n; i++) out[i] = Math.log(x[i]!)
      return
    case 'sqrt':
      for (let i = 0; i < n; i++) out[i] = Math.sqrt(x[i]!)
      return
    case 'rsqrt':
      for (let i = 0; i < n; i++) out[i] = 1 / Math.sqrt(x[i]!)
      return
    case 'sin':
      for (let i = 0; i < n; i++) out[i] = Math.sin(x[i]!)
      return
    case 'cos':
      for (let i = 0; i < n; i++) out[i] = Math.cos(x[i]!)
      return
    case 'tanh':
      for (let i = 0; i < n; i++) out[i] = Math.tanh(x[i]!)
      return
    case 'erf':
      for (let i = 0; i < n; i++) out[i] = erf(x[i]!)
      return
    case 'abs':
      for (let i = 0; i < n; i++) out[i] = Math.abs(x[i]!)
      return
    case 'floor':
      for (let i = 0; i < n; i++) out[i] = Math.floor(x[i]!)
      return
  }
}

export const binary = (buffers: Buffers): Kernel<CpuBuffer> => (call) => {
  const [left, right] = [operand(call, 0), operand(call, 1)]
  const { shape, dtype } = call.outputs[0]!
  const [a, b] = [numbersOf(left), numbersOf(right)]
  const out = allocateNumbers(dtype, outputSize(call.outputs[0]!))
  const op = call.attrs['op'] as BinaryOp
  const strides = [broadcastStrides(left.shape, shape), broadcastStrides(right.shape, shape), stridesOf(shape)]
  forEachRow(shape, strides, ([i, j, o], length, [stepA, stepB]) => binaryRow(op, a, i!, stepA!, b, j!, stepB!, out, o!, length))
  return [buffers.own(store(out, call.outputs[0]!))]
}

/** out[o …] = a[i, i + stepA …] op b[j, j + stepB …]. */
const binaryRow = (op: BinaryOp, a: HostArray, i: number, stepA: number, b: HostArray, j: number, stepB: number, out: HostArray, o: number, length: number): void => {
  const end = o + length
  switch (op) {
    case 'add':
      for (; o < end; o++, i += stepA, j += stepB) out[o] = a[i]! + b[j]!
      return
    case 'sub':
      for (; o < end; o++, i += stepA, j += stepB) out[o] = a[i]! - b[j]!
      return
    case 'mul':
      for (; o < end; o++, i += stepA, j += stepB) out[o] = a[i]! * b[j]!
      return
    case 'div':
      for (; o < end; o++, i += stepA, j += stepB) out[o] = a[i]! / b[j]!
      return
    case 'max':
      for (; o < end; o++, i += stepA, j += stepB) out[o] = larger(a[i]!, b[j]!)
      return
    case 'min':
      for (; o < end; o++, i += stepA, j += stepB) out[o] = smaller(a[i]!, b[j]!)
      return
    case 'pow':
      for (; o < end; o++, i += stepA, j += stepB) out[o] = a[i]! ** b[j]!
      return
    case 'lt':
      for (; o < end; o++, i += stepA, j += stepB) out[o] = a[i]! < b[j]! ? 1 : 0
      return
    case 'eq':
      for (; o < end; o++, i += stepA, j += stepB) out[o] = a[i]! === b[j]! ? 1 : 0
      return
  }
}

/** NaN wins on either side. */
export const larger = (a: number, b: number): number => (a > b || Number.isNaN(a) ? a : b)
/** NaN wins on either side. */
export const smaller = (a: number, b: number): number => (a < b || Number.isNaN(a) ? a : b)

export const where = (buffers: Buffers): Kernel<CpuBuffer> => (call) => {
  const parts = [operand(call, 0), operand(call, 1), operand(call, 2)]
  const { shape, dtype } = call.outputs[0]!
  const [condition, a, b] = parts.map(numbersOf) as [HostArray, HostArray, HostArray]
  const out = allocateNumbers(dtype, outputSize(call.outputs[0]!))
  const strides = [...parts.map((part) => broadcastStrides(part.shape, shape)), stridesOf(shape)]
  forEachRow(shape, strides, ([c, i, j, o], length, [stepC, stepA, stepB]) => {
    for (let k = 0; k < length; k++) out[o! + k] = condition[c! + k * stepC!] !== 0 ? a[i! + k * stepA!]! : b[j! + k * stepB!]!
  })
  return [buffers.own(store(out, call.outputs[0]!))]
}

export const cast = (buffers: Buffers): Kernel<CpuBuffer> => (call) => {
  const from = operand(call, 0)
  const x = numbersOf(from)
  const out = allocateNumbers(call.attrs['to'] as DType, x.length)
  out.set(x) // typed arrays truncate towards 0 when they turn a float into an integer
  return [buffers.own(store(out, call.outputs[0]!))]
}
