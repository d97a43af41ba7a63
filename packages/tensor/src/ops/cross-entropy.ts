// Losses of class indices, in nats: −ln softmax(logits)[target]. N rows, V classes. Never a one-hot.
import type { Attrs, Backend, Meta } from '../backend.ts'
import { execOne } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { add, cast, concat, equal, exp, full, gather, iota, log, max, maximum, minimum, mul, reshape, scalarLike, scatterAdd, slice, sub, where } from '../primitives.ts'
import type { Tensor } from '../tensor.ts'
import { tidy } from '../tidy.ts'
import { accumulationDType, metaOf, numberOf, requireDType, requireFloat, requireRange, requireRank, requireShape } from './checks.ts'
import { inSteps, rowSum, scaled, shifted, widened } from './scratch.ts'

export interface CrossEntropyOptions {
  /** Rows with this target have loss 0 and no gradient; default −1. */
  readonly ignoreIndex?: number | undefined
  /** ε: (1 − ε) · loss + ε · mean over all classes. */
  readonly labelSmoothing?: number | undefined
  /** + zLoss · logSumExp² (PaLM). */
  readonly zLoss?: number | undefined
}

export const lossAttrs = (op: string, { ignoreIndex = -1, labelSmoothing = 0, zLoss = 0 }: CrossEntropyOptions): Attrs => {
  requireRange(op, 'labelSmoothing', labelSmoothing, 0, 1)
  requireRange(op, 'zLoss', zLoss, 0, Infinity)
  return { ignoreIndex, labelSmoothing, zLoss }
}

/** Indices into flattened logits must be exact i32 on every backend: below 2^24. */
const rowsInReach = (classes: number): number => Math.max(1, Math.floor(2 ** 24 / Math.max(1, classes)))

interface Targets {
  /** Where a row does not count. */
  readonly ignored: Tensor
  /** Where a target is a class, or the row does not count. */
  readonly isClass: Tensor
  /** Where each target's logit stands in the flattened logits. */
  readonly places: Tensor
}

const targetsOf = (targets: Tensor, classes: number, attrs: Attrs): Targets => {
  const ignored = equal(targets, scalarLike(targets, numberOf(attrs, 'ignoreIndex')))
  const chosen = where(ignored, scalarLike(targets, 0), targets)
  const nearest = minimum(maximum(chosen, scalarLike(targets, 0)), scalarLike(targets, classes - 1))
  const starts = mul(iota(targets.backend, targets.size), scalarLike(targets, classes))
  return { ignored, isClass: equal(nearest, chosen), places: add(starts, nearest) }
}

/** 0 where ignored, NaN where the target is no class: a wrong label must not pass for a small loss. */
const counted = (perRow: Tensor, { ignored, isClass }: Targets): Tensor => where(ignored, scalarLike(perRow, 0), where(isClass, perRow, scalarLike(perRow, NaN)))

const logSumExpOf = (logits: Tensor): Tensor => {
  const highest = max(logits, { axes: [-1], keepDims: true })
  const total = inSteps(sub(logits, highest), exp, rowSum)
  return reshape(add(log(total), highest), [logits.shape[0]!])
}

export interface RowLosses {
  readonly losses: Tensor
  readonly logSumExp: Tensor
}

/** Loss [n] and log-sum-exp [n] of wide logits [n, V]. */
export const lossesOf = (logits: Tensor, targets: Tensor, attrs: Attrs): RowLosses => {
  const [rows, classes] = logits.shape as [number, number]
  const smoothing = numberOf(attrs, 'labelSmoothing')
  const zLoss = numberOf(attrs, 'zLoss')
  const logSumExp = logSumExpOf(logits)
  const found = targetsOf(targets, classes, attrs)
  const targetLogits = gather(reshape(logits, [rows * classes]), found.places, 0)
  let losses = sub(logSumExp, targetLogits)
  if (smoothing > 0) {
    const uniform = sub(logSumExp, reshape(scaled(rowSum(logits), 1 / classes), [rows]))
    losses = add(scaled(losses, 1 - smoothing), scaled(uniform, smoothing))
  }
  if (zLoss > 0) losses = add(losses, scaled(mul(logSumExp, logSumExp), zLoss))
  return { losses: counted(losses, found), logSumExp }
}

