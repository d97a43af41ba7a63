// activation(x · Wᵀ + bias) + residual: one matrix product on all rows at once. N rows.
import { ConfigError } from '@weft/contracts'
import type { Attrs, Meta, Slot } from '../backend.ts'
import { DTypeError } from '../errors.ts'
import { execOne } from '../exec.ts'
import { defineOp, type OpSpec } from '../op-definition.ts'
import { add, cast, lessThan, matMul, reshape, scalarLike, sum, where } from '../primitives.ts'
import type { Tensor } from '../tensor.ts'
import { geluBackwardOp, geluOp, reluOp, siluBackwardOp, siluOp } from './activation.ts'
import { callBackward, makeNeeded, neededMetas } from './backward.ts'
import { accumulationDType, lastSize, leadingSize, metaOf, requireFloat, requireRank, requireShape } from './checks.ts'
import { quantizedMatMul } from './quantized-mat-mul.ts'
import { inSteps } from './scratch.ts'
import { isQuantized, type Weight } from './weight.ts'

export type LinearActivation = 'none' | 'gelu' | 'geluTanh' | 'silu' | 'relu'

/** `outIn`: weight [out, in], as PyTorch's Linear; `inOut`: [in, out], as GPT-2's Conv1D. */
export type LinearLayout = 'outIn' | 'inOut'

const activate = (x: Tensor, activation: LinearActivation): Tensor => {
  switch (activation) {
    case 'none':
      return x
    case 'gelu':
      return execOne(geluOp, [x], { approximate: 'none' })
    case 'geluTanh':
      return execOne(geluOp, [x], { approximate: 'tanh' })
    case 'silu':
      return execOne(siluOp, [x])
    case 'relu':
      return execOne(reluOp, [x])
  }
}

/** The gradient before the activation, from what came in there and the gradient after it. */
const beforeActivation = (preactivation: Tensor, gradient: Tensor, activation: LinearActivation): Tensor => {
  switch (activation) {
    case 'none':
      return gradient
    case 'gelu':
      return execOne(geluBackwardOp, [preactivation, gradient], { approximate: 'none' })
    case 'geluTanh':
      return execOne(geluBackwardOp, [preactivation, gradient], { approximate: 'tanh' })
    case 'silu':
      return execOne(siluBackwardOp, [preactivation, gradient])
    case 'relu':
      return where(lessThan(scalarLike(preactivation, 0), preactivation), gradient, scalarLike(gradient, 0))
  }
}

const activationOf = (attrs: Attrs): LinearActivation => attrs['activation'] as LinearActivation
const isOutIn = (attrs: Attrs): boolean => attrs['layout'] !== 'inOut'

/** `needs`: x, weight, bias (of weight's dtype). `preactivation` is there iff the activation is not `none`. */
export const linearBackwardOp = defineOp({
  name: 'linearBackward',
  inputs: ['x', 'weight', 'preactivation?', 'gradient'],
  infer: ([x, weight, , gradient], attrs) => neededMetas(attrs, [metaOf(x), metaOf(weight), { shape: [metaOf(gradient).shape.at(-1)!], dtype: metaOf(weight).dtype }]),
  decompose: ({ inputs, attrs }) => {
    const [x, weight, preactivation, gradient] = inputs as readonly [Tensor, Tensor, Tensor | undefined, Tensor]
    const wide = accumulationDType(x.dtype)
    const before = preactivation === undefined ? gradient : beforeActivation(preactivation, gradient, activationOf(attrs))
    const g = cast(reshape(before, [leadingSize(gradient.shape), gradient.shape.at(-1)!]), wide)
    const rows = (): Tensor => cast(reshape(x, [leadingSize(x.shape), x.shape.at(-1)!]), wide)
    return makeNeeded(attrs, [
      () => cast(reshape(matMul(g, cast(weight, wide), { transposeB: !isOutIn(attrs) }), x.shape), x.dtype),
      () => cast(isOutIn(attrs) ? matMul(g, rows(), { transposeA: true }) : matMul(rows(), g, { transposeA: true }), weight.dtype),
      () => cast(sum(g, { axes: [0] }), weight.dtype),
    ])
  },
})

const inferLinear = ([xSlot, weightSlot, bias, residual]: readonly Slot<Meta>[], attrs: Attrs, recordsPreactivation: boolean): Meta[] => {
  const [x, weight] = [metaOf(xSlot), metaOf(weightSlot)]
  requireFloat('linear', 'x', x)
  requireFloat('linear', 'weight', weight)
  requireRank('linear', 'weight', weight, 2, isOutIn(attrs) ? '[out, in]' : '[in, out]')
  const [out, input] = isOutIn(attrs) ? [weight.shape[0]!, weight.shape[1]!] : [weight.shape[1]!, weight.shape[0]!]
  if (lastSize('linear', 'x', x) !== input) requireShape('linear', 'x', x, [...x.shape.slice(0, -1), input], '[..., in]')
  const output = { shape: [...x.shape.slice(0, -1), out], dtype: x.dtype }
  if (bias !== undefined) {
    requireShape('linear', 'bias', metaOf(bias), [out], '[out]')
    if (metaOf(bias).dtype !== weight.dtype) throw new DTypeError(`linear: expected weight and bias of one dtype, got ${weight.dtype} and ${metaOf(bias).dtype}`)
  }
  if (residual !== undefined) {
    requireShape('linear', 'residual', metaOf(residual), output.shape, '[..., out]')
    if (metaOf(residual).dtype !== x.dtype) throw new DTypeError(`linear: expected x and residual of one dtype, got ${x.dtype} and ${metaOf(residual).dtype}`)
  }
  return recordsPreactivation ? [output, output] : [output]
}

