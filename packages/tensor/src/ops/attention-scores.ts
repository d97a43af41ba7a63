// The scores of attention, a block of queries at a time: which keys a query sees, heads folded into rows, soft cap and bias.
// B batch, Tq queries, Tk keys, H query heads, K key heads, G = H / K queries a key head, Dh head size.
import type { Attrs, Meta } from '../backend.ts'
import { tensor } from '../create.ts'
import type { DType } from '../dtype.ts'
import { add, cast, equal, full, iota, lessThan, matMul, permute, reshape, scalarLike, slice, sub, tanh, where } from '../primitives.ts'
import type { Tensor } from '../tensor.ts'
import { numberOf } from './checks.ts'
import { inSteps, scaled, widened } from './scratch.ts'

/** q, k, v, queryPositions, keyPositions, querySegments, keySegments, bias, sinks. */
export type AttentionSlots = readonly [Tensor, Tensor, Tensor, Tensor?, Tensor?, Tensor?, Tensor?, Tensor?, Tensor?]

export interface Sizes {
  readonly B: number
  readonly Tq: number
  readonly Tk: number
  readonly H: number
  readonly K: number
  readonly G: number
}

export const sizesOf = (q: Meta, k: Meta): Sizes => {
  const [B, Tq, H] = q.shape as [number, number, number]
  const [, Tk, K] = k.shape as [number, number, number]
  return { B, Tq, Tk, H, K, G: H / K }
}

const lengthsOf = (attrs: Attrs): readonly number[] | undefined => attrs['keyLengths'] as readonly number[] | undefined

/** The sizes with Tk = the keys that any row can see: the rest of a cache is never read. */
export const readSizes = (q: Meta, k: Meta, attrs: Attrs): Sizes => {
  const sizes = sizesOf(q, k)
  const lengths = lengthsOf(attrs)
  return lengths === undefined ? sizes : { ...sizes, Tk: Math.max(0, ...lengths) }
}

/** `count` elements of one axis. */
const part = (x: Tensor, axis: number, start: number, count: number): Tensor =>
  x.shape[axis] === count ? reshape(x, x.shape) : slice(x, x.shape.map((_, i) => (i === axis ? start : 0)), x.shape.map((size, i) => (i === axis ? count : size)))

/** [B, T, H, D] → [B, K, G·T, D]. */
export const foldQueries = (x: Tensor, { B, K, G }: Sizes): Tensor => {
  const [, count, , size] = x.shape as [number, number, number, number]
  return reshape(permute(reshape(x, [B, count, K, G, size]), [0, 2, 3, 1, 4]), [B, K, G * count, size])
}

/** [B, K, G·T, D] → [B, T, H, D]. */
export const unfoldQueries = (x: Tensor, { B, H, K, G }: Sizes): Tensor => {
  const [, , rows, size] = x.shape as [number, number, number, number]
  return reshape(permute(reshape(x, [B, K, G, rows / G, size]), [0, 3, 1, 2, 4]), [B, rows / G, H, size])
}

/** The first keys of a cache [B, Tk, K, D] as [B, K, Tk, D], and back. */
export const keysFirst = (x: Tensor, { Tk }: Sizes, dtype: DType): Tensor => permute(cast(part(x, 1, 0, Tk), dtype), [0, 2, 1, 3])
export const keysBack = (x: Tensor): Tensor => permute(x, [0, 2, 1, 3])

/** Some of the queries, and how many of the keys they can see at most. */
export interface QueryBlock {
  readonly start: number
  readonly count: number
  readonly keyCount: number
}

/** Scores held at a time: 16 MB of f32. */
const maxScores = 2 ** 22

const isPlainSuffix = ([, , , queryPositions, keyPositions]: AttentionSlots): boolean => queryPositions === undefined && keyPositions === undefined

const isRagged = (attrs: Attrs): boolean => lengthsOf(attrs)?.some((length, _, all) => length !== all[0]) ?? false

/** Blocks of queries; in a plain causal suffix a block does not even meet the keys behind it. */
export const queryBlocks = (inputs: AttentionSlots, attrs: Attrs, { B, Tq, Tk, H }: Sizes): QueryBlock[] => {
  const step = Math.max(1, Math.floor(maxScores / Math.max(1, B * H * Tk)))
  const endsAtLast = attrs['causal'] === true && isPlainSuffix(inputs) && !isRagged(attrs)
  const blocks: QueryBlock[] = []
  for (let start = 0; start < Tq; start += step) {
    const count = Math.min(step, Tq - start)
    blocks.push({ start, count, keyCount: endsAtLast ? Math.max(0, Tk - Tq + start + count) : Tk })
  }
  return blocks
}

