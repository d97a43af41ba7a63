// Elementwise non-linearities and the gated pairs of feed-forward layers. Sigmoid and GELU are computed in f32 or wider.
import type { Attrs, Meta, Slot } from '../backend.ts'
import { ConfigError } from '@weft/contracts'
import { execOne, requireSameDType } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { add, cast, div, erf, exp, lessThan, maximum, mul, neg, scalarLike, sub, tanh, where } from '../primitives.ts'
import type { Tensor } from '../tensor.ts'
import { callBackward, makeNeeded, neededMetas } from './backward.ts'
import { metaOf, requireFloat, requireShape } from './checks.ts'
import { inSteps, scaled, shifted, widened } from './scratch.ts'

export type GeluApproximation = 'none' | 'tanh'

const likeFirst = (op: string) => ([x]: readonly Slot<Meta>[]): Meta[] => {
  requireFloat(op, 'x', metaOf(x))
  return [{ shape: metaOf(x).shape, dtype: metaOf(x).dtype }]
}

const sigmoidOf = (x: Tensor): Tensor => inSteps(neg(x), exp, (e) => shifted(e, 1), (sum) => div(scalarLike(sum, 1), sum))

/** x · sigmoid(x) = x / (1 + exp(−x)). */
const siluOf = (x: Tensor): Tensor => inSteps(neg(x), exp, (e) => shifted(e, 1), (sum) => div(x, sum))

/** s · (1 + x · (1 − s)) with s = sigmoid(x). */
const siluSlope = (x: Tensor): Tensor => {
  const s = sigmoidOf(x)
  return inSteps(sub(scalarLike(s, 1), s), (rest) => mul(rest, x), (product) => shifted(product, 1), (sum) => mul(sum, s))
}

// √(2/π) and the cubic term of the approximation by tanh (Hendrycks, Gimpel 2016).
const root = Math.sqrt(2 / Math.PI)
const cubic = 0.044715

/** Φ(x) for the exact form, ½ (1 + tanh(√(2/π) (x + 0.044715 x³))) for the approximation. */
const gateOf = (x: Tensor, approximate: GeluApproximation): Tensor =>
  approximate === 'none'
    ? inSteps(scaled(x, Math.SQRT1_2), erf, (e) => shifted(e, 1), (sum) => scaled(sum, 0.5))
    : inSteps(mul(x, x), (square) => scaled(square, root * cubic), (term) => shifted(term, root), (factor) => mul(factor, x), tanh, (t) => shifted(t, 1), (sum) => scaled(sum, 0.5))

const geluOf = (x: Tensor, approximate: GeluApproximation): Tensor => inSteps(gateOf(x, approximate), (gate) => mul(gate, x))

/** gate + x · d gate/dx. */
const geluSlope = (x: Tensor, approximate: GeluApproximation): Tensor => {
  const gate = gateOf(x, approximate)
  const square = mul(x, x)
  if (approximate === 'none') {
    const density = inSteps(scaled(square, -0.5), exp, (e) => scaled(e, 1 / Math.sqrt(2 * Math.PI)))
    return inSteps(mul(density, x), (term) => add(gate, term))
  }
  // d gate/dx = ½ (1 − tanh²) √(2/π) (1 + 3 · 0.044715 x²), and 1 − tanh² = 4 · gate · (1 − gate).
  const inner = inSteps(scaled(square, 6 * root * cubic), (term) => shifted(term, 2 * root), (factor) => mul(factor, x))
  const bell = inSteps(sub(scalarLike(gate, 1), gate), (rest) => mul(rest, gate))
  return inSteps(mul(inner, bell), (term) => add(gate, term))
}

const approximationOf = (attrs: Attrs): GeluApproximation => attrs['approximate'] as GeluApproximation

/** An elementwise function and its slope as two operations; `saved` says what the slope is a function of. */
const elementwise = (name: string, saved: 'x' | 'output', value: (x: Tensor, attrs: Attrs) => Tensor, pullBack: (saved: Tensor, gradient: Tensor, attrs: Attrs) => Tensor) => {
  const backward = defineOp({
    name: `${name}Backward`,
    inputs: [saved, 'gradient'],
    infer: likeFirst(`${name}Backward`),
    decompose: ({ inputs: [x, gradient], attrs }) => [cast(pullBack(widened(x as Tensor), widened(gradient as Tensor), attrs), (x as Tensor).dtype)],
  })
  const shared = {
    name,
    inputs: ['x'] as const,
    infer: likeFirst(name),
    decompose: ({ inputs: [x], attrs }: { inputs: readonly Slot<Tensor>[]; attrs: Attrs }) => [cast(value(widened(x as Tensor), attrs), (x as Tensor).dtype)],
  }
  const forward =
    saved === 'x'
      ? defineOp({ ...shared, saves: { inputs: ['x'] }, vjp: ({ saved: { x }, gradients: [g], attrs }) => [execOne(backward, [x, g!], attrs)] })
      : defineOp({ ...shared, saves: { outputs: ['output'] }, vjp: ({ saved: { output }, gradients: [g], attrs }) => [execOne(backward, [output, g!], attrs)] })
  return { forward, backward }
}

