// The loss of a language model's head without its logits: they exist for one chunk of rows at a time, in the backward pass too, and
// never as [N, V]. N rows, V classes, D features.
import type { Attrs } from '../backend.ts'
import { execOne } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { add, cast, full, matMul, mul, reshape, scalarLike, sub, sum, tanh } from '../primitives.ts'
import { recompute } from '../tape.ts'
import type { Tensor } from '../tensor.ts'
import { tidy } from '../tidy.ts'
import { callBackward, isNeeded, neededMetas } from './backward.ts'
import { accumulationDType, metaOf, numberOf, requireDType, requireFloat, requireRange, requireRank, requireShape } from './checks.ts'
import { crossEntropy, eachChunk, joined, joinedLosses, joinedOr, logitGradients, lossAttrs, lossesOf, rowMetas, rowsFrom, zerosLike, type CrossEntropyOptions, type RowLosses } from './cross-entropy.ts'
import { quantizedMatMul } from './quantized-mat-mul.ts'
import { inSteps, scaled, widened } from './scratch.ts'
import { isQuantized, type QuantizedTensor, type Weight } from './weight.ts'

interface Head {
  readonly weight: Tensor
  readonly bias: Tensor | undefined
}

/** Weight and bias in the dtype that hidden states are summed in. */
const headLike = (hidden: Tensor, weight: Tensor, bias: Tensor | undefined): Head => {
  const wide = accumulationDType(hidden.dtype)
  return { weight: cast(weight, wide), bias: bias === undefined ? undefined : cast(bias, wide) }
}

/** The scale and the soft cap of logits. */
const adjusted = (logits: Tensor, attrs: Attrs): Tensor => {
  const [scale, softcap] = [numberOf(attrs, 'logitScale'), numberOf(attrs, 'softcap')]
  return inSteps(
    scale === 1 ? reshape(logits, logits.shape) : scaled(logits, scale),
    (z) => (softcap === 0 ? z : scaled(inSteps(scaled(z, 1 / softcap), tanh), softcap)),
  )
}

/** Wide logits [n, V] of a chunk. */
const chunkLogits = (hidden: Tensor, { weight, bias }: Head, attrs: Attrs): Tensor =>
  inSteps(
    matMul(hidden, weight, { transposeB: true }),
    (z) => (bias === undefined ? z : add(z, bias)),
    (z) => adjusted(z, attrs),
  )

/** `needs`: hidden, weight, targets (never), bias. */
export const linearCrossEntropyBackwardOp = defineOp({
  name: 'linearCrossEntropyBackward',
  inputs: ['hidden', 'weight', 'targets', 'bias?', 'logSumExp', 'gradient'],
  infer: ([hidden, weight, , bias], attrs) => neededMetas(attrs, [metaOf(hidden), metaOf(weight), undefined, bias === undefined ? undefined : metaOf(bias)]),
  decompose: ({ inputs, attrs }) => {
    const [hidden, weight, targets, bias, logSumExp, gradient] = inputs as readonly [Tensor, Tensor, Tensor, Tensor | undefined, Tensor, Tensor]
    const head = headLike(hidden, weight, bias)
    const [classes] = weight.shape as [number]
    const hiddenParts: Tensor[] = []
    let weightSum: Tensor | undefined
    let biasSum: Tensor | undefined
    const plus = (before: Tensor | undefined, part: Tensor): Tensor => (before === undefined ? part : inSteps(before, (x) => add(x, part)))
    eachChunk(hidden.shape[0]!, classes, numberOf(attrs, 'chunkRows'), (start, count) => {
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

/** c · tanh(z / c) has slope 1 − (y / c)²; the scale before it multiplies. */
const beforeSoftcap = (gradient: Tensor, logits: Tensor, attrs: Attrs): Tensor => {
  const softcap = numberOf(attrs, 'softcap')
  const scale = numberOf(attrs, 'logitScale')
  const capped = softcap === 0 ? gradient : inSteps(scaled(logits, 1 / softcap), (t) => mul(t, t), (square) => sub(scalarLike(square, 1), square), (slope) => mul(slope, gradient))
  return scale === 1 ? capped : scaled(capped, scale)
}

/** Attributes `ignoreIndex`, `labelSmoothing`, `zLoss`, `softcap` (0: none), `logitScale`, `chunkRows` (0: some 16 MB of logits). */
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
    const head = headLike(hidden, weight, bias)
    const parts: RowLosses[] = []
    eachChunk(hidden.shape[0]!, weight.shape[0]!, numberOf(attrs, 'chunkRows'), (start, count) => {
      parts.push(tidy(() => lossesOf(chunkLogits(widened(rowsFrom(hidden, start, count)), head, attrs), rowsFrom(targets, start, count), attrs)))
    })
    return joinedLosses(parts, hidden.backend, outputs)
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

const attrsOf = ({ softcap = 0, logitScale = 1, chunkRows = 0, ...options }: LinearCrossEntropyOptions): Attrs => {
  requireRange('linearCrossEntropy', 'softcap', softcap, 0, Infinity)
  return { ...lossAttrs('linearCrossEntropy', options), softcap, logitScale, chunkRows }
}

/**
 * Cross entropy of softcap((hidden · Wᵀ + bias) · logitScale) against targets, in chunks of rows.
 *
 * @param hidden [N, D]
 * @param weight [V, D], or quantized
 * @param targets i32 [N]; ignoreIndex gives 0, what is no class NaN
 * @returns f32 [N] nats
 */
export const linearCrossEntropy = (hidden: Tensor, weight: Weight, targets: Tensor, options: LinearCrossEntropyOptions = {}): Tensor =>
  isQuantized(weight) ? quantizedLinearCrossEntropy(hidden, weight, targets, options) : execOne(linearCrossEntropyOp, [hidden, weight, targets, options.bias], attrsOf(options))

/** Product and loss, a chunk at a time, computed again in the backward pass: the logits are not kept here either. */
const quantizedLinearCrossEntropy = (hidden: Tensor, weight: QuantizedTensor, targets: Tensor, options: LinearCrossEntropyOptions): Tensor => {
  const { bias, ...others } = options
  const attrs = attrsOf(others)
  // All that the second run needs comes in as an input, which the tape keeps alive.
  const loss = ([rows, packed, chunkTargets, offset]: readonly Tensor[]): Tensor[] => {
    const product = quantizedMatMul(rows!, { ...weight, packed: packed! })
    const biased = offset === undefined ? product : add(product, cast(offset, product.dtype))
    return [crossEntropy(adjusted(biased, attrs), chunkTargets!, others)]
  }
  const parts: Tensor[] = []
  eachChunk(hidden.shape[0]!, weight.shape[0]!, numberOf(attrs, 'chunkRows'), (start, count) => {
    const inputs = [rowsFrom(hidden, start, count), weight.packed, rowsFrom(targets, start, count)]
    parts.push(recompute(loss, bias === undefined ? inputs : [...inputs, bias])[0]!)
  })
  return parts.length === 0 ? full(hidden.backend, [0], 0, { dtype: accumulationDType(hidden.dtype) }) : joined(parts)
}
