// Choosing the next token of each row on the device: one call for the common case. B rows, V vocabulary. The order of steps is that of
// transformers' generate: repetition penalty, temperature, top k, top p, min p. Cut-offs are found by bisection, never by a sort.
import { ConfigError } from '@weft/contracts'
import { exec } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { add, cast, div, equal, floor, full, gather, iota, lessThan, max, min, minimum, mul, reshape, scalarLike, scatterAdd, slice, sub, sum, where } from '../primitives.ts'
import type { Tensor } from '../tensor.ts'
import { tidy } from '../tidy.ts'
import { attributes, metaOf, requireDType, requireFloat, requireRank, requireShape } from './checks.ts'
import { logSoftmax, softmax } from './softmax.ts'
import { argMax, cumSum } from './top-k.ts'
import { rowSum, scaled, shifted, widened } from './scratch.ts'

export interface SampleInputs {
  /** [B, V] */
  readonly logits: Tensor
  /** f32 [B|1, V], added to the logits. */
  readonly bias?: Tensor | undefined
  /** u8 [B|1, 4·⌈V/32⌉]: a bit per token, the lowest first; 0 = forbidden. */
  readonly mask?: Tensor | undefined
  /** i32 [B, N] token ids so far, −1 = empty; for the repetition penalty. */
  readonly history?: Tensor | undefined
  /** f32 [B] in [0, 1). */
  readonly uniforms: Tensor
}

export interface SampleOptions {
  /** 0: the likeliest token. */
  readonly temperature: number
  readonly topK?: number | undefined
  readonly topP?: number | undefined
  readonly minP?: number | undefined
  readonly repetitionPenalty?: number | undefined
}

const lowest = (x: Tensor): Tensor => scalarLike(x, -Infinity)

/** 1 for each token whose bit is set: u8 [B|1, V]. */
const allowed = (mask: Tensor, vocabSize: number, dtype: Tensor['dtype']): Tensor => {
  const tokens = iota(mask.backend, vocabSize, { dtype })
  const byteIndex = floor(scaled(tokens, 1 / 8))
  const bit = sub(tokens, scaled(byteIndex, 8))
  const bytes = cast(gather(mask, cast(byteIndex, 'i32'), 1), dtype)
  // Bit j of a byte: ⌊byte / 2^j⌋ mod 2, exact in floats.
  const powers = gather(tensorOfPowers(mask, dtype), cast(bit, 'i32'), 0)
  const shiftedBytes = floor(div(bytes, powers))
  return equal(sub(shiftedBytes, scaled(floor(scaled(shiftedBytes, 0.5)), 2)), scalarLike(bytes, 1))
}

const tensorOfPowers = (x: Tensor, dtype: Tensor['dtype']): Tensor => {
  const powers = [1, 2, 4, 8, 16, 32, 64, 128]
  return powers.map((value, j) => mul(full(x.backend, [8], value, { dtype }), cast(equal(iota(x.backend, 8), full(x.backend, [], j, { dtype: 'i32' })), dtype))).reduce(add)
}

/** Logits of tokens seen before: divided by the penalty where positive, else multiplied (Keskar et al. 2019). */
const penalized = (logits: Tensor, history: Tensor, penalty: number): Tensor => {
  const [rows, columns] = logits.shape as [number, number]
  const starts = reshape(scaledIndex(iota(logits.backend, rows), columns), [rows, 1])
  const places = where(lessThan(history, scalarLike(history, 0)), scalarLike(history, -1), add(history, starts))
  const counts = scatterAdd(reshape(places, [places.size]), full(logits.backend, [places.size], 1, { dtype: logits.dtype }), rows * columns)
  const isSeen = lessThan(scalarLike(counts, 0), reshape(counts, [rows, columns]))
  const lowered = where(lessThan(logits, scalarLike(logits, 0)), scaled(logits, penalty), scaled(logits, 1 / penalty))
  return where(isSeen, lowered, logits)
}

const scaledIndex = (index: Tensor, by: number): Tensor => mul(index, scalarLike(index, by))

/**
 * The largest threshold t of each row [B, 1] for which `holds(x ≥ t)`, monotone in t: bisection between the row's ends. 45 halvings
 * narrow a gap of 100 below the spacing of f32 numbers, so no value of the row lies between the result and the true cut-off.
 */
const bisect = (x: Tensor, low: Tensor, high: Tensor, holds: (isAbove: Tensor) => Tensor): Tensor => {
  let [inside, outside] = [low, high]
  for (let i = 0; i < 45; i++) {
    ;({ inside, outside } = tidy(() => {
      const middle = scaled(add(inside, outside), 0.5)
      const isInside = holds(cast(lessThan(x, middle), x.dtype))
      return { inside: where(isInside, middle, inside), outside: where(isInside, outside, middle) }
    }))
  }
  return inside
}

