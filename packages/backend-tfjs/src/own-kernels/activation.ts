// gelu, silu, sigmoid, swiGlu, geGlu and their slopes: each in one pass over f32, or on wasm in a chain of XNNPACK's kernels.
import type { Attrs } from '@weft/tensor'
import type { Device, Value } from '../device.ts'
import { input, numbers, type Body } from '../kernel.ts'
import { cubic, gateSlopeTimes, gateTimes, twoRoots, type GateKind } from './activation-chains.ts'
import { combined } from './elementwise.ts'
import { fastErf, fastExp } from './fast-math.ts'

type Loop = (x: Float32Array, out: Float32Array) => void
type SlopeLoop = (x: Float32Array, gradient: Float32Array, out: Float32Array) => void

// gelu by tanh: ½ (1 + tanh(u)) = 1 / (1 + exp(−2u)) with u = √(2/π) (x + 0.044715 x³).

const geluTanh: Loop = (x, out) => {
  for (let i = 0; i < out.length; i++) {
    const v = x[i]!
    out[i] = v / (1 + fastExp(-twoRoots * v * (1 + cubic * v * v)))
  }
}

/** gate + x · gate · (1 − gate) · 2u′, where the product is 0 once the gate has reached 0 or 1. */
const geluTanhSlope: SlopeLoop = (x, gradient, out) => {
  for (let i = 0; i < out.length; i++) {
    const v = x[i]!
    const gate = 1 / (1 + fastExp(-twoRoots * v * (1 + cubic * v * v)))
    const bell = gate * (1 - gate)
    out[i] = gradient[i]! * (bell === 0 ? gate : gate + v * bell * twoRoots * (1 + 3 * cubic * v * v))
  }
}

const geluErf: Loop = (x, out) => {
  for (let i = 0; i < out.length; i++) out[i] = 0.5 * x[i]! * (1 + fastErf(x[i]! * Math.SQRT1_2))
}

const density = 1 / Math.sqrt(2 * Math.PI)

const geluErfSlope: SlopeLoop = (x, gradient, out) => {
  for (let i = 0; i < out.length; i++) {
    const v = x[i]!
    const bell = fastExp(-0.5 * v * v)
    const gate = 0.5 * (1 + fastErf(v * Math.SQRT1_2))
    out[i] = gradient[i]! * (bell === 0 ? gate : gate + v * density * bell)
  }
}

const silu: Loop = (x, out) => {
  for (let i = 0; i < out.length; i++) out[i] = x[i]! / (1 + fastExp(-x[i]!))
}

const siluSlope: SlopeLoop = (x, gradient, out) => {
  for (let i = 0; i < out.length; i++) {
    const v = x[i]!
    const gate = 1 / (1 + fastExp(-v))
    const rest = 1 - gate
    out[i] = gradient[i]! * (gate === 0 ? 0 : gate * (1 + (rest === 0 ? 0 : v * rest)))
  }
}

const sigmoidLoop: Loop = (x, out) => {
  for (let i = 0; i < out.length; i++) out[i] = 1 / (1 + fastExp(-x[i]!))
}

/** A function of the output. */
const sigmoidSlope: SlopeLoop = (y, gradient, out) => {
  for (let i = 0; i < out.length; i++) out[i] = gradient[i]! * y[i]! * (1 - y[i]!)
}

const reluSlope: SlopeLoop = (y, gradient, out) => {
  for (let i = 0; i < out.length; i++) out[i] = y[i]! > 0 ? gradient[i]! : 0
}

/** An activation as loops, and as the gate of a chain on wasm where it has one. */
interface Activation {
  readonly value: Loop
  readonly slope: SlopeLoop
  readonly gate: GateKind | undefined
}

const byTanh: Activation = { value: geluTanh, slope: geluTanhSlope, gate: 'gelu' }
const byErf: Activation = { value: geluErf, slope: geluErfSlope, gate: undefined }
const bySigmoid: Activation = { value: silu, slope: siluSlope, gate: 'silu' }

type Choose = (attrs: Attrs) => Activation
const gelu: Choose = (attrs) => (attrs['approximate'] === 'none' ? byErf : byTanh)
const swish: Choose = () => bySigmoid

const mapped = (device: Device, loop: Loop, x: Value): Value => {
  const out = device.allocate(x.shape, 'f32')
  loop(device.floats(x), device.floats(out))
  return out
}

const paired = (device: Device, loop: SlopeLoop, a: Value, b: Value): Value => {
  const out = device.allocate(a.shape, 'f32')
  loop(device.floats(a), device.floats(b), device.floats(out))
  return out
}

const activated = (device: Device, activation: Activation, x: Value): Value =>
  device.heap !== undefined && activation.gate !== undefined ? gateTimes(device, activation.gate, x) : mapped(device, activation.value, x)

const pulledBack = (device: Device, activation: Activation, x: Value, gradient: Value): Value =>
  device.heap !== undefined && activation.gate !== undefined ? gateSlopeTimes(device, activation.gate, x, gradient) : paired(device, activation.slope, x, gradient)

const times = (device: Device, a: Value, b: Value): Value => combined(device, 'mul', a, b, a)

const forward = (choose: Choose): Body => (device, call) => activated(device, choose(call.attrs), input(call, 0))

const backward = (choose: Choose): Body => (device, call) => pulledBack(device, choose(call.attrs), input(call, 0), input(call, 1))

/** activation(gate) · up */
const gated = (choose: Choose): Body => (device, call) => times(device, activated(device, choose(call.attrs), input(call, 0)), input(call, 1))

const gatedBackward = (choose: Choose): Body => (device, call) => {
  const [gate, up, gradient] = [input(call, 0), input(call, 1), input(call, 2)]
  const activation = choose(call.attrs)
  const makers = [
    () => pulledBack(device, activation, gate, times(device, up, gradient)),
    () => times(device, activated(device, activation, gate), gradient),
  ]
  return makers.filter((_, i) => numbers(call, 'needs')[i] === 1).map((make) => make())
}

const loop = (body: Loop): Body => (device, call) => mapped(device, body, input(call, 0))
const slopeLoop = (body: SlopeLoop): Body => (device, call) => paired(device, body, input(call, 0), input(call, 1))

export const activationKernels: Readonly<Record<string, Body>> = {
  gelu: forward(gelu),
  geluBackward: backward(gelu),
  silu: forward(swish),
  siluBackward: backward(swish),
  sigmoid: loop(sigmoidLoop),
  sigmoidBackward: slopeLoop(sigmoidSlope),
  reluBackward: slopeLoop(reluSlope),
  swiGlu: gated(swish),
  swiGluBackward: gatedBackward(swish),
  geGlu: gated(gelu),
  geGluBackward: gatedBackward(gelu),
}