const decomposeLinear: NonNullable<OpSpec<readonly string[], never, never>['decompose']> = ({ inputs, attrs, outputs }) => {
  const [x, weight, bias, residual] = inputs as readonly [Tensor, Tensor, Tensor | undefined, Tensor | undefined]
  const wide = accumulationDType(x.dtype)
  const product = matMul(cast(reshape(x, [leadingSize(x.shape), x.shape.at(-1)!]), wide), cast(weight, wide), { transposeB: isOutIn(attrs) })
  const before = bias === undefined ? product : inSteps(product, (y) => add(y, cast(bias, wide)))
  const preactivation = reshape(cast(before, x.dtype), outputs[0]!.shape)
  const activated = activationOf(attrs) === 'none' ? before : activate(before, activationOf(attrs))
  const summed = residual === undefined ? activated : add(activated, cast(reshape(residual, activated.shape), wide))
  const output = reshape(cast(summed, x.dtype), outputs[0]!.shape)
  return outputs.length === 2 ? [output, preactivation] : [output]
}

/** Attributes `activation` (here `none`), `layout` (`outIn` or `inOut`). */
export const linearOp = defineOp({
  name: 'linear',
  inputs: ['x', 'weight', 'bias?', 'residual?'],
  infer: (inputs, attrs) => inferLinear(inputs, attrs, false),
  decompose: decomposeLinear,
  saves: { inputs: ['x', 'weight'] },
  vjp: ({ saved: { x, weight }, gradients: [g], attrs, needs: [...needs] }) => [...callBackward(linearBackwardOp, [x, weight, undefined, g], attrs, needs.slice(0, 3)), g],
})

/** The same operation where an activation follows: only then what came before it is recorded. */
export const activatedLinearOp = defineOp({
  name: 'linear',
  inputs: ['x', 'weight', 'bias?', 'residual?'],
  recordOutputs: ['preactivation'],
  infer: inferLinear,
  decompose: decomposeLinear,
  saves: { inputs: ['x', 'weight'], outputs: ['preactivation'] },
  vjp: ({ saved: { x, weight, preactivation }, gradients: [g], attrs, needs: [...needs] }) => [...callBackward(linearBackwardOp, [x, weight, preactivation, g], attrs, needs.slice(0, 3)), g],
})

export interface LinearOptions {
  /** [out] */
  readonly bias?: Tensor | undefined
  /** [..., out], added after the activation. */
  readonly residual?: Tensor | undefined
  /** Default `none`. */
  readonly activation?: LinearActivation | undefined
  /** Default `outIn`. A quantized weight is always [out, in]. */
  readonly layout?: LinearLayout | undefined
  /** How a quantized weight meets x, see `quantizedMatMul`; default `float`. */
  readonly activations?: 'float' | 'int8' | undefined
}

const activations: ReadonlySet<string> = new Set<LinearActivation>(['none', 'gelu', 'geluTanh', 'silu', 'relu'])

/**
 * activation(x · Wᵀ + bias) + residual. The output has x's dtype, sums are in f32 or wider; the weight may have another dtype.
 *
 * @param x [..., in]
 * @param weight [out, in], or [in, out] with layout `inOut`; or quantized
 * @throws ShapeError, DTypeError where they do not fit; ConfigError for an unknown activation or layout.
 */
export const linear = (x: Tensor, weight: Weight, options: LinearOptions = {}): Tensor => {
  const { bias, residual, activation = 'none', layout = 'outIn' } = options
  if (!activations.has(activation)) throw new ConfigError(`linear: expected an activation of ${[...activations].join(', ')}, got ${JSON.stringify(activation)}`)
  if (layout !== 'outIn' && layout !== 'inOut') throw new ConfigError(`linear: expected layout "outIn" or "inOut", got ${JSON.stringify(layout)}`)
  if (!isQuantized(weight)) return execOne(activation === 'none' ? linearOp : activatedLinearOp, [x, weight, bias, residual], { activation, layout })
  if (layout !== 'outIn') throw new ConfigError('linear: a quantized weight has layout "outIn"')
  const product = quantizedMatMul(x, weight, { activations: options.activations })
  const activated = activate(bias === undefined ? product : add(product, cast(bias, x.dtype)), activation)
  return residual === undefined ? activated : add(activated, residual)
}
