// Next-token losses in nats. N rows, V classes, D features. Never a one-hot, and with linearCrossEntropy never [N, V] in memory:
// logits exist for one chunk of rows at a time, in the backward pass too.
import type { Attrs, Meta } from '../backend.ts'
import { execOne } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { add, cast, concat, equal, exp, full, gather, iota, log, matMul, max, maximum, mul, reshape, scalarLike, scatterAdd, slice, sub, sum, tanh, where } from '../primitives.ts'
import type { Tensor } from '../tensor.ts'
import { tidy } from '../tidy.ts'
import { callBackward, isNeeded, neededMetas } from './backward.ts'
import { accumulationDType, attributes, metaOf, numberOf, requireDType, requireFloat, requireRange, requireRank, requireShape } from './checks.ts'
import { quantizedMatMul } from './quantized-mat-mul.ts'
import { inSteps, rowSum, scaled, shifted, widened } from './scratch.ts'
import { isQuantized, type QuantizedTensor, type Weight } from './weight.ts'

export interface CrossEntropyOptions {
  /** Rows with this target have loss 0 and no gradient; default −1. */
  readonly ignoreIndex?: number | undefined
  /** ε: (1 − ε) · loss + ε · mean over all classes. */
  readonly labelSmoothing?: number | undefined
  /** + zLoss · logSumExp² (PaLM). */
  readonly zLoss?: number | undefined
}

const lossAttrs = (op: string, { ignoreIndex = -1, labelSmoothing = 0, zLoss = 0 }: CrossEntropyOptions): Attrs => {
  requireRange(op, 'labelSmoothing', labelSmoothing, 0, 1)
  requireRange(op, 'zLoss', zLoss, 0, Infinity)
  return { ignoreIndex, labelSmoothing, zLoss }
}

/** Rows that count, and where their target's logit stands in the flattened logits. */
const targetPlaces = (targets: Tensor, classes: number, attrs: Attrs): { ignored: Tensor; places: Tensor } => {
  const ignored = equal(targets, scalarLike(targets, numberOf(attrs, 'ignoreIndex')))
  const rows = iota(targets.backend, targets.size)
  return { ignored, places: add(mul(rows, scalarLike(rows, classes)), maximum(targets, scalarLike(targets, 0))) }
}

const logSumExpOf = (logits: Tensor): Tensor => {
  const highest = max(logits, { axes: [-1], keepDims: true })
  const total = inSteps(sub(logits, highest), exp, rowSum)
  return reshape(add(log(total), highest), [logits.shape[0]!])
}

/** Loss [n] and log-sum-exp [n] of wide logits [n, V]. */
const lossesOf = (logits: Tensor, targets: Tensor, attrs: Attrs): { losses: Tensor; logSumExp: Tensor } => {
  const [rows, classes] = logits.shape as [number, number]
  const smoothing = numberOf(attrs, 'labelSmoothing')
  const zLoss = numberOf(attrs, 'zLoss')
  const logSumExp = logSumExpOf(logits)
  const { ignored, places } = targetPlaces(targets, classes, attrs)
  const targetLogits = gather(reshape(logits, [rows * classes]), places, 0)
  let losses = sub(logSumExp, targetLogits)
  if (smoothing > 0) {
    const uniform = sub(logSumExp, reshape(scaled(rowSum(logits), 1 / classes), [rows]))
    losses = add(scaled(losses, 1 - smoothing), scaled(uniform, smoothing))
  }
  if (zLoss > 0) losses = add(losses, scaled(mul(logSumExp, logSumExp), zLoss))
  return { losses: where(ignored, scalarLike(losses, 0), losses), logSumExp }
}

/** d loss / d logits [n, V], times each row's gradient. */
const logitGradients = (logits: Tensor, targets: Tensor, logSumExp: Tensor, gradient: Tensor, attrs: Attrs): Tensor => {
  const [rows, classes] = logits.shape as [number, number]
  const smoothing = numberOf(attrs, 'labelSmoothing')
  const zLoss = numberOf(attrs, 'zLoss')
  const { ignored, places } = targetPlaces(targets, classes, attrs)
  const weight = where(ignored, scalarLike(gradient, 0), gradient)
  const spread = zLoss > 0 ? mul(weight, shifted(scaled(logSumExp, 2 * zLoss), 1)) : weight
  const probabilities = inSteps(sub(logits, reshape(logSumExp, [rows, 1])), exp, (p) => mul(p, reshape(spread, [rows, 1])))
  const smoothed = smoothing > 0 ? inSteps(probabilities, (p) => sub(p, reshape(scaled(weight, smoothing / classes), [rows, 1]))) : probabilities
  const atTargets = scatterAdd(places, scaled(weight, smoothing - 1), rows * classes)
  return add(smoothed, reshape(atTargets, [rows, classes]))
}

