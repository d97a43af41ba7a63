// permute, broadcastTo, slice, pad, concat: bits move, values do not change. All are one strided copy.
import type { Kernel, Operand } from '../backend.ts'
import { toStored, type HostArray } from '../dtype.ts'
import { sizeOf, stridesOf, type Shape } from '../shape.ts'
import { allocate, outputSize, storedOf, type Buffers, type CpuBuffer } from './buffers.ts'
import { broadcastStrides, forEachRow } from './rows.ts'

interface Place {
  readonly values: HostArray
  readonly offset: number
  readonly strides: readonly number[]
}

const copy = (shape: Shape, from: Place, to: Place): void => {
  forEachRow(shape, [from.strides, to.strides], ([i, o], length, [stepFrom, stepTo]) => {
    const [source, target] = [from.offset + i!, to.offset + o!]
    if (stepFrom === 1 && stepTo === 1 && length > 16) to.values.set(from.values.subarray(source, source + length), target)
    else for (let k = 0; k < length; k++) to.values[target + k * stepTo!] = from.values[source + k * stepFrom!]!
  })
}

const offsetOf = (starts: readonly number[], strides: readonly number[]): number => starts.reduce((sum, start, axis) => sum + start * strides[axis]!, 0)

/** permute, broadcastTo and slice differ in how the output's axes walk through the input. */
const gathered = (buffers: Buffers, view: (x: Operand<CpuBuffer>, call: Parameters<Kernel<CpuBuffer>>[0]) => { offset: number; strides: readonly number[] }): Kernel<CpuBuffer> => (call) => {
  const x = call.inputs[0] as Operand<CpuBuffer>
  const [meta] = call.outputs as [(typeof call.outputs)[0]]
  const values = allocate(meta.dtype, outputSize(meta))
  copy(meta.shape, { values: storedOf(x), ...view(x, call) }, { values, offset: 0, strides: stridesOf(meta.shape) })
  return [buffers.own(values)]
}

export const permute = (buffers: Buffers): Kernel<CpuBuffer> =>
  gathered(buffers, (x, { attrs }) => {
    const strides = stridesOf(x.shape)
    return { offset: 0, strides: (attrs['axes'] as readonly number[]).map((axis) => strides[axis]!) }
  })

export const broadcastTo = (buffers: Buffers): Kernel<CpuBuffer> => gathered(buffers, (x, { outputs }) => ({ offset: 0, strides: broadcastStrides(x.shape, outputs[0]!.shape) }))

export const slice = (buffers: Buffers): Kernel<CpuBuffer> =>
  gathered(buffers, (x, { attrs }) => {
    const strides = stridesOf(x.shape)
    return { offset: offsetOf(attrs['starts'] as readonly number[], strides), strides }
  })

export const pad = (buffers: Buffers): Kernel<CpuBuffer> => ({ inputs, attrs, outputs }) => {
  const x = inputs[0] as Operand<CpuBuffer>
  const [meta] = outputs as [(typeof outputs)[0]]
  const values = allocate(meta.dtype, outputSize(meta))
  values.fill(toStored([attrs['value'] as number], meta.dtype)[0]!)
  const strides = stridesOf(meta.shape)
  copy(x.shape, { values: storedOf(x), offset: 0, strides: stridesOf(x.shape) }, { values, offset: offsetOf(attrs['before'] as readonly number[], strides), strides })
  return [buffers.own(values)]
}

export const concat = (buffers: Buffers): Kernel<CpuBuffer> => ({ inputs, attrs, outputs }) => {
  const [meta] = outputs as [(typeof outputs)[0]]
  const axis = attrs['axis'] as number
  const values = allocate(meta.dtype, sizeOf(meta.shape))
  const strides = stridesOf(meta.shape)
  let start = 0
  for (const part of inputs[0] as readonly Operand<CpuBuffer>[]) {
    copy(part.shape, { values: storedOf(part), offset: 0, strides: stridesOf(part.shape) }, { values, offset: start * strides[axis]!, strides })
    start += part.shape[axis]!
  }
  return [buffers.own(values)]
}