export const { forward: geluOp, backward: geluBackwardOp } = elementwise(
  'gelu',
  'x',
  (x, attrs) => geluOf(x, approximationOf(attrs)),
  (x, g, attrs) => inSteps(geluSlope(x, approximationOf(attrs)), (slope) => mul(slope, g)),
)

export const { forward: siluOp, backward: siluBackwardOp } = elementwise('silu', 'x', siluOf, (x, g) => inSteps(siluSlope(x), (slope) => mul(slope, g)))

export const { forward: sigmoidOp, backward: sigmoidBackwardOp } = elementwise('sigmoid', 'output', sigmoidOf, (y, g) =>
  inSteps(sub(scalarLike(y, 1), y), (rest) => mul(rest, y), (slope) => mul(slope, g)),
)

export const { forward: reluOp, backward: reluBackwardOp } = elementwise(
  'relu',
  'output',
  (x) => maximum(x, scalarLike(x, 0)),
  (y, g) => where(lessThan(scalarLike(y, 0), y), g, scalarLike(g, 0)),
)

const checkGated = (op: string, gate: Meta, up: Meta): Meta[] => {
  requireFloat(op, 'gate', gate)
  requireSameDType(op, [gate, up])
  requireShape(op, 'up', up, gate.shape)
  return [{ shape: gate.shape, dtype: gate.dtype }]
}

/** activation(gate) · up and its two gradients as two operations. */
const gated = (name: string, activation: (gate: Tensor, attrs: Attrs) => Tensor, slope: (gate: Tensor, attrs: Attrs) => Tensor) => {
  const backward = defineOp({
    name: `${name}Backward`,
    inputs: ['gate', 'up', 'gradient'],
    infer: ([gate, up], attrs) => neededMetas(attrs, [metaOf(gate), metaOf(up)]),
    decompose: ({ inputs, attrs }) => {
      const [gate, up, gradient] = (inputs as readonly Tensor[]).map(widened) as [Tensor, Tensor, Tensor]
      const { dtype } = inputs[0] as Tensor
      return makeNeeded(attrs, [
        () => cast(inSteps(slope(gate, attrs), (s) => mul(s, up), (x) => mul(x, gradient)), dtype),
        () => cast(inSteps(activation(gate, attrs), (a) => mul(a, gradient)), dtype),
      ])
    },
  })
  const forward = defineOp({
    name,
    inputs: ['gate', 'up'],
    infer: ([gate, up]) => checkGated(name, metaOf(gate), metaOf(up)),
    decompose: ({ inputs, attrs }) => {
      const [gate, up] = inputs as readonly [Tensor, Tensor]
      return [cast(inSteps(activation(widened(gate), attrs), (a) => mul(a, widened(up))), gate.dtype)]
    },
    saves: { inputs: ['gate', 'up'] },
    vjp: ({ saved: { gate, up }, gradients: [g], attrs, needs }) => callBackward(backward, [gate, up, g], attrs, needs),
  })
  return { forward, backward }
}

export const { forward: swiGluOp, backward: swiGluBackwardOp } = gated('swiGlu', siluOf, siluSlope)

export const { forward: geGluOp, backward: geGluBackwardOp } = gated(
  'geGlu',
  (gate, attrs) => geluOf(gate, approximationOf(attrs)),
  (gate, attrs) => geluSlope(gate, approximationOf(attrs)),
)

const geluAttrs = (op: string, { approximate }: { readonly approximate: GeluApproximation }): Attrs => {
  if (approximate !== 'none' && approximate !== 'tanh') throw new ConfigError(`${op}: expected approximate "none" or "tanh", got ${JSON.stringify(approximate)}`)
  return { approximate }
}

/** x · Φ(x), exactly (`none`, by erf) or by `tanh` as GPT-2 does. */
export const gelu = (x: Tensor, options: { readonly approximate: GeluApproximation }): Tensor => execOne(geluOp, [x], geluAttrs('gelu', options))

/** x · sigmoid(x), also called swish. */
export const silu = (x: Tensor): Tensor => execOne(siluOp, [x])

/** 1 / (1 + exp(−x)). */
export const sigmoid = (x: Tensor): Tensor => execOne(sigmoidOp, [x])

/** max(x, 0); its slope at 0 is 0. */
export const relu = (x: Tensor): Tensor => execOne(reluOp, [x])

/** silu(gate) · up, elementwise: the gated unit of Llama (Shazeer 2020). */
export const swiGlu = (gate: Tensor, up: Tensor): Tensor => execOne(swiGluOp, [gate, up])

/** gelu(gate) · up, elementwise: the gated unit of Gemma and T5 1.1. */
export const geGlu = (gate: Tensor, up: Tensor, options: { readonly approximate: GeluApproximation }): Tensor => execOne(geGluOp, [gate, up], geluAttrs('geGlu', options))
