// Softmax and its logarithm over one axis, and the mean.
import type { Meta, Slot } from '../backend.ts'
import { execOne } from '../exec.ts'
import { defineOp, type OpDefinition } from '../op-definition.ts'
import { broadcastTo, cast, div, exp, log, max, mul, reshape, sub, sum } from '../primitives.ts'
import { normalizeAxis, sizeOf } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { attributes, metaOf, numberOf, numbersOf, requireFloat } from './checks.ts'
import { inSteps, scaled, widened } from './scratch.ts'

const sameAs = (op: string) => ([x]: readonly Slot<Meta>[]): Meta[] => {
  requireFloat(op, 'x', metaOf(x))
  return [{ shape: metaOf(x).shape, dtype: metaOf(x).dtype }]
}

const over = (axis: number) => ({ axes: [axis], keepDims: true })

/** x − max(x): what keeps exponentials below 1. */
const belowMaximum = (x: Tensor, axis: number): Tensor => sub(x, max(x, over(axis)))

/** Attribute `axis`. */
export const softmaxBackwardOp = defineOp({
  name: 'softmaxBackward',
  inputs: ['output', 'gradient'],
  infer: sameAs('softmaxBackward'),
  decompose: ({ inputs: [output, gradient], attrs }) => {
    const [y, g] = [widened(output as Tensor), widened(gradient as Tensor)]
    const weighted = mul(g, y)
    return [cast(sub(weighted, mul(y, sum(weighted, over(numberOf(attrs, 'axis'))))), (output as Tensor).dtype)]
  },
})

/** Attribute `axis`, not negative. */
export const softmaxOp = defineOp({
  name: 'softmax',
  inputs: ['x'],
  infer: sameAs('softmax'),
  decompose: ({ inputs: [x], attrs }) => {
    const axis = numberOf(attrs, 'axis')
    const powers = inSteps(belowMaximum(widened(x as Tensor), axis), exp)
    return [cast(div(powers, sum(powers, over(axis))), (x as Tensor).dtype)]
  },
  saves: { outputs: ['output'] },
  vjp: ({ saved: { output }, gradients: [g], attrs }) => [execOne(softmaxBackwardOp, [output, g!], attrs)],
})

/** Attribute `axis`. */
export const logSoftmaxBackwardOp = defineOp({
  name: 'logSoftmaxBackward',
  inputs: ['output', 'gradient'],
  infer: sameAs('logSoftmaxBackward'),
  decompose: ({ inputs: [output, gradient], attrs }) => {
    const g = widened(gradient as Tensor)
    const probabilities = exp(widened(output as Tensor))
    return [cast(sub(g, inSteps(probabilities, (p) => mul(p, sum(g, over(numberOf(attrs, 'axis')))))), (output as Tensor).dtype)]
  },
})

/** Attribute `axis`, not negative. */
export const logSoftmaxOp = defineOp({
  name: 'logSoftmax',
  inputs: ['x'],
  infer: sameAs('logSoftmax'),
  decompose: ({ inputs: [x], attrs }) => {
    const axis = numberOf(attrs, 'axis')
    const low = belowMaximum(widened(x as Tensor), axis)
    const logSum = log(inSteps(exp(low), (powers) => sum(powers, over(axis))))
    return [cast(sub(low, logSum), (x as Tensor).dtype)]
  },
  saves: { outputs: ['output'] },
  vjp: ({ saved: { output }, gradients: [g], attrs }) => [execOne(logSoftmaxBackwardOp, [output, g!], attrs)],
})

/** Attributes `axes`, not negative, and `keepDims`. */
export const meanOp = defineOp({
  name: 'mean',
  inputs: ['x'],
  infer: ([x], attrs) => {
    requireFloat('mean', 'x', metaOf(x))
    const axes = numbersOf(attrs, 'axes')
    const { shape, dtype } = metaOf(x)
    const kept = attrs['keepDims'] === true ? shape.map((size, i) => (axes.includes(i) ? 1 : size)) : shape.filter((_, i) => !axes.includes(i))
    return [{ shape: kept, dtype }]
  },
  decompose: ({ inputs: [x], attrs }) => {
    const input = x as Tensor
    const axes = numbersOf(attrs, 'axes')
    const total = sum(widened(input), { axes, keepDims: attrs['keepDims'] === true })
    return [cast(scaled(total, 1 / sizeOf(axes.map((axis) => input.shape[axis]!))), input.dtype)]
  },
  saves: {},
  vjp: ({ gradients: [g], attrs, inputMetas: [x] }) => {
    const axes = numbersOf(attrs, 'axes')
    const { shape } = metaOf(x)
    const kept = shape.map((size, i) => (axes.includes(i) ? 1 : size))
    return [broadcastTo(scaled(reshape(g!, kept), 1 / sizeOf(axes.map((axis) => shape[axis]!))), shape)]
  },
})

const overAxis = (op: OpDefinition) => (x: Tensor, options: { readonly axis?: number } = {}): Tensor =>
  execOne(op, [x], { axis: normalizeAxis(op.name, options.axis ?? -1, x.shape.length) })

/** exp(x) / Σ exp(x) over `axis` (default −1), computed below the maximum; the sum is in f32 or wider. */
export const softmax = overAxis(softmaxOp)

/** x − ln Σ exp(x) over `axis` (default −1). */
export const logSoftmax = overAxis(logSoftmaxOp)

/** Σ x / count over axes (default: all). The mean of nothing is NaN. */
export const mean = (x: Tensor, options: { readonly axes?: readonly number[]; readonly keepDims?: boolean } = {}): Tensor => {
  const axes = options.axes?.map((axis) => normalizeAxis('mean', axis, x.shape.length)) ?? x.shape.map((_, axis) => axis)
  return execOne(meanOp, [x], attributes({ axes, keepDims: options.keepDims ?? false }))
}
