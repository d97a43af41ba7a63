// What changes state: adamWStep, addInto, kvAppend, in place where a buffer was given away and nobody else holds it; and globalNorm.
import type { Slot } from '@weft/tensor'
import { sizeOf, type Device, type Value } from '../device.ts'
import { input, list, type Body, type Call } from '../kernel.ts'
import { copied } from './elementwise.ts'

const isDonated = (slot: Slot<boolean>, index?: number): boolean => (index === undefined ? slot === true : (slot as readonly boolean[] | undefined)?.[index] === true)

/** The value itself where it may be written, else a copy. */
const writable = (device: Device, x: Value, donated: boolean): Value => (donated ? device.markWritten(x) : copied(device, x))

const writableList = (device: Device, call: Call, slot: number): Value[] => list(call, slot).map((x, i) => writable(device, x, isDonated(call.donated[slot], i)))

interface AdamSettings {
  readonly scale: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  /** learningRate / (1 − beta1^t) */
  readonly rate: number
  /** 1 / √(1 − beta2^t) */
  readonly correction: number
  /** 1 − learningRate · weightDecay */
  readonly keep: number
}

interface AdamArrays {
  readonly value: Float32Array
  readonly gradient: Float32Array
  readonly first: Float32Array
  readonly second: Float32Array
}

const adamLoop = ({ value, gradient, first, second }: AdamArrays, { scale, beta1, beta2, epsilon, rate, correction, keep }: AdamSettings): void => {
  for (let i = 0; i < value.length; i++) {
    const g = gradient[i]! * scale
    const m = first[i]! + (g - first[i]!) * (1 - beta1)
    const v = second[i]! + (g * g - second[i]!) * (1 - beta2)
    first[i] = m
    second[i] = v
    value[i] = value[i]! * keep - (rate * m) / (Math.sqrt(v) * correction + epsilon)
  }
}

/** values, masters (f32 needs none), gradients, firstMoments, secondMoments, step, gradientScale. */
const adamWStep: Body = (device, call) => {
  const masters = writableList(device, call, 1)
  const [values, firsts, seconds] = [writableList(device, call, 0), writableList(device, call, 3), writableList(device, call, 4)]
  const gradients = list(call, 2)
  const step = writable(device, input(call, 5), isDonated(call.donated[5]))
  const outputs = [...values, ...masters, ...firsts, ...seconds, step]
  const scale = device.floats(input(call, 6))[0]!
  if (!(Math.abs(scale) < 3e38)) return outputs
  const number = device.floats(step)[0]! + 1
  device.floats(step)[0] = number
  const settings = adamSettings(call, scale, number)
  values.forEach((value, i) => {
    const target = masters[i] ?? value
    adamLoop({ value: device.floats(target), gradient: device.floats(gradients[i]!), first: device.floats(firsts[i]!), second: device.floats(seconds[i]!) }, settings)
    if (target !== value) device.view(value).set(device.view(target))
  })
  return outputs
}

const adamSettings = ({ attrs }: Call, scale: number, step: number): AdamSettings => {
  const number = (name: string): number => attrs[name] as number
  const [learningRate, beta1, beta2] = [number('learningRate'), number('beta1'), number('beta2')]
  return {
    scale,
    beta1,
    beta2,
    epsilon: number('epsilon'),
    rate: learningRate / (1 - beta1 ** step),
    correction: 1 / Math.sqrt(1 - beta2 ** step),
    keep: 1 - learningRate * number('weightDecay'),
  }
}

const globalNorm: Body = (device, call) => {
  const out = device.allocate([], 'f32')
  const total = list(call, 0).reduce((sum, x) => sum + sumOfSquares(device.floats(x)), 0)
  device.floats(out)[0] = Math.sqrt(total)
  return out
}

const sumOfSquares = (x: Float32Array): number => {
  let [a, b, c, d] = [0, 0, 0, 0]
  let i = 0
  for (; i + 4 <= x.length; i += 4) {
    a += x[i]! * x[i]!
    b += x[i + 1]! * x[i + 1]!
    c += x[i + 2]! * x[i + 2]!
    d += x[i + 3]! * x[i + 3]!
  }
  for (; i < x.length; i++) a += x[i]! * x[i]!
  return a + b + (c + d)
}

const addInto: Body = (device, call) => {
  const out = writable(device, input(call, 0), isDonated(call.donated[0]))
  const [sum, x] = [device.floats(out), device.floats(input(call, 1))]
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + x[i]!
  return out
}

/** cache [B, M, K, Dh], rows [B, T, K, Dh] from at[b] on. */
const kvAppend: Body = (device, call) => {
  const rows = input(call, 1)
  const cache = writable(device, input(call, 0), isDonated(call.donated[0]))
  const at = call.attrs['at'] as readonly number[]
  const [to, from] = [device.view(cache), device.view(rows)]
  const width = sizeOf(rows.shape.slice(2))
  const [inRows, inCache] = [rows.shape[1]! * width, cache.shape[1]! * width]
  at.forEach((start, b) => to.set(from.subarray(b * inRows, (b + 1) * inRows), b * inCache + start * width))
  return cache
}

export const stateKernels: Readonly<Record<string, Body>> = { adamWStep, globalNorm, addInto, kvAppend }
