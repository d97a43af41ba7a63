// A residual addition and the norm that follows it, in one pass: { sum, normed } with sum = x + residual.
// The gradients of x and residual are one and the same tensor.
import type { Meta } from '../backend.ts'
import { exec, requireSameDType } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { add, mul, sub } from '../primitives.ts'
import type { Tensor } from '../tensor.ts'
import { callBackward, makeNeeded, neededMetas } from './backward.ts'
import { attributes, metaOf, numberOf, requireShape } from './checks.ts'
import { affine, checkNorm, column, featureRow, layerNormGradients, likeInput, normAttrs, overRootMeanSquare, requireSameParameterDType, rmsNormGradients, rowsOf, standardized, statisticMeta, statistics } from './norm.ts'
import { inSteps } from './scratch.ts'

const checkAddNorm = (op: string, x: Meta, residual: Meta, weight: Meta, bias: Meta | undefined): void => {
  checkNorm(op, x, weight, bias)
  requireSameDType(op, [x, residual])
  requireShape(op, 'residual', residual, x.shape)
}

/** The gradient of the sum is what came for it directly plus what came through the norm. */
const withDirect = (throughNorm: Tensor, direct: Tensor | undefined, like: Tensor): Tensor =>
  likeInput(direct === undefined ? throughNorm : inSteps(throughNorm, (g) => add(g, rowsOf(direct))), like)

/** `needs`: the sum (x and residual alike), weight, bias. */
export const addLayerNormBackwardOp = defineOp({
  name: 'addLayerNormBackward',
  inputs: ['weight', 'sum', 'mean', 'rstd', 'sumGradient?', 'normedGradient'],
  infer: ([weight, sum], attrs) => neededMetas(attrs, [metaOf(sum), metaOf(weight), metaOf(weight)]),
  decompose: ({ inputs, attrs }) => {
    const [weight, sum, mean, rstd, direct, gradient] = inputs as readonly [Tensor, Tensor, Tensor, Tensor, Tensor | undefined, Tensor]
    const perRow = column(rstd)
    const normal = inSteps(sub(rowsOf(sum), column(mean)), (rows) => mul(rows, perRow))
    const gradients = layerNormGradients(normal, perRow, weight, rowsOf(gradient))
    return makeNeeded(attrs, [() => withDirect(gradients.x(), direct, sum), gradients.weight, gradients.bias])
  },
})

/** Attribute `epsilon`. */
export const addLayerNormOp = defineOp({
  name: 'addLayerNorm',
  inputs: ['x', 'residual', 'weight', 'bias?'],
  outputs: ['sum', 'normed'],
  recordOutputs: ['mean', 'rstd'],
  infer: ([x, residual, weight, bias], _, recording) => {
    const input = metaOf(x)
    checkAddNorm('addLayerNorm', input, metaOf(residual), metaOf(weight), bias as Meta | undefined)
    requireSameParameterDType('addLayerNorm', weight, bias)
    const { shape, dtype } = input
    return [{ shape, dtype }, { shape, dtype }, ...(recording ? [statisticMeta(input), statisticMeta(input)] : [])]
  },
  decompose: ({ inputs, attrs, outputs }) => {
    const [x, residual, weight, bias] = inputs as readonly [Tensor, Tensor, Tensor, Tensor | undefined]
    const total = add(x, residual)
    const { normal, mean, rstd } = standardized(rowsOf(total), numberOf(attrs, 'epsilon'))
    return [total, likeInput(affine(normal, weight, bias), x), ...statistics(outputs, 2, [mean, rstd])]
  },
  saves: { inputs: ['weight'], outputs: ['sum', 'mean', 'rstd'] },
  vjp: ({ saved: { weight, sum, mean, rstd }, gradients: [direct, g], attrs, needs: [x, residual, ...parameters] }) => {
    if (g === undefined) return [direct, direct]
    const [gradient, ...rest] = callBackward(addLayerNormBackwardOp, [weight, sum, mean, rstd, direct, g], attrs, [x === true || residual === true, ...parameters])
    return [gradient, gradient, ...rest]
  },
})

/** `needs`: the sum (x and residual alike), weight. */
export const addRmsNormBackwardOp = defineOp({
  name: 'addRmsNormBackward',
  inputs: ['weight', 'sum', 'rstd', 'sumGradient?', 'normedGradient'],
  infer: ([weight, sum], attrs) => neededMetas(attrs, [metaOf(sum), metaOf(weight)]),
  decompose: ({ inputs, attrs }) => {
    const [weight, sum, rstd, direct, gradient] = inputs as readonly [Tensor, Tensor, Tensor, Tensor | undefined, Tensor]
    const perRow = column(rstd)
    const gradients = rmsNormGradients(mul(rowsOf(sum), perRow), perRow, weight, numberOf(attrs, 'offset'), rowsOf(gradient))
    return makeNeeded(attrs, [() => withDirect(gradients.x(), direct, sum), gradients.weight])
  },
})

/** Attributes `epsilon`, `offset`. */
export const addRmsNormOp = defineOp({
  name: 'addRmsNorm',
  inputs: ['x', 'residual', 'weight'],
  outputs: ['sum', 'normed'],
  recordOutputs: ['rstd'],
  infer: ([x, residual, weight], _, recording) => {
    const input = metaOf(x)
    checkAddNorm('addRmsNorm', input, metaOf(residual), metaOf(weight), undefined)
    const { shape, dtype } = input
    return [{ shape, dtype }, { shape, dtype }, ...(recording ? [statisticMeta(input)] : [])]
  },
  decompose: ({ inputs, attrs, outputs }) => {
    const [x, residual, weight] = inputs as readonly [Tensor, Tensor, Tensor]
    const total = add(x, residual)
    const { normal, rstd } = overRootMeanSquare(rowsOf(total), numberOf(attrs, 'epsilon'))
    const weighted = inSteps(normal, (rows) => mul(rows, featureRow(weight, rows, numberOf(attrs, 'offset'))))
    return [total, likeInput(weighted, x), ...statistics(outputs, 2, [rstd])]
  },
  saves: { inputs: ['weight'], outputs: ['sum', 'rstd'] },
  vjp: ({ saved: { weight, sum, rstd }, gradients: [direct, g], attrs, needs: [x, residual, needWeight] }) => {
    if (g === undefined) return [direct, direct]
    const [gradient, ofWeight] = callBackward(addRmsNormBackwardOp, [weight, sum, rstd, direct, g], attrs, [x === true || residual === true, needWeight])
    return [gradient, gradient, ofWeight]
  },
})

/** sum = x + residual, normed = layerNorm(sum); x, residual [..., D]. */
export const addLayerNorm = (x: Tensor, residual: Tensor, weight: Tensor, bias: Tensor | undefined, options: { readonly epsilon: number }): { sum: Tensor; normed: Tensor } => {
  const [sum, normed] = exec(addLayerNormOp, [x, residual, weight, bias], attributes({ epsilon: options.epsilon }))
  return { sum: sum!, normed: normed! }
}

/** sum = x + residual, normed = rmsNorm(sum); x, residual [..., D]. */
export const addRmsNorm = (x: Tensor, residual: Tensor, weight: Tensor, options: { readonly epsilon: number; readonly offset?: number }): { sum: Tensor; normed: Tensor } => {
  const [sum, normed] = exec(addRmsNormOp, [x, residual, weight], normAttrs(options))
  return { sum: sum!, normed: normed! }
}
