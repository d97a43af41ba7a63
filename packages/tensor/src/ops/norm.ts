// LayerNorm (Ba, Kiros, Hinton 2016) and RMSNorm (Zhang, Sennrich 2019) over the last axis. N rows, D features.
// Statistics and sums are in f32 or wider; the output has x's dtype, weight and bias may have another.
import type { Attrs, Meta, Slot } from '../backend.ts'
import { execOne } from '../exec.ts'
import { DTypeError } from '../errors.ts'
import { defineOp } from '../op-definition.ts'
import { add, cast, mul, reshape, rsqrt, sub, sum } from '../primitives.ts'
import type { Tensor } from '../tensor.ts'
import { callBackward, makeNeeded, neededMetas } from './backward.ts'
import { accumulationDType, attributes, lastSize, leadingSize, metaOf, numberOf, requireFloat, requireShape } from './checks.ts'
import { inSteps, rowSum, scaled, shifted, widened } from './scratch.ts'

/** x as rows [N, D] in the dtype of sums. */
export const rowsOf = (x: Tensor): Tensor => widened(reshape(x, [leadingSize(x.shape), x.shape.at(-1)!]))

export const checkNorm = (op: string, x: Meta, weight: Meta, bias: Meta | undefined): void => {
  requireFloat(op, 'x', x)
  const size = lastSize(op, 'x', x)
  for (const [name, meta] of [['weight', weight], ['bias', bias]] as const) {
    if (meta === undefined) continue
    requireFloat(op, name, meta)
    requireShape(op, name, meta, [size], '[D]')
  }
}

/** One statistic a row. */
export const statisticMeta = (x: Meta): Meta => ({ shape: x.shape.slice(0, -1), dtype: accumulationDType(x.dtype) })

/** The normalised rows before weight and bias, with their statistics [N, 1]. */
export const standardized = (rows: Tensor, epsilon: number): { normal: Tensor; mean: Tensor; rstd: Tensor } => {
  const size = rows.shape[1]!
  const mean = scaled(rowSum(rows), 1 / size)
  const centered = sub(rows, mean)
  const variance = scaled(inSteps(mul(centered, centered), rowSum), 1 / size)
  const rstd = rsqrt(shifted(variance, epsilon))
  return { normal: inSteps(centered, (x) => mul(x, rstd)), mean, rstd }
}

/** Rows over their root mean square, with its reciprocal [N, 1]. */
export const overRootMeanSquare = (rows: Tensor, epsilon: number): { normal: Tensor; rstd: Tensor } => {
  const meanSquare = scaled(inSteps(mul(rows, rows), rowSum), 1 / rows.shape[1]!)
  const rstd = rsqrt(shifted(meanSquare, epsilon))
  return { normal: mul(rows, rstd), rstd }
}

/** A parameter [D] as it meets rows, `offset` added. */
export const featureRow = (parameter: Tensor, like: Tensor, offset = 0): Tensor => {
  const row = cast(parameter, like.dtype)
  return offset === 0 ? row : shifted(row, offset)
}

/** Rows back in the shape and dtype of x. */
export const likeInput = (rows: Tensor, x: Meta): Tensor => cast(reshape(rows, x.shape), x.dtype)

export const statistics = (outputs: readonly Meta[], from: number, values: readonly Tensor[]): Tensor[] =>
  outputs.slice(from).map((meta, i) => reshape(values[i]!, meta.shape))

/** Gradients of LayerNorm given the normalised rows: of x, weight and bias. */
export const layerNormGradients = (normal: Tensor, rstd: Tensor, weight: Tensor, gradient: Tensor): { x(): Tensor; weight(): Tensor; bias(): Tensor } => {
  const size = normal.shape[1]!
  return {
    x: () => {
      const scaledGradient = mul(gradient, featureRow(weight, gradient))
      const alongMean = scaled(rowSum(scaledGradient), 1 / size)
      const alongNormal = scaled(inSteps(mul(scaledGradient, normal), rowSum), 1 / size)
      return inSteps(scaledGradient, (g) => sub(g, alongMean), (g) => sub(g, mul(normal, alongNormal)), (g) => mul(g, rstd))
    },
    weight: () => cast(inSteps(mul(gradient, normal), (x) => sum(x, { axes: [0] })), weight.dtype),
    bias: () => cast(sum(gradient, { axes: [0] }), weight.dtype),
  }
}

/** Gradients of RMSNorm given the normalised rows: of x and weight. */
export const rmsNormGradients = (normal: Tensor, rstd: Tensor, weight: Tensor, offset: number, gradient: Tensor): { x(): Tensor; weight(): Tensor } => ({
  x: () => {
    const scaledGradient = mul(gradient, featureRow(weight, gradient, offset))
    const alongNormal = scaled(inSteps(mul(scaledGradient, normal), rowSum), 1 / normal.shape[1]!)
    return inSteps(scaledGradient, (g) => sub(g, mul(normal, alongNormal)), (g) => mul(g, rstd))
  },
  weight: () => cast(inSteps(mul(gradient, normal), (x) => sum(x, { axes: [0] })), weight.dtype),
})

export const column = (statistic: Tensor): Tensor => reshape(statistic, [-1, 1])