/** d loss / d logits [n, V], times each row's gradient. */
export const logitGradients = (logits: Tensor, targets: Tensor, logSumExp: Tensor, gradient: Tensor, attrs: Attrs): Tensor => {
  const [rows, classes] = logits.shape as [number, number]
  const smoothing = numberOf(attrs, 'labelSmoothing')
  const zLoss = numberOf(attrs, 'zLoss')
  const found = targetsOf(targets, classes, attrs)
  const weight = counted(gradient, found)
  const spread = zLoss > 0 ? mul(weight, shifted(scaled(logSumExp, 2 * zLoss), 1)) : weight
  const probabilities = inSteps(sub(logits, reshape(logSumExp, [rows, 1])), exp, (p) => mul(p, reshape(spread, [rows, 1])))
  const smoothed = smoothing > 0 ? inSteps(probabilities, (p) => sub(p, reshape(scaled(weight, smoothing / classes), [rows, 1]))) : probabilities
  const atTargets = scatterAdd(found.places, scaled(weight, smoothing - 1), rows * classes)
  return add(smoothed, reshape(atTargets, [rows, classes]))
}

export const rowMetas = (logits: Meta, recording: boolean): Meta[] => {
  const row = { shape: [logits.shape[0]!], dtype: accumulationDType(logits.dtype) }
  return recording ? [row, row] : [row]
}

/** Row chunks of `size`, or of some 16 MB of f32 logits where it is 0. */
export const eachChunk = (rows: number, classes: number, size: number, body: (start: number, count: number) => void): void => {
  const wanted = size > 0 ? size : Math.max(1, Math.floor(2 ** 22 / Math.max(1, classes)))
  const step = Math.min(wanted, rowsInReach(classes))
  for (let start = 0; start < rows; start += step) body(start, Math.min(step, rows - start))
}

/** Rows start … start + count of axis 0. */
export const rowsFrom = (x: Tensor, start: number, count: number): Tensor =>
  count === x.shape[0] ? reshape(x, x.shape) : slice(x, x.shape.map((_, i) => (i === 0 ? start : 0)), x.shape.map((size, i) => (i === 0 ? count : size)))

export const joined = (parts: readonly Tensor[]): Tensor => (parts.length === 1 ? parts[0]! : concat(parts, 0))

export const zerosLike = (x: Tensor): Tensor => full(x.backend, x.shape, 0, { dtype: x.dtype })

/** The parts along axis 0; zeros like `empty` where there are none. */
export const joinedOr = (parts: readonly Tensor[], empty: Tensor): Tensor => (parts.length === 0 ? zerosLike(empty) : joined(parts))

/** The outputs that are asked for: losses and, while recording, log-sum-exp. */
export const joinedLosses = (parts: readonly RowLosses[], backend: Backend, outputs: readonly Meta[]): Tensor[] =>
  parts.length === 0
    ? outputs.map(({ shape, dtype }) => full(backend, shape, 0, { dtype }))
    : [joined(parts.map(({ losses }) => losses)), joined(parts.map(({ logSumExp }) => logSumExp))].slice(0, outputs.length)

/** Attributes as those of crossEntropy. */
export const crossEntropyBackwardOp = defineOp({
  name: 'crossEntropyBackward',
  inputs: ['logits', 'targets', 'logSumExp', 'gradient'],
  infer: ([logits]) => [{ shape: metaOf(logits).shape, dtype: metaOf(logits).dtype }],
  decompose: ({ inputs, attrs }) => {
    const [logits, targets, logSumExp, gradient] = inputs as readonly [Tensor, Tensor, Tensor, Tensor]
    const [rows, classes] = logits.shape as [number, number]
    const parts: Tensor[] = []
    eachChunk(rows, classes, rowsInReach(classes), (start, count) => {
      const part = (x: Tensor): Tensor => rowsFrom(x, start, count)
      parts.push(tidy(() => cast(logitGradients(widened(part(logits)), part(targets), part(logSumExp), part(gradient), attrs), logits.dtype)))
    })
    return [joinedOr(parts, logits)]
  },
})

/** Attributes `ignoreIndex`, `labelSmoothing`, `zLoss`. */
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
    const [rows, classes] = logits.shape as [number, number]
    const parts: RowLosses[] = []
    eachChunk(rows, classes, rowsInReach(classes), (start, count) => {
      parts.push(tidy(() => lossesOf(widened(rowsFrom(logits, start, count)), rowsFrom(targets, start, count), attrs)))
    })
    return joinedLosses(parts, logits.backend, outputs)
  },
  saves: { inputs: ['logits', 'targets'], outputs: ['logSumExp'] },
  vjp: ({ saved: { logits, targets, logSumExp }, gradients: [g], attrs }) => [execOne(crossEntropyBackwardOp, [logits, targets, logSumExp, g!], attrs), undefined],
})

/**
 * −ln softmax(logits)[target] for each row; logits [N, V], targets i32 [N] → f32 [N], 0 where the target is ignoreIndex. A target that
 * is no class gives NaN.
 */
export const crossEntropy = (logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor =>
  execOne(crossEntropyOp, [logits, targets], lossAttrs('crossEntropy', options))
