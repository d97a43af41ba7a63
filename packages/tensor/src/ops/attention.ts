// Scaled dot-product attention. B batch, Tq queries, Tk keys, H query heads, K key heads, G = H / K queries a key head, Dh head size.
// Absent positions mean a plain suffix: the queries are the last ones before the keys' end. One rule of visibility covers left
// padding, packing, ring caches and rollback. The decomposition works a block of queries off at a time and folds the G heads of a
// group into the rows of one product, so keys are never repeated; the backward pass recomputes the probabilities from the
// log-sum-exp (Dao et al. 2022).
import { ConfigError } from '@weft/contracts'
import type { Attrs, Meta, Slot } from '../backend.ts'
import { ShapeError } from '../errors.ts'
import { execOne, requireSameDType } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { add, cast, concat, div, exp, full, log, matMul, max, maximum, mul, neg, pad, reshape, scalarLike, sub, sum, sumTo } from '../primitives.ts'
import { formatShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { tidy } from '../tidy.ts'
import { foldQueries, keysBack, keysFirst, queryBlocks, queryRows, readSizes, scoresOf, sizesOf, statisticRows, unfoldQueries, valuesOf, type AttentionSlots, type QueryBlock, type Sizes } from './attention-scores.ts'
import { callBackward, isNeeded, neededMetas } from './backward.ts'
import { accumulationDType, attributes, metaOf, numberOf, requireDType, requireFloat, requireRange, requireRank, requireShape } from './checks.ts'
import { inSteps, rowSum, scaled, widened } from './scratch.ts'

export interface AttentionInputs {
  /** [B, Tq, H, Dh] */
  readonly q: Tensor
  /** [B, Tk, K, Dh] */
  readonly k: Tensor
  /** [B, Tk, K, Dh] */
  readonly v: Tensor
  /** i32 [B, Tq] */
  readonly queryPositions?: Tensor | undefined
  /** i32 [B, Tk]; negative: invisible. */
  readonly keyPositions?: Tensor | undefined
  /** i32 [B, Tq] */
  readonly querySegments?: Tensor | undefined
  /** i32 [B, Tk] */
  readonly keySegments?: Tensor | undefined
  /** [B|1, H|1, Tq|1, Tk], added to the scores; has a gradient. */
  readonly bias?: Tensor | undefined
  /** [H] A logit that takes part in the sum alone. */
  readonly sinks?: Tensor | undefined
}

export interface AttentionOptions {
  readonly causal: boolean
  /** Query − key < window. */
  readonly window?: number | undefined
  /** c · tanh(score / c). */
  readonly softcap?: number | undefined
  readonly scale: number
  /** Keys at or beyond keyLengths[b] are invisible and never read. */
  readonly keyLengths?: readonly number[] | undefined
}

const slots = ['q', 'k', 'v', 'queryPositions?', 'keyPositions?', 'querySegments?', 'keySegments?', 'bias?', 'sinks?'] as const

const checkAttention = (inputs: readonly Slot<Meta>[], attrs: Attrs): Sizes => {
  const [q, k, v] = inputs.map(metaOf) as [Meta, Meta, Meta]
  for (const [name, meta] of [['q', q], ['k', k], ['v', v]] as const) {
    requireFloat('attention', name, meta)
    requireRank('attention', name, meta, 4, name === 'q' ? '[B, Tq, H, Dh]' : '[B, Tk, K, Dh]')
  }
  requireSameDType('attention', [k, v])
  const sizes = sizesOf(q, k)
  const { B, Tq, Tk, H, K, G } = sizes
  const Dh = q.shape[3]!
  requireShape('attention', 'k', k, [B, Tk, K, Dh], '[B, Tk, K, Dh]')
  requireShape('attention', 'v', v, [B, Tk, K, v.shape[3]!], '[B, Tk, K, Dh]')
  if (!Number.isInteger(G)) throw new ShapeError(`attention: ${H} query heads are no multiple of ${K} key heads`)
  if ((inputs[5] === undefined) !== (inputs[6] === undefined)) throw new ShapeError('attention: expected querySegments and keySegments together, got one of them')
  const perToken: readonly (readonly [string, Slot<Meta>, number])[] = [
    ['queryPositions', inputs[3], Tq],
    ['keyPositions', inputs[4], Tk],
    ['querySegments', inputs[5], Tq],
    ['keySegments', inputs[6], Tk],
  ]
  for (const [name, meta, length] of perToken) {
    if (meta === undefined) continue
    requireDType('attention', name, metaOf(meta), 'i32')
    requireShape('attention', name, metaOf(meta), [metaOf(meta).shape[0] === 1 ? 1 : B, length], '[B, T]')
  }
  const bias = inputs[7]
  if (bias !== undefined) {
    const { shape } = metaOf(bias)
    const fits = shape.length === 4 && [B, H, Tq].every((size, i) => shape[i] === 1 || shape[i] === size) && shape[3] === Tk
    if (!fits) throw new ShapeError(`attention: expected bias of shape [B|1, H|1, Tq|1, Tk], got ${formatShape(shape)}`)
  }
  if (inputs[8] !== undefined) requireShape('attention', 'sinks', metaOf(inputs[8]), [H], '[H]')
  const lengths = attrs['keyLengths'] as readonly number[] | undefined
  if (lengths !== undefined && (lengths.length !== B || lengths.some((length) => !(Number.isInteger(length) && length >= 0 && length <= Tk)))) {
    throw new ShapeError(`attention: expected ${B} keyLengths in 0 … ${Tk}, got [${lengths.join(', ')}]`)
  }
  return sizes
}

const sinkColumn = (sinks: Tensor, { K, G }: Sizes, dtype: Tensor['dtype']): Tensor => reshape(cast(sinks, dtype), [1, K, G, 1, 1])

// A query that sees nothing has only −∞: these floors make its weights exactly 0 instead of 0/0.
const lowestMaximum = -1e30
const smallestSum = 1e-30

/** The outputs [B, count, H, Dv] of a block of queries, and their log-sum-exp [B, H, count]. */
const attendBlock = (inputs: AttentionSlots, attrs: Attrs, sizes: Sizes, allKeys: Tensor, allValues: Tensor, block: QueryBlock): { output: Tensor; logSumExp: Tensor } => {
  const { B, H, K, G } = sizes
  const { count, keyCount } = block
  const sinks = inputs[8]
  const { scores } = scoresOf(inputs, attrs, sizes, allKeys, block)
  const peak = max(scores, { axes: [-1], keepDims: true })
  const floor = maximum(peak, scalarLike(peak, lowestMaximum))
  const highest = sinks === undefined ? floor : maximum(floor, sinkColumn(sinks, sizes, floor.dtype))
  const weights = inSteps(scores, (s) => sub(s, highest), exp)
  const seen = rowSum(weights)
  const total = sinks === undefined ? seen : add(seen, exp(sub(sinkColumn(sinks, sizes, seen.dtype), highest)))
  const divisor = maximum(total, scalarLike(total, smallestSum))
  const mixed = matMul(reshape(weights, [B, K, G * count, keyCount]), valuesOf(allValues, block))
  const output = unfoldQueries(div(mixed, reshape(divisor, [B, K, G * count, 1])), sizes)
  return { output: cast(output, inputs[0].dtype), logSumExp: reshape(add(log(divisor), highest), [B, H, count]) }
}

interface BlockGradients {
  /** [B, count, H, Dh] */
  readonly q: Tensor | undefined
  /** [B, K, Tk, Dh] each, of which the last keys may be zeros. */
  readonly k: Tensor | undefined
  readonly v: Tensor | undefined
  /** [B|1, H|1, count|1, Tk] */
  readonly bias: Tensor | undefined
  /** [H] */
  readonly sinks: Tensor | undefined
}

/** Zeros where the block met no keys. */
const padKeys = (x: Tensor, axis: number, to: number): Tensor => {
  const missing = to - x.shape[axis]!
  return missing === 0 ? x : inSteps(x, (y) => pad(y, y.shape.map(() => 0), y.shape.map((_, i) => (i === axis ? missing : 0))))
}

const blockGradients = (inputs: AttentionSlots, saved: readonly [Tensor, Tensor, Tensor], attrs: Attrs, sizes: Sizes, allKeys: Tensor, allValues: Tensor, block: QueryBlock): BlockGradients => {
  const { B, H, K, G, Tk } = sizes
  const { count, keyCount } = block
  const [output, logSumExp, gradient] = saved
  const [bias, sinks] = [inputs[7], inputs[8]]
  const { scores, tanhScores, queries, keys } = scoresOf(inputs, attrs, sizes, allKeys, block)
  const rows = [B, K, G * count, keyCount]
  const exponent = statisticRows(logSumExp, sizes, block)
  const p = inSteps(scores, (s) => sub(s, exponent), exp, (x) => reshape(x, rows))
  const g = foldQueries(widened(queryRows(gradient, block)), sizes)
  const along = rowSum(mul(g, foldQueries(widened(queryRows(output, block)), sizes)))
  const ofV = isNeeded(attrs, 2) ? padKeys(matMul(p, g, { transposeA: true }), 2, Tk) : undefined
  const ofScores = inSteps(matMul(g, valuesOf(allValues, block), { transposeB: true }), (x) => sub(x, along), (x) => mul(x, p))
  const ofBias = isNeeded(attrs, 7) ? padKeys(sumTo(reshape(ofScores, [B, H, count, keyCount]), biasBlockShape(bias!, sizes, block)), 3, Tk) : undefined
  const ofProducts = tanhScores === undefined ? ofScores : inSteps(mul(tanhScores, tanhScores), (t) => sub(scalarLike(t, 1), t), (slope) => mul(reshape(slope, rows), ofScores))
  const share = (): Tensor => mul(exp(sub(sinkColumn(sinks!, sizes, along.dtype), exponent)), reshape(along, [B, K, G, count, 1]))
  return {
    q: isNeeded(attrs, 0) ? unfoldQueries(scaled(matMul(ofProducts, keys), numberOf(attrs, 'scale')), sizes) : undefined,
    k: isNeeded(attrs, 1) ? padKeys(matMul(ofProducts, queries, { transposeA: true }), 2, Tk) : undefined,
    v: ofV,
    bias: ofBias,
    sinks: isNeeded(attrs, 8) ? reshape(neg(sum(share(), { axes: [0, 3, 4] })), [H]) : undefined,
  }
}

const biasBlockShape = (bias: Tensor, { Tq }: Sizes, { count, keyCount }: QueryBlock): number[] => [bias.shape[0]!, bias.shape[1]!, bias.shape[2] === Tq ? count : 1, keyCount]

const plus = (before: Tensor | undefined, more: Tensor | undefined): Tensor | undefined =>
  before === undefined || more === undefined ? (before ?? more) : inSteps(before, (x) => inSteps(more, (y) => add(x, y)))

const zerosLike = (x: Meta, backend: Tensor['backend']): Tensor => full(backend, x.shape, 0, { dtype: x.dtype })

const joined = (parts: readonly Tensor[], axis: number): Tensor => (parts.length === 1 ? parts[0]! : concat(parts, axis))

/** `needs`: in the order of attention's inputs. */
export const attentionBackwardOp = defineOp({
  name: 'attentionBackward',
  inputs: [...slots, 'output', 'logSumExp', 'gradient'],
  infer: (inputs, attrs) => neededMetas(attrs, inputs.slice(0, 9).map((meta) => (meta === undefined ? undefined : metaOf(meta)))),
  decompose: ({ inputs: all, attrs, outputs }) => {
    const inputs = all.slice(0, 9) as unknown as AttentionSlots
    const saved = all.slice(9) as unknown as [Tensor, Tensor, Tensor]
    const [q, k, v, , , , , bias, sinks] = inputs
    const sizes = readSizes(q, k, attrs)
    const blocks = queryBlocks(inputs, attrs, sizes)
    if (blocks.length === 0) return outputs.map((meta) => zerosLike(meta, q.backend))
    const wide = accumulationDType(q.dtype)
    const [allKeys, allValues] = [keysFirst(k, sizes, wide), keysFirst(v, sizes, wide)]
    const queryParts: Tensor[] = []
    const biasParts: Tensor[] = []
    let [ofK, ofV, ofSinks]: (Tensor | undefined)[] = []
    for (const block of blocks) {
      const part = tidy(() => blockGradients(inputs, saved, attrs, sizes, allKeys, allValues, block))
      if (part.q !== undefined) queryParts.push(part.q)
      if (part.bias !== undefined) biasParts.push(part.bias)
      ;[ofK, ofV, ofSinks] = [plus(ofK, part.k), plus(ofV, part.v), plus(ofSinks, part.sinks)]
    }
    const toCache = (x: Tensor, whole: Tensor): Tensor => cast(padKeys(keysBack(x), 1, whole.shape[1]!), whole.dtype)
    const ofBias = (): Tensor => (bias!.shape[2] === sizes.Tq ? joined(biasParts, 2) : biasParts.reduce((total, x) => plus(total, x)!))
    return [
      ...(isNeeded(attrs, 0) ? [cast(joined(queryParts, 1), q.dtype)] : []),
      ...(ofK === undefined ? [] : [toCache(ofK, k)]),
      ...(ofV === undefined ? [] : [toCache(ofV, v)]),
      ...(isNeeded(attrs, 7) ? [cast(padKeys(ofBias(), 3, bias!.shape[3]!), bias!.dtype)] : []),
      ...(ofSinks === undefined ? [] : [cast(ofSinks, sinks!.dtype)]),
    ]
  },
})

/** Attributes `causal`, `window` (0: none), `softcap` (0: none), `scale`, `keyLengths` (may be absent). */
export const attentionOp = defineOp({
  name: 'attention',
  inputs: slots,
  recordOutputs: ['logSumExp'],
  infer: (inputs, attrs, recording) => {
    const { B, Tq, H } = checkAttention(inputs, attrs)
    const { dtype } = metaOf(inputs[0])
    const output = { shape: [B, Tq, H, metaOf(inputs[2]).shape[3]!], dtype }
    return recording ? [output, { shape: [B, H, Tq], dtype: accumulationDType(dtype) }] : [output]
  },
  decompose: ({ inputs: all, attrs, outputs }) => {
    const inputs = all as unknown as AttentionSlots
    const [q, k, v] = inputs
    const sizes = readSizes(q, k, attrs)
    const wide = accumulationDType(q.dtype)
    const [allKeys, allValues] = [keysFirst(k, sizes, wide), keysFirst(v, sizes, wide)]
    const parts = queryBlocks(inputs, attrs, sizes).map((block) => tidy(() => attendBlock(inputs, attrs, sizes, allKeys, allValues, block)))
    if (parts.length === 0) return outputs.map((meta) => zerosLike(meta, q.backend))
    return [joined(parts.map(({ output }) => output), 1), joined(parts.map(({ logSumExp }) => logSumExp), 2)].slice(0, outputs.length)
  },
  saves: { inputs: ['q', 'k', 'v', 'queryPositions', 'keyPositions', 'querySegments', 'keySegments', 'bias', 'sinks'], outputs: ['output', 'logSumExp'] },
  vjp: ({ saved: s, gradients: [g], attrs, needs }) =>
    callBackward(
      attentionBackwardOp,
      [s.q, s.k, s.v, s.queryPositions, s.keyPositions, s.querySegments, s.keySegments, s.bias, s.sinks, s.output, s.logSumExp, g],
      attrs,
      needs,
    ),
})

/**
 * softmax(scale · q kᵀ + bias, over the visible keys) v → [B, Tq, H, Dh]. Key j is visible to query i iff keyPositions[j] ≥ 0, and (not
 * causal or key ≤ query), and (no window or query − key < window), and the segments agree. A query that sees nothing yields zeros.
 * @throws ShapeError, DTypeError where inputs do not fit; ConfigError for a window below 1 or a softcap that is not above 0.
 */
export const attention = (inputs: AttentionInputs, options: AttentionOptions): Tensor => {
  const { q, k, v, queryPositions, keyPositions, querySegments, keySegments, bias, sinks } = inputs
  const { causal, window = Infinity, softcap = Infinity, scale, keyLengths } = options
  requireRange('attention', 'window', window, 1, Infinity)
  if (!(softcap > 0)) throw new ConfigError(`attention: expected softcap > 0, got ${softcap}`)
  const attrs = attributes({ causal, window: window === Infinity ? 0 : window, softcap: softcap === Infinity ? 0 : softcap, scale, keyLengths })
  return execOne(attentionOp, [q, k, v, queryPositions, keyPositions, querySegments, keySegments, bias, sinks], attrs)
}