/** `needs`: x, weight, bias (of weight's dtype). */
export const layerNormBackwardOp = defineOp({
  name: 'layerNormBackward',
  inputs: ['x', 'weight', 'mean', 'rstd', 'gradient'],
  infer: ([x, weight], attrs) => neededMetas(attrs, [metaOf(x), metaOf(weight), metaOf(weight)]),
  decompose: ({ inputs, attrs }) => {
    const [x, weight, mean, rstd, gradient] = inputs as readonly Tensor[]
    const perRow = column(rstd!)
    const normal = inSteps(sub(rowsOf(x!), column(mean!)), (rows) => mul(rows, perRow))
    const gradients = layerNormGradients(normal, perRow, weight!, rowsOf(gradient!))
    return makeNeeded(attrs, [() => likeInput(gradients.x(), x!), gradients.weight, gradients.bias])
  },
})

/** Attribute `epsilon`. */
export const layerNormOp = defineOp({
  name: 'layerNorm',
  inputs: ['x', 'weight', 'bias?'],
  recordOutputs: ['mean', 'rstd'],
  infer: ([x, weight, bias], _, recording) => {
    const input = metaOf(x)
    checkNorm('layerNorm', input, metaOf(weight), bias as Meta | undefined)
    requireSameParameterDType('layerNorm', weight, bias)
    return [{ shape: input.shape, dtype: input.dtype }, ...(recording ? [statisticMeta(input), statisticMeta(input)] : [])]
  },
  decompose: ({ inputs, attrs, outputs }) => {
    const [x, weight, bias] = inputs as readonly [Tensor, Tensor, Tensor | undefined]
    const { normal, mean, rstd } = standardized(rowsOf(x), numberOf(attrs, 'epsilon'))
    return [likeInput(affine(normal, weight, bias), x), ...statistics(outputs, 1, [mean, rstd])]
  },
  saves: { inputs: ['x', 'weight'], outputs: ['mean', 'rstd'] },
  vjp: ({ saved: { x, weight, mean, rstd }, gradients: [g], attrs, needs }) => callBackward(layerNormBackwardOp, [x, weight, mean, rstd, g], attrs, needs),
})

/** normal · weight + bias, freeing `normal`. */
export const affine = (normal: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor =>
  inSteps(normal, (x) => mul(x, featureRow(weight, x)), ...(bias === undefined ? [] : [(x: Tensor) => add(x, featureRow(bias, x))]))

/** The gradients of weight and bias come from one operation, which sees the weight alone. */
export const requireSameParameterDType = (op: string, weight: Slot<Meta>, bias: Slot<Meta>): void => {
  if (bias === undefined || metaOf(bias).dtype === metaOf(weight).dtype) return
  throw new DTypeError(`${op}: expected weight and bias of one dtype, got ${metaOf(weight).dtype} and ${metaOf(bias).dtype}`)
}

/** `needs`: x, weight. */
export const rmsNormBackwardOp = defineOp({
  name: 'rmsNormBackward',
  inputs: ['x', 'weight', 'rstd', 'gradient'],
  infer: ([x, weight], attrs) => neededMetas(attrs, [metaOf(x), metaOf(weight)]),
  decompose: ({ inputs, attrs }) => {
    const [x, weight, rstd, gradient] = inputs as readonly Tensor[]
    const perRow = column(rstd!)
    const gradients = rmsNormGradients(mul(rowsOf(x!), perRow), perRow, weight!, numberOf(attrs, 'offset'), rowsOf(gradient!))
    return makeNeeded(attrs, [() => likeInput(gradients.x(), x!), gradients.weight])
  },
})

/** Attributes `epsilon`, `offset`. */
export const rmsNormOp = defineOp({
  name: 'rmsNorm',
  inputs: ['x', 'weight'],
  recordOutputs: ['rstd'],
  infer: ([x, weight], _, recording) => {
    const input = metaOf(x)
    checkNorm('rmsNorm', input, metaOf(weight), undefined)
    return [{ shape: input.shape, dtype: input.dtype }, ...(recording ? [statisticMeta(input)] : [])]
  },
  decompose: ({ inputs, attrs, outputs }) => {
    const [x, weight] = inputs as readonly [Tensor, Tensor]
    const { normal, rstd } = overRootMeanSquare(rowsOf(x), numberOf(attrs, 'epsilon'))
    const weighted = inSteps(normal, (rows) => mul(rows, featureRow(weight, rows, numberOf(attrs, 'offset'))))
    return [likeInput(weighted, x), ...statistics(outputs, 1, [rstd])]
  },
  saves: { inputs: ['x', 'weight'], outputs: ['rstd'] },
  vjp: ({ saved: { x, weight, rstd }, gradients: [g], attrs, needs }) => callBackward(rmsNormBackwardOp, [x, weight, rstd, g], attrs, needs),
})

/** (x − mean) / √(variance + epsilon) · weight + bias over the last axis; x [..., D], weight and bias [D]. */
export const layerNorm = (x: Tensor, weight: Tensor, bias: Tensor | undefined, options: { readonly epsilon: number }): Tensor =>
  execOne(layerNormOp, [x, weight, bias], { epsilon: options.epsilon })

/**
 * x / √(mean(x²) + epsilon) · (weight + offset) over the last axis; x [..., D], weight [D].
 * @param options.offset 1 for Gemma, whose weights are stored less one; default 0.
 */
export const rmsNorm = (x: Tensor, weight: Tensor, options: { readonly epsilon: number; readonly offset?: number }): Tensor =>
  execOne(rmsNormOp, [x, weight], normAttrs(options))

export const normAttrs = (options: { readonly epsilon: number; readonly offset?: number }): Attrs =>
  attributes({ epsilon: options.epsilon, offset: options.offset ?? 0 })
