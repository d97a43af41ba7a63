// x · gate(x) and its slope on wasm, where gate is a sigmoid: that of silu, or of gelu by tanh, since ½ (1 + tanh u) = sigmoid(2u). Each
// kernel of XNNPACK takes 0.1 to 0.9 ns an element; one pass of a loop in TypeScript would take 4 to 6.
import type { Device, Value } from '../device.ts'
import { filled } from './elementwise.ts'

export type GateKind = 'gelu' | 'silu'

/** 2u = twoRoots · (x + cubic · x³), and its slope is twoRoots · (1 + 3 cubic · x²). */
export const twoRoots = 2 * Math.sqrt(2 / Math.PI)
export const cubic = 0.044715

type Step = (x: Value) => Value

/** Runs the steps one after the other and frees what each has consumed. */
const chain = (device: Device, x: Value, ...steps: readonly Step[]): Value =>
  steps.reduce((current, step) => {
    const next = step(current)
    if (current !== x) device.drop(current)
    return next
  }, x)

const stepsOf = (device: Device) => ({
  plus: (value: number): Step => (x) => device.run('Add', { a: x, b: filled(device, [], value, 'f32') }),
  scaled: (value: number): Step => (x) => device.run('Multiply', { a: x, b: filled(device, [], value, 'f32') }),
  times: (other: Value): Step => (x) => device.run('Multiply', { a: x, b: other }),
  squared: (x: Value) => device.run('Square', { x }),
  sigmoid: (x: Value) => device.run('Sigmoid', { x }),
  fromOne: (x: Value) => device.run('Sub', { a: filled(device, [], 1, 'f32'), b: x }),
})

const gateOf = (device: Device, kind: GateKind, x: Value): Value => {
  const { plus, scaled, times, squared, sigmoid } = stepsOf(device)
  return kind === 'silu' ? sigmoid(x) : chain(device, x, squared, scaled(twoRoots * cubic), plus(twoRoots), times(x), sigmoid)
}

export const gateTimes = (device: Device, kind: GateKind, x: Value): Value => {
  const gate = gateOf(device, kind, x)
  const out = stepsOf(device).times(x)(gate)
  device.drop(gate)
  return out
}

/** gate · (1 + (1 − gate) · x · slope of the gate's argument) · gradient */
export const gateSlopeTimes = (device: Device, kind: GateKind, x: Value, gradient: Value): Value => {
  const { plus, scaled, times, squared, fromOne } = stepsOf(device)
  const gate = gateOf(device, kind, x)
  const inner = kind === 'silu' ? x : chain(device, x, squared, scaled(3 * twoRoots * cubic), plus(twoRoots), times(x))
  const out = chain(device, gate, fromOne, times(inner), plus(1), times(gate), times(gradient))
  device.drop(gate)
  if (inner !== x) device.drop(inner)
  return out
}