const rowMetas = (logits: Meta, recording: boolean): Meta[] => {
  const row = { shape: [logits.shape[0]!], dtype: accumulationDType(logits.dtype) }
  return recording ? [row, row] : [row]
}

export const crossEntropyBackwardOp = defineOp({
  name: 'crossEntropyBackward',
  inputs: ['logits', 'targets', 'logSumExp', 'gradient'],
  infer: ([logits]) => [{ shape: metaOf(logits).shape, dtype: metaOf(logits).dtype }],
  decompose: ({ inputs, attrs }) => {
    const [logits, targets, logSumExp, gradient] = inputs as readonly [Tensor, Tensor, Tensor, Tensor]
    return [cast(logitGradients(widened(logits), targets, logSumExp, gradient, attrs), logits.dtype)]
  },
})

export const crossEntropyOp = defineOp({
  name: 'crossEntropy',
  inputs: ['logits', 'targets'],
  recordOutputs: ['logSumExp'],
  infer: ([logits, targets], _, recording) => {
    requireFloat('crossEntropy', 'logits', metaOf(logits))
    requireRank('crossEntropy', 'logits', metaOf(logits), 2, '[N, V]')
    requireDType('crossEntropy', 'targets', metaOf(targets), 'i32')
    requireShape('crossEntropy', 'targets', metaOf(targets), [metaOf(logits).shape[0]!], '[N]')
    return rowMetas(metaOf(logits), recording)
  },
  decompose: ({ inputs, attrs, outputs }) => {
    const [logits, targets] = inputs as readonly [Tensor, Tensor]
    const { losses, logSumExp } = lossesOf(widened(logits), targets, attrs)
    return [losses, logSumExp].slice(0, outputs.length)
  },
  saves: { inputs: ['logits', 'targets'], outputs: ['logSumExp'] },
  vjp: ({ saved: { logits, targets, logSumExp }, gradients: [g], attrs }) => [execOne(crossEntropyBackwardOp, [logits, targets, logSumExp, g!], attrs), undefined],
})

/**
 * −ln softmax(logits)[target] for each row; logits [N, V], targets i32 [N] → f32 [N], 0 where the target is ignoreIndex.
 */