const filtered = (logits: Tensor, options: SampleOptions): Tensor => {
  const { topK = 0, topP = 1, minP = 0 } = options
  let kept = logits
  const columns = logits.shape[1]!
  if (topK > 0 && topK < columns) {
    const finite = where(lessThan(kept, scalarLike(kept, -1e30)), scalarLike(kept, Infinity), kept)
    const bottom = min(finite, { axes: [1], keepDims: true })
    const top = shifted(max(kept, { axes: [1], keepDims: true }), 1)
    const cut = bisect(kept, bottom, top, (isBelow) => lessThan(rowSum(isBelow), full(kept.backend, [], columns - topK + 0.5, { dtype: kept.dtype })))
    kept = where(lessThan(kept, cut), lowest(kept), kept)
  }
  if (topP < 1) {
    const p = softmax(kept)
    const zero = full(kept.backend, [kept.shape[0]!, 1], 0, { dtype: kept.dtype })
    const mass = rowSum(p)
    const cut = bisect(p, zero, shifted(max(p, { axes: [1], keepDims: true }), 0), (isBelow) => lessThan(rowSum(mul(isBelow, p)), shifted(mass, -topP)))
    kept = where(lessThan(p, cut), lowest(kept), kept)
  }
  if (minP > 0) {
    const p = softmax(kept)
    kept = where(lessThan(p, scaled(max(p, { axes: [1], keepDims: true }), minP)), lowest(kept), kept)
  }
  return kept
}

/** The first token at which the running sum of probabilities passes u. */
const drawn = (logits: Tensor, uniforms: Tensor): Tensor => {
  const [rows, columns] = logits.shape as [number, number]
  const running = cumSum(softmax(logits), { axis: 1 })
  const total = slice(running, [0, columns - 1], [rows, 1])
  // Rounding must not carry u to the very end of the sum, where tokens of probability 0 may stand.
  const goal = minimum(mul(total, reshape(cast(uniforms, logits.dtype), [rows, 1])), scaled(total, 1 - 2 ** -22))
  const isPast = lessThan(goal, running)
  const index = reshape(iota(logits.backend, columns), [1, columns])
  return reshape(min(where(isPast, index, full(logits.backend, [], columns - 1, { dtype: 'i32' })), { axes: [1] }), [rows])
}

export const sampleTokenOp = defineOp({
  name: 'sampleToken',
  inputs: ['logits', 'bias?', 'mask?', 'history?', 'uniforms'],
  outputs: ['tokenIds', 'logProbs'],
  infer: ([logits, bias, mask, history, uniforms]) => {
    const op = 'sampleToken'
    requireFloat(op, 'logits', metaOf(logits))
    requireRank(op, 'logits', metaOf(logits), 2, '[B, V]')
    const [rows, columns] = metaOf(logits).shape as [number, number]
    const batchOf = (size: number | undefined): number => (size === 1 ? 1 : rows)
    if (bias !== undefined) requireShape(op, 'bias', metaOf(bias), [batchOf(metaOf(bias).shape[0]), columns], '[B|1, V]')
    if (mask !== undefined) {
      requireDType(op, 'mask', metaOf(mask), 'u8')
      requireShape(op, 'mask', metaOf(mask), [batchOf(metaOf(mask).shape[0]), 4 * Math.ceil(columns / 32)], '[B|1, 4·⌈V/32⌉]')
    }
    if (history !== undefined) requireDType(op, 'history', metaOf(history), 'i32')
    requireShape(op, 'uniforms', metaOf(uniforms), [rows], '[B]')
    return [{ shape: [rows], dtype: 'i32' }, { shape: [rows], dtype: 'f32' }]
  },
  decompose: ({ inputs, attrs }) => {
    const [raw, bias, mask, history, uniforms] = inputs as readonly [Tensor, Tensor | undefined, Tensor | undefined, Tensor | undefined, Tensor]
    const options = attrs as unknown as SampleOptions
    const [rows, columns] = raw.shape as [number, number]
    const penalty = options.repetitionPenalty ?? 1
    let logits = widened(raw)
    if (bias !== undefined) logits = add(logits, cast(bias, logits.dtype))
    if (mask !== undefined) logits = where(allowed(mask, columns, logits.dtype), logits, lowest(logits))
    if (history !== undefined && penalty !== 1) logits = penalized(logits, history, penalty)
    const tokenIds = options.temperature === 0 ? argMax(logits) : drawn(filtered(scaled(logits, 1 / options.temperature), options), uniforms)
    const flat = reshape(logSoftmax(widened(raw)), [rows * columns])
    const places = add(scaledIndex(iota(raw.backend, rows), columns), tokenIds)
    return [tokenIds, cast(gather(flat, places, 0), 'f32')]
  },
})

/**
 * Draws a token for each row: penalty, temperature, top k, top p, min p, then the first token at which the running sum of
 * probabilities passes the row's uniform. `logProbs` are of the raw logits.
 * @throws ConfigError for settings out of range.
 */
export const sampleToken = (inputs: SampleInputs, options: SampleOptions): { tokenIds: Tensor; logProbs: Tensor } => {
  const { temperature, topP = 1, minP = 0, topK = 0, repetitionPenalty = 1 } = options
  const require = (isRight: boolean, name: string, range: string, value: number): void => {
    if (!isRight) throw new ConfigError(`sampleToken: expected ${name} ${range}, got ${value}`)
  }
  require(temperature >= 0 && temperature < Infinity, 'temperature', '≥ 0', temperature)
  require(topP > 0 && topP <= 1, 'topP', 'in (0, 1]', topP)
  require(minP >= 0 && minP <= 1, 'minP', 'in [0, 1]', minP)
  require(Number.isInteger(topK) && topK >= 0, 'topK', 'an integer ≥ 0', topK)
  require(repetitionPenalty > 0, 'repetitionPenalty', '> 0', repetitionPenalty)
  const [tokenIds, logProbs] = exec(
    sampleTokenOp,
    [inputs.logits, inputs.bias, inputs.mask, inputs.history, inputs.uniforms],
    attributes({ temperature, topK, topP, minP, repetitionPenalty }),
  ) as [Tensor, Tensor]
  return { tokenIds, logProbs }
}