/** 0 where visible, −∞ where not: [B|1, 1, 1, count, keyCount]; undefined where everything is. */
const visibility = (inputs: AttentionSlots, attrs: Attrs, { Tq, Tk }: Sizes, block: QueryBlock, dtype: DType): Tensor | undefined => {
  const [{ backend }, , , queryPositions, keyPositions, querySegments, keySegments] = inputs
  const { start, count, keyCount } = block
  const lengths = lengthsOf(attrs)
  const window = numberOf(attrs, 'window')
  const asColumn = (x: Tensor): Tensor => reshape(part(x, 1, start, count), [x.shape[0]!, count, 1])
  const asRow = (x: Tensor): Tensor => reshape(part(x, 1, 0, keyCount), [x.shape[0]!, 1, keyCount])
  const whole = (value: number): Tensor => full(backend, [1, 1, 1], value, { dtype: 'i32' })
  const ends = (): Tensor => (isRagged(attrs) ? tensor(backend, Int32Array.from(lengths!), [lengths!.length, 1, 1]) : whole(Tk))
  const keyIndex = reshape(iota(backend, keyCount), [1, 1, keyCount])
  const keys = keyPositions === undefined ? keyIndex : asRow(keyPositions)
  const queries = (): Tensor => (queryPositions === undefined ? add(reshape(iota(backend, count), [1, count, 1]), add(ends(), whole(start - Tq))) : asColumn(queryPositions))
  const hidden: Tensor[] = []
  if (attrs['causal'] === true && !(isPlainSuffix(inputs) && Tq === 1)) hidden.push(lessThan(queries(), keys))
  if (window > 0) hidden.push(lessThan(scalarLike(keys, Math.min(Math.ceil(window) - 1, 2 ** 31 - 1)), sub(queries(), keys)))
  if (keyPositions !== undefined) hidden.push(lessThan(keys, scalarLike(keys, 0)))
  if (isRagged(attrs)) hidden.push(lessThan(sub(ends(), whole(1)), keyIndex))
  if (querySegments !== undefined && keySegments !== undefined) {
    const same = equal(asColumn(querySegments), asRow(keySegments))
    hidden.push(equal(same, scalarLike(same, 0)))
  }
  if (hidden.length === 0) return undefined
  const [zero, never] = [full(backend, [], 0, { dtype }), full(backend, [], -Infinity, { dtype })]
  const mask = hidden.map((flag) => where(flag, never, zero)).reduce(add)
  return reshape(mask, [mask.shape[0]!, 1, 1, mask.shape[1]!, mask.shape[2]!])
}

/** The rows and columns of a bias [B|1, H|1, Tq|1, Tk] that a block meets: [B|1, K|1, G|1, count|1, keyCount]. */
const biasOf = (bias: Tensor, { Tq, H, K, G }: Sizes, { start, count, keyCount }: QueryBlock, dtype: DType): Tensor => {
  const rows = bias.shape[2] === Tq ? part(bias, 2, start, count) : bias
  const met = cast(part(rows, 3, 0, keyCount), dtype)
  const [b, h, tq] = met.shape as [number, number, number]
  return reshape(met, h === H ? [b, K, G, tq, keyCount] : [b, 1, 1, tq, keyCount])
}

export interface Scores {
  /** [B, K, G, count, keyCount], masked. */
  readonly scores: Tensor
  /** tanh(score / softcap) where there is a soft cap. */
  readonly tanhScores: Tensor | undefined
  /** Scaled and folded: [B, K, G·count, Dh]. */
  readonly queries: Tensor
  /** Those that the block meets: [B, K, keyCount, Dh]. */
  readonly keys: Tensor
}

/** @param allKeys from `keysFirst` */
export const scoresOf = (inputs: AttentionSlots, attrs: Attrs, sizes: Sizes, allKeys: Tensor, block: QueryBlock): Scores => {
  const { B, K, G } = sizes
  const { start, count, keyCount } = block
  const [q, , , , , , , bias] = inputs
  const softcap = numberOf(attrs, 'softcap')
  const queries = foldQueries(scaled(widened(part(q, 1, start, count)), numberOf(attrs, 'scale')), sizes)
  const keys = part(allKeys, 2, 0, keyCount)
  const plain = inSteps(matMul(queries, keys, { transposeB: true }), (x) => reshape(x, [B, K, G, count, keyCount]))
  const tanhScores = softcap > 0 ? inSteps(plain, (x) => scaled(x, 1 / softcap), tanh) : undefined
  const capped = tanhScores === undefined ? plain : scaled(tanhScores, softcap)
  const mask = visibility(inputs, attrs, sizes, block, capped.dtype)
  const scores = inSteps(
    capped,
    (x) => (bias === undefined ? x : add(x, biasOf(bias, sizes, block, x.dtype))),
    (x) => (mask === undefined ? x : add(x, mask)),
  )
  return { scores, tanhScores, queries, keys }
}

/** Values that the block meets. */
export const valuesOf = (allValues: Tensor, { keyCount }: QueryBlock): Tensor => part(allValues, 2, 0, keyCount)

/** The block's rows of a tensor whose axis 1 is the queries. */
export const queryRows = (x: Tensor, { start, count }: QueryBlock): Tensor => part(x, 1, start, count)

/** The block's rows of a statistic [B, H, Tq]: [B, K, G, count, 1]. */
export const statisticRows = (x: Tensor, { B, K, G }: Sizes, { start, count }: QueryBlock): Tensor => reshape(part(x, 2, start, count), [B, K, G, count, 1])