export const crossEntropy = (logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor =>
  execOne(crossEntropyOp, [logits, targets], lossAttrs('crossEntropy', options))

/** Some 16 MB of f32 logits at a time. */
const defaultChunkRows = (classes: number): number => Math.max(1, Math.floor(2 ** 22 / Math.max(1, classes)))

interface Head {
  readonly weight: Tensor
  readonly bias: Tensor | undefined
}

/** Wide logits [n, V] of a chunk, and their slope with respect to the plain product. */
const chunkLogits = (hidden: Tensor, { weight, bias }: Head, attrs: Attrs): Tensor => {
  const softcap = numberOf(attrs, 'softcap')
  return inSteps(
    matMul(hidden, weight, { transposeB: true }),
    (z) => (bias === undefined ? z : add(z, bias)),
    (z) => (numberOf(attrs, 'logitScale') === 1 ? z : scaled(z, numberOf(attrs, 'logitScale'))),
    (z) => (softcap === 0 ? z : inSteps(scaled(z, 1 / softcap), tanh, (t) => scaled(t, softcap))),
  )
}

const eachChunk = (rows: number, classes: number, attrs: Attrs, body: (start: number, count: number) => void): void => {
  const asked = numberOf(attrs, 'chunkRows')
  const size = asked > 0 ? asked : defaultChunkRows(classes)
  for (let start = 0; start < rows; start += size) body(start, Math.min(size, rows - start))
}

const rowsFrom = (x: Tensor, start: number, count: number): Tensor =>
  count === x.shape[0] ? reshape(x, x.shape) : slice(x, x.shape.map((_, i) => (i === 0 ? start : 0)), x.shape.map((size, i) => (i === 0 ? count : size)))

const joined = (parts: readonly Tensor[]): Tensor => (parts.length === 1 ? parts[0]! : concat(parts, 0))

/** `needs`: hidden, weight, targets (never), bias. */
export const linearCrossEntropyBackwardOp = defineOp({
  name: 'linearCrossEntropyBackward',
  inputs: ['hidden', 'weight', 'targets', 'bias?', 'logSumExp', 'gradient'],
  infer: ([hidden, weight, , bias], attrs) => neededMetas(attrs, [metaOf(hidden), metaOf(weight), undefined, bias === undefined ? undefined : metaOf(bias)]),
  decompose: ({ inputs, attrs }) => {
    const [hidden, weight, targets, bias, logSumExp, gradient] = inputs as readonly [Tensor, Tensor, Tensor, Tensor | undefined, Tensor, Tensor]
    const head = { weight: widened(weight), bias: bias === undefined ? undefined : widened(bias) }
    const [classes] = weight.shape as [number]
    const hiddenParts: Tensor[] = []
    let weightSum: Tensor | undefined
    let biasSum: Tensor | undefined
    const plus = (before: Tensor | undefined, part: Tensor): Tensor => (before === undefined ? part : inSteps(before, (x) => add(x, part)))
    eachChunk(hidden.shape[0]!, classes, attrs, (start, count) => {
      const part = tidy(() => {
        const h = widened(rowsFrom(hidden, start, count))
        const logits = chunkLogits(h, head, attrs)
        const ofLogits = logitGradients(logits, rowsFrom(targets, start, count), rowsFrom(logSumExp, start, count), rowsFrom(gradient, start, count), attrs)
        const g = beforeSoftcap(ofLogits, logits, attrs)
        return {
          hidden: isNeeded(attrs, 0) ? cast(matMul(g, head.weight), hidden.dtype) : undefined,
          weight: isNeeded(attrs, 1) ? matMul(g, h, { transposeA: true }) : undefined,
          bias: isNeeded(attrs, 3) ? sum(g, { axes: [0] }) : undefined,
        }
      })
      if (part.hidden !== undefined) hiddenParts.push(part.hidden)
      if (part.weight !== undefined) weightSum = plus(weightSum, part.weight)
      if (part.bias !== undefined) biasSum = plus(biasSum, part.bias)
    })
    return [
      ...(isNeeded(attrs, 0) ? [joinedOr(hiddenParts, hidden)] : []),
      ...(isNeeded(attrs, 1) ? [cast(weightSum ?? zerosLike(weight), weight.dtype)] : []),
      ...(isNeeded(attrs, 3) ? [cast(biasSum ?? zerosLike(bias!), bias!.dtype)] : []),
    ]
  },
})

const zerosLike = (x: Tensor): Tensor => full(x.backend, x.shape, 0, { dtype: x.dtype })
const joinedOr = (parts: readonly Tensor[], empty: Tensor): Tensor => (parts.length === 0 ? zerosLike(empty) : joined(parts))

/** c · tanh(z / c) has slope 1 − (y / c)²; the scale before it multiplies. */
const beforeSoftcap = (gradient: Tensor, logits: Tensor, attrs: Attrs): Tensor => {
  const softcap = numberOf(attrs, 'softcap')
  const scale = numberOf(attrs, 'logitScale')
  const capped = softcap === 0 ? gradient : inSteps(scaled(logits, 1 / softcap), (t) => mul(t, t), (square) => sub(scalarLike(square, 1), square), (slope) => mul(slope, gradient))
  return scale === 1 ? capped : scaled(capped, scale)
}

export const linearCrossEntropyOp = defineOp({
  name: 'linearCrossEntropy',
  inputs: ['hidden', 'weight', 'targets', 'bias?'],
  recordOutputs: ['logSumExp'],
  infer: ([hidden, weight, targets, bias], _, recording) => {
    const op = 'linearCrossEntropy'
    requireFloat(op, 'hidden', metaOf(hidden))
    requireFloat(op, 'weight', metaOf(weight))
    requireRank(op, 'hidden', metaOf(hidden), 2, '[N, D]')
    requireRank(op, 'weight', metaOf(weight), 2, '[V, D]')
    requireShape(op, 'weight', metaOf(weight), [metaOf(weight).shape[0]!, metaOf(hidden).shape[1]!], '[V, D]')
    requireDType(op, 'targets', metaOf(targets), 'i32')
    requireShape(op, 'targets', metaOf(targets), [metaOf(hidden).shape[0]!], '[N]')
    if (bias !== undefined) requireShape(op, 'bias', metaOf(bias), [metaOf(weight).shape[0]!], '[V]')
    return rowMetas(metaOf(hidden), recording)
  },
  decompose: ({ inputs, attrs, outputs }) => {
    const [hidden, weight, targets, bias] = inputs as readonly [Tensor, Tensor, Tensor, Tensor | undefined]
    const head = { weight: widened(weight), bias: bias === undefined ? undefined : widened(bias) }
    const parts: { losses: Tensor; logSumExp: Tensor }[] = []
    eachChunk(hidden.shape[0]!, weight.shape[0]!, attrs, (start, count) => {
      parts.push(tidy(() => lossesOf(chunkLogits(widened(rowsFrom(hidden, start, count)), head, attrs), rowsFrom(targets, start, count), attrs)))
    })
    if (parts.length === 0) return outputs.map(({ shape, dtype }) => full(hidden.backend, shape, 0, { dtype }))
    return [joined(parts.map(({ losses }) => losses)), joined(parts.map(({ logSumExp }) => logSumExp))].slice(0, outputs.length)
  },
  saves: { inputs: ['hidden', 'weight', 'targets', 'bias'], outputs: ['logSumExp'] },
  vjp: ({ saved: { hidden, weight, targets, bias, logSumExp }, gradients: [g], attrs, needs }) =>
    callBackward(linearCrossEntropyBackwardOp, [hidden, weight, targets, bias, logSumExp, g], attrs, needs),
})

export interface LinearCrossEntropyOptions extends CrossEntropyOptions {
  readonly bias?: Tensor | undefined
  /** c · tanh(logits / c), as Gemma 2 does. */
  readonly softcap?: number | undefined
  readonly logitScale?: number | undefined
  /** Rows at a time; default: some 16 MB of logits. */
  readonly chunkRows?: number | undefined
}

/** The options of linearCrossEntropy as attributes. */
export const linearCrossEntropyAttrs = (options: LinearCrossEntropyOptions): Attrs => ({
  ...lossAttrs('linearCrossEntropy', options),
  ...attributes({ softcap: options.softcap ?? 0, logitScale: options.logitScale ?? 1, chunkRows: options.chunkRows ?? 0 }),
})


/**
 * Cross entropy of hidden · Wᵀ against targets, f32 [N] nats; hidden [N, D], weight [V, D], targets i32 [N]. In chunks of rows: the
 * logits of all rows are never in memory at once, forwards or backwards.
 */
export const linearCrossEntropy = (hidden: Tensor, weight: Weight, targets: Tensor, options: LinearCrossEntropyOptions = {}): Tensor =>
  isQuantized(weight)
    ? quantizedLinearCrossEntropy(hidden, weight, targets, options)
    : execOne(linearCrossEntropyOp, [hidden, weight, targets, options.bias], linearCrossEntropyAttrs(options))

/** A quantized head has no gradient of its own: the product and the loss, a chunk of rows at a time. */
const quantizedLinearCrossEntropy = (hidden: Tensor, weight: QuantizedTensor, targets: Tensor, options: LinearCrossEntropyOptions): Tensor => {
  const { bias, softcap = 0, logitScale = 1, ...lossOptions } = options
  const parts: Tensor[] = []
  eachChunk(hidden.shape[0]!, weight.shape[0]!, linearCrossEntropyAttrs(options), (start, count) => {
    const product = quantizedMatMul(rowsFrom(hidden, start, count), weight)
    const biased = bias === undefined ? product : add(product, bias)
    const scaledLogits = logitScale === 1 ? biased : scaled(biased, logitScale)
    const logits = softcap === 0 ? scaledLogits : scaled(tanh(scaled(scaledLogits, 1 / softcap)), softcap)
    parts.push(crossEntropy(logits, rowsFrom(targets, start, count), lossOptions))
  })
  return parts.length === 0 ? full(hidden.backend, [0], 0) : joined(parts)
}
