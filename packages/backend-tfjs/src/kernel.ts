// How a kernel of this package is written: a function from values to values. Calls that give nothing but empty tensors never reach it.
import type { Attrs, Kernel, KernelCall, Meta } from '@weft/tensor'
import type { Device, TfBuffer, Value } from './device.ts'

export interface Call {
  readonly inputs: KernelCall<TfBuffer>['inputs']
  readonly donated: KernelCall<TfBuffer>['donated']
  readonly attrs: Attrs
  readonly outputs: readonly Meta[]
}

export type Body = (device: Device, call: Call) => Value | readonly Value[]

/** The kernel in the form of the contract. */
export const kernelOf = (device: Device, name: string, body: Body): Kernel<TfBuffer> => (call) =>
  device.call(name, () => {
    if (call.outputs.length > 0 && call.outputs.every(({ shape }) => shape.includes(0))) return call.outputs.map(({ shape, dtype }) => device.upload(new Uint8Array(0), shape, dtype))
    device.checkRoom(name, call.outputs)
    const made = body(device, call)
    return Array.isArray(made) ? (made as readonly Value[]) : [made as Value]
  })

export const input = (call: Call, slot: number): Value => call.inputs[slot] as Value
export const optional = (call: Call, slot: number): Value | undefined => call.inputs[slot] as Value | undefined
export const list = (call: Call, slot: number): readonly Value[] => call.inputs[slot] as readonly Value[]
export const numbers = (call: Call, name: string): readonly number[] => call.attrs[name] as readonly number[]
export const output = (call: Call, index = 0): Meta => call.outputs[index]!
