// Scaled dot-product attention. B batch, Tq queries, Tk keys, H query heads, K key heads, G = H / K queries a key head, Dh head size.
// Absent positions mean a plain suffix: the queries are the last ones before the keys' end. One rule of visibility covers left
// padding, packing, ring caches and rollback. The decomposition folds the G heads of a group into the rows of one product, so keys
// are never repeated; the backward pass recomputes the probabilities from the log-sum-exp (Dao et al. 2022).
import type { Attrs, Meta, Slot } from '../backend.ts'
import { ShapeError } from '../errors.ts'
import { execOne, requireSameDType } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { tensor } from '../create.ts'
import { add, cast, div, equal, exp, full, iota, lessThan, log, matMul, max, maximum, mul, neg, pad, permute, reshape, scalarLike, slice, sub, sum, sumTo, tanh, where } from '../primitives.ts'
import { formatShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { callBackward, isNeeded, neededMetas } from './backward.ts'
import { accumulationDType, attributes, metaOf, numberOf, requireDType, requireFloat, requireRank, requireShape } from './checks.ts'
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

type Inputs = readonly [Tensor, Tensor, Tensor, Tensor?, Tensor?, Tensor?, Tensor?, Tensor?, Tensor?]

interface Sizes {
  readonly B: number
  readonly Tq: number
  readonly Tk: number
  readonly H: number
  readonly K: number
  readonly G: number
  readonly Dh: number
}

const sizesOf = (q: Meta, k: Meta): Sizes => {
  const [B, Tq, H, Dh] = q.shape as [number, number, number, number]
  const [, Tk, K] = k.shape as [number, number, number, number]
  return { B, Tq, Tk, H, K, G: H / K, Dh }
}

const checkAttention = (inputs: readonly Slot<Meta>[], attrs: Attrs): Sizes => {
  const [q, k, v] = inputs.map(metaOf) as [Meta, Meta, Meta]
  for (const [name, meta] of [['q', q], ['k', k], ['v', v]] as const) {
    requireFloat('attention', name, meta)
    requireRank('attention', name, meta, 4, name === 'q' ? '[B, Tq, H, Dh]' : '[B, Tk, K, Dh]')
  }
  requireSameDType('attention', [k, v])
  const sizes = sizesOf(q, k)
  const { B, Tq, Tk, H, K, G, Dh } = sizes
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

/** Keys that any row can see: all rows of equal length end there, so the rest is never read. */
const readLength = (attrs: Attrs, Tk: number): number => {
  const lengths = attrs['keyLengths'] as readonly number[] | undefined
  return lengths === undefined ? Tk : Math.max(0, ...lengths)
}

const firstKeys = (x: Tensor, axis: number, length: number): Tensor =>
  x.shape[axis] === length ? x : slice(x, x.shape.map(() => 0), x.shape.map((size, i) => (i === axis ? length : size)))

/** [B, Tq, H, D] → [B, K, G·Tq, D]. */
const foldQueries = (x: Tensor, { B, Tq, K, G }: Sizes): Tensor => {
  const size = x.shape[3]!
  return reshape(permute(reshape(x, [B, Tq, K, G, size]), [0, 2, 3, 1, 4]), [B, K, G * Tq, size])
}

/** [B, K, G·Tq, D] → [B, Tq, H, D]. */
const unfoldQueries = (x: Tensor, { B, Tq, H, K, G }: Sizes): Tensor => {
  const size = x.shape[3]!
  return reshape(permute(reshape(x, [B, K, G, Tq, size]), [0, 3, 1, 2, 4]), [B, Tq, H, size])
}

const keysFirst = (x: Tensor): Tensor => permute(x, [0, 2, 1, 3])

/** 0 where visible, −∞ where not: [B|1, 1, 1, Tq, Tk]; undefined where everything is. */
const visibility = (inputs: Inputs, attrs: Attrs, sizes: Sizes, dtype: Tensor['dtype']): Tensor | undefined => {
  const [q, , , queryPositions, keyPositions, querySegments, keySegments] = inputs
  const { backend } = q
  const { B, Tq, Tk } = sizes
  const lengths = attrs['keyLengths'] as readonly number[] | undefined
  const isRagged = lengths !== undefined && lengths.some((length) => length !== lengths[0])
  const causal = attrs['causal'] === true
  const window = numberOf(attrs, 'window')
  const isPlain = queryPositions === undefined && keyPositions === undefined
  const asColumn = (x: Tensor): Tensor => reshape(x, [x.shape[0]!, Tq, 1])
  const asRow = (x: Tensor): Tensor => reshape(firstKeys(x, 1, Tk), [x.shape[0]!, 1, Tk])
  const keyIndex = reshape(iota(backend, Tk), [1, 1, Tk])
  const keys = keyPositions === undefined ? keyIndex : asRow(keyPositions)
  const ends = (): Tensor => (isRagged ? tensor(backend, Int32Array.from(lengths), [B, 1, 1]) : full(backend, [1, 1, 1], lengths?.[0] ?? Tk, { dtype: 'i32' }))
  const queries = (): Tensor => (queryPositions === undefined ? add(reshape(iota(backend, Tq), [1, Tq, 1]), sub(ends(), scalarLike(keyIndex, Tq))) : asColumn(queryPositions))
  const hidden: Tensor[] = []
  if (causal && !(isPlain && Tq === 1)) hidden.push(lessThan(queries(), keys))
  if (window > 0) hidden.push(lessThan(scalarLike(keys, window - 1), sub(queries(), keys)))
  if (keyPositions !== undefined) hidden.push(lessThan(keys, scalarLike(keys, 0)))
  if (isRagged) hidden.push(lessThan(sub(ends(), scalarLike(keyIndex, 1)), keyIndex))
  if (querySegments !== undefined && keySegments !== undefined) {
    const same = equal(asColumn(querySegments), asRow(keySegments))
    hidden.push(equal(same, scalarLike(same, 0)))
  }
  if (hidden.length === 0) return undefined
  const zero = full(backend, [], 0, { dtype })
  const never = full(backend, [], -Infinity, { dtype })
  const mask = hidden.map((flag) => where(flag, never, zero)).reduce(add)
  return reshape(mask, [mask.shape[0]!, 1, 1, mask.shape[1]!, mask.shape[2]!])
}

interface Scores {
  /** [B, K, G, Tq, Tk], masked. */
  readonly scores: Tensor
  /** tanh(score / softcap) where there is a softcap. */
  readonly tanhScores: Tensor | undefined
  readonly queries: Tensor
  readonly keys: Tensor
  readonly sizes: Sizes
}

const scoresOf = (inputs: Inputs, attrs: Attrs): Scores => {
  const [q, k, , , , , , bias] = inputs
  const sizes = { ...sizesOf(q, k), Tk: readLength(attrs, k.shape[1]!) }
  const { B, Tq, Tk, H, K, G } = sizes
  const queries = foldQueries(scaled(widened(q), numberOf(attrs, 'scale')), sizes)
  const keys = keysFirst(cast(firstKeys(k, 1, Tk), queries.dtype))
  const softcap = numberOf(attrs, 'softcap')
  const plain = reshape(matMul(queries, keys, { transposeB: true }), [B, K, G, Tq, Tk])
  const tanhScores = softcap > 0 ? inSteps(scaled(plain, 1 / softcap), tanh) : undefined
  const capped = tanhScores === undefined ? plain : scaled(tanhScores, softcap)
  const biased = bias === undefined ? capped : add(capped, biasByGroup(cast(firstKeys(bias, 3, Tk), queries.dtype), H, K, G))
  const mask = visibility(inputs, attrs, sizes, biased.dtype)
  return { scores: mask === undefined ? biased : inSteps(biased, (x) => add(x, mask)), tanhScores, queries, keys, sizes }
}

/** [B|1, H|1, Tq|1, Tk] → [B|1, K|1, G|1, Tq|1, Tk]. */
const biasByGroup = (bias: Tensor, H: number, K: number, G: number): Tensor => {
  const [b, h, tq, tk] = bias.shape as [number, number, number, number]
  return reshape(bias, h === H ? [b, K, G, tq, tk] : [b, 1, 1, tq, tk])
}

const sinkColumn = (sinks: Tensor, { K, G }: Sizes): Tensor => reshape(widened(sinks), [1, K, G, 1, 1])

// A query that sees nothing has only −∞: these floors make its weights exactly 0 instead of 0/0.
const lowestMaximum = -1e30
const smallestSum = 1e-30

export const attentionBackwardOp = defineOp({
  name: 'attentionBackward',
  inputs: [...slots, 'output', 'logSumExp', 'gradient'],
  infer: (inputs, attrs) => neededMetas(attrs, inputs.slice(0, 9).map((meta) => (meta === undefined ? undefined : metaOf(meta)))),
  decompose: ({ inputs, attrs }) => {
    const [q, k, v, , , , , bias, sinks] = inputs as unknown as Inputs
    const [output, logSumExp, gradient] = inputs.slice(9) as [Tensor, Tensor, Tensor]
    const { scores, tanhScores, queries, keys, sizes } = scoresOf(inputs as unknown as Inputs, attrs)
    const { B, Tq, Tk, K, G, H } = sizes
    const rows = [B, K, G * Tq, Tk]
    const exponent = reshape(logSumExp, [B, K, G, Tq, 1])
    const p = inSteps(scores, (s) => sub(s, exponent), exp, (x) => reshape(x, rows))
    const g = foldQueries(widened(gradient), sizes)
    const along = rowSum(mul(g, foldQueries(widened(output), sizes)))
    const restore = (x: Tensor, whole: Tensor): Tensor => {
      const perKey = keysFirst(x)
      const missing = whole.shape[1]! - Tk
      return cast(missing === 0 ? perKey : pad(perKey, [0, 0, 0, 0], [0, missing, 0, 0]), whole.dtype)
    }
    const outputs: Tensor[] = []
    const values = keysFirst(cast(firstKeys(v, 1, Tk), g.dtype))
    const ofScores = inSteps(matMul(g, values, { transposeB: true }), (x) => sub(x, along), (x) => mul(x, p))
    const softcapped = (): Tensor =>
      tanhScores === undefined ? ofScores : inSteps(mul(tanhScores, tanhScores), (t) => sub(scalarLike(t, 1), t), (slope) => mul(reshape(slope, rows), ofScores))
    const ofProducts = softcapped()
    if (isNeeded(attrs, 0)) outputs.push(cast(unfoldQueries(scaled(matMul(ofProducts, keys), numberOf(attrs, 'scale')), sizes), q.dtype))
    if (isNeeded(attrs, 1)) outputs.push(restore(matMul(ofProducts, queries, { transposeA: true }), k))
    if (isNeeded(attrs, 2)) outputs.push(restore(matMul(p, g, { transposeA: true }), v))
    if (isNeeded(attrs, 7)) {
      const byHead = sumTo(reshape(ofScores, [B, H, Tq, Tk]), [...bias!.shape.slice(0, 3), Tk])
      const missing = bias!.shape[3]! - Tk
      outputs.push(cast(missing === 0 ? byHead : pad(byHead, [0, 0, 0, 0], [0, 0, 0, missing]), bias!.dtype))
    }
    if (isNeeded(attrs, 8)) {
      const share = exp(sub(sinkColumn(sinks!, sizes), exponent))
      const perRow = mul(share, reshape(along, [B, K, G, Tq, 1]))
      outputs.push(cast(reshape(neg(sum(perRow, { axes: [0, 3, 4] })), [H]), sinks!.dtype))
    }
    return outputs
  },
})

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
  decompose: ({ inputs, attrs, outputs }) => {
    const [q, , v, , , , , , sinks] = inputs as unknown as Inputs
    const { scores, sizes } = scoresOf(inputs as unknown as Inputs, attrs)
    const { B, Tq, Tk, H, K, G } = sizes
    const peak = max(scores, { axes: [-1], keepDims: true })
    const floor = maximum(peak, scalarLike(peak, lowestMaximum))
    const highest = sinks === undefined ? floor : maximum(floor, sinkColumn(sinks, sizes))
    const weights = inSteps(scores, (s) => sub(s, highest), exp)
    const seen = rowSum(weights)
    const total = sinks === undefined ? seen : add(seen, exp(sub(sinkColumn(sinks, sizes), highest)))
    const divisor = maximum(total, scalarLike(total, smallestSum))
    const mixed = matMul(reshape(weights, [B, K, G * Tq, Tk]), keysFirst(cast(firstKeys(v, 1, Tk), weights.dtype)))
    const output = cast(unfoldQueries(div(mixed, reshape(divisor, [B, K, G * Tq, 1])), sizes), q.dtype)
    return outputs.length === 1 ? [output] : [output, reshape(add(log(divisor), highest), [B, H, Tq])]
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
 * @throws ShapeError, DTypeError.
 */
export const attention = (inputs: AttentionInputs, options: AttentionOptions): Tensor =>
  execOne(
    attentionOp,
    [inputs.q, inputs.k, inputs.v, inputs.queryPositions, inputs.keyPositions, inputs.querySegments, inputs.keySegments, inputs.bias, inputs.sinks],
    attributes({ causal: options.causal, window: options.window ?? 0, softcap: options.softcap ?? 0, scale: options.scale, keyLengths: options.keyLengths }),
  )

