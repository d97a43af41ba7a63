// softmax and logSoftmax over the last axis, and their slopes. On wasm softmax is XNNPACK's: 1 ns an element, a loop here takes 5.
import { reshaped, type Device, type Value } from '../device.ts'
import { input, type Body } from '../kernel.ts'
import { fastExp } from './fast-math.ts'

/** Over rows of the last axis. */
export const softmaxOfRows = (device: Device, x: Value): Value => {
  const size = x.shape[x.shape.length - 1]!
  if (device.heap !== undefined) return reshaped(device.run('Softmax', { logits: reshaped(x, [x.data.size / size, size]) }, { dim: 1 }), x.shape)
  const out = device.allocate(x.shape, 'f32')
  const [from, to] = [device.floats(x), device.floats(out)]
  for (let at = 0; at < from.length; at += size) softmaxRow(from, to, at, size)
  return out
}

const softmaxRow = (x: Float32Array, out: Float32Array, at: number, size: number): void => {
  const highest = maximumOf(x, at, size)
  let total = 0
  for (let i = at; i < at + size; i++) {
    const power = fastExp(x[i]! - highest)
    out[i] = power
    total += power
  }
  const factor = 1 / total
  for (let i = at; i < at + size; i++) out[i] = out[i]! * factor
}

/** Four chains of comparisons; a NaN may or may not be seen, which the exponentials show anyway. */
export const maximumOf = (x: Float32Array, at: number, size: number): number => {
  let a = -Infinity
  let b = -Infinity
  let c = -Infinity
  let d = -Infinity
  const end = at + size
  let i = at
  for (; i + 4 <= end; i += 4) {
    if (x[i]! > a) a = x[i]!
    if (x[i + 1]! > b) b = x[i + 1]!
    if (x[i + 2]! > c) c = x[i + 2]!
    if (x[i + 3]! > d) d = x[i + 3]!
  }
  for (; i < end; i++) if (x[i]! > a) a = x[i]!
  return Math.max(a, b, c, d)
}

/** (g − Σ g·y) · y */
const softmaxBackward: Body = (device, call) => {
  const [output, gradient] = [input(call, 0), input(call, 1)]
  const out = device.allocate(output.shape, 'f32')
  const [y, g, to] = [device.floats(output), device.floats(gradient), device.floats(out)]
  const size = output.shape[output.shape.length - 1]!
  for (let at = 0; at < y.length; at += size) {
    let along = 0
    for (let i = at; i < at + size; i++) along += y[i]! * g[i]!
    for (let i = at; i < at + size; i++) to[i] = (g[i]! - along) * y[i]!
  }
  return out
}

const logSoftmax: Body = (device, call) => {
  const x = input(call, 0)
  const out = device.allocate(x.shape, 'f32')
  const [from, to] = [device.floats(x), device.floats(out)]
  const size = x.shape[x.shape.length - 1]!
  for (let at = 0; at < from.length; at += size) {
    const highest = maximumOf(from, at, size)
    let total = 0
    for (let i = at; i < at + size; i++) total += fastExp(from[i]! - highest)
    const logTotal = Math.log(total)
    for (let i = at; i < at + size; i++) to[i] = from[i]! - highest - logTotal
  }
  return out
}

/** g − exp(y) · Σ g */
const logSoftmaxBackward: Body = (device, call) => {
  const [output, gradient] = [input(call, 0), input(call, 1)]
  const out = device.allocate(output.shape, 'f32')
  const [y, g, to] = [device.floats(output), device.floats(gradient), device.floats(out)]
  const size = output.shape[output.shape.length - 1]!
  for (let at = 0; at < y.length; at += size) {
    let total = 0
    for (let i = at; i < at + size; i++) total += g[i]!
    for (let i = at; i < at + size; i++) to[i] = g[i]! - fastExp(y[i]!) * total
  }
  return out
}

/** Taken where `axis` is the last one. */
export const softmaxKernels: Readonly<Record<string, Body>> = {
  softmax: (device, call) => softmaxOfRows(device, input(call, 0)),
  softmaxBackward,
  logSoftmax,
  logSoftmaxBackward,
}
