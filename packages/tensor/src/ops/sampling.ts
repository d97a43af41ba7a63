// Choosing the next token of each row on the device: one call for the common case. B rows, V vocabulary. The order of steps is that of
// transformers' generate: bias, mask, repetition penalty, temperature, top k, top p, min p. Cut-offs are found by bisection, never by a sort.
import { ConfigError } from '@weft/contracts'
import { tensor } from '../create.ts'
import type { DType } from '../dtype.ts'
import { exec } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { add, cast, concat, equal, exp, floor, full, iota, lessThan, max, min, minimum, mul, reshape, scalarLike, scatterAdd, slice, sub, where } from '../primitives.ts'
import type { Tensor } from '../tensor.ts'
import { disposeAll, tidy } from '../tidy.ts'
import { accumulationDType, attributes, metaOf, requireDType, requireFloat, requireRank, requireShape } from './checks.ts'
import { eachChunk, rowsFrom } from './cross-entropy.ts'
import { rowSum, scaled, shifted, widened } from './scratch.ts'
import { logSoftmax, softmax } from './softmax.ts'
import { argMax, cumSum } from './top-k.ts'

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

/** 1 for each token whose bit is set: u8 [B|1, V]. Bit j of a byte is ⌊byte / 2^j⌋ mod 2, exact in floats. */
const allowed = (mask: Tensor, vocabSize: number, dtype: DType): Tensor => {
  const [rows, bytes] = mask.shape as [number, number]
  const shares = tensor(mask.backend, [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128], [8], { dtype })
  const high = floor(mul(reshape(cast(mask, dtype), [rows, bytes, 1]), shares))
  const bits = reshape(sub(high, scaled(floor(scaled(high, 0.5)), 2)), [rows, 8 * bytes])
  return equal(slice(bits, [0, 0], [rows, vocabSize]), scalarLike(bits, 1))
}

/** Logits of tokens seen before: divided by the penalty where positive, else multiplied (Keskar et al. 2019). */
const penalized = (logits: Tensor, history: Tensor, penalty: number): Tensor => {
  const lowered = where(lessThan(logits, scalarLike(logits, 0)), scaled(logits, penalty), scaled(logits, 1 / penalty))
  return where(seen(history, logits), lowered, logits)
}

/** 1 for each token in its row's history: u8 [B, V]. Rows are flattened as far as places stay below 2^24, exact in every i32. */
const seen = (history: Tensor, logits: Tensor): Tensor => {
  const [rows, columns] = logits.shape as [number, number]
  const parts: Tensor[] = []
  eachChunk(rows, columns, rows, (start, count) => {
    parts.push(
      tidy(() => {
        const ids = rowsFrom(history, start, count)
        const firsts = reshape(mul(iota(ids.backend, count), scalarLike(ids, columns)), [count, 1])
        const isToken = mul(lessThan(scalarLike(ids, -1), ids), lessThan(ids, scalarLike(ids, columns)))
        const places = reshape(where(isToken, add(ids, firsts), scalarLike(ids, -1)), [ids.size])
        const counts = scatterAdd(places, full(ids.backend, [ids.size], 1, { dtype: logits.dtype }), count * columns)
        return reshape(lessThan(scalarLike(counts, 0), counts), [count, columns])
      }),
    )
  })
  return parts.length === 1 ? parts[0]! : concat(parts, 0)
}

// 45 halvings narrow a gap of 100 to 3e-12: no two f32 logits above 1e-4 below the maximum are that close.
const halvings = 45

/**
 * Bisection in each row at once: low [B, 1] is in, high [B, 1] is out; returns the largest threshold found in. `isIn` is told which
 * elements lie below the threshold (1 or 0 in x's dtype) and must be monotone.
 */
const bisect = (x: Tensor, low: Tensor, high: Tensor, isIn: (isBelow: Tensor) => Tensor): Tensor => {
  let [inside, outside] = [low, high]
  for (let i = 0; i < halvings; i++) {
    const [nextInside, nextOutside] = tidy(() => {
      const middle = scaled(add(inside, outside), 0.5)
      const holds = isIn(cast(lessThan(x, middle), x.dtype))
      return [where(holds, middle, inside), where(holds, outside, middle)] as const
    })
    if (i > 0) disposeAll([inside, outside])
    ;[inside, outside] = [nextInside, nextOutside]
  }
  return inside
}

const rowMax = (x: Tensor): Tensor => max(x, { axes: [1], keepDims: true })

/** The k largest, ties with the k-th included. */
const keepTopK = (logits: Tensor, k: number): Tensor => {
  const columns = logits.shape[1]!
  const finite = where(lessThan(logits, scalarLike(logits, -1e30)), scalarLike(logits, Infinity), logits)
  const bottom = min(finite, { axes: [1], keepDims: true })
  const cut = bisect(logits, bottom, shifted(rowMax(logits), 1), (isBelow) => lessThan(rowSum(isBelow), scalarLike(logits, columns - k + 0.5)))
  return where(lessThan(logits, cut), lowest(logits), logits)
}

/** The likeliest whose mass reaches p, the one that crosses p included: what lies below the cut has at most the mass 1 − p. */
const keepTopP = (logits: Tensor, p: number): Tensor => {
  const probabilities = softmax(logits)
  const best = rowMax(probabilities)
  const cut = bisect(probabilities, scaled(best, 0), best, (isBelow) => lessThan(rowSum(mul(isBelow, probabilities)), scalarLike(best, 1 - p)))
  return where(lessThan(probabilities, cut), lowest(logits), logits)
}

/** Those at least minP times as likely as the likeliest: a difference of logits. */
const keepMinP = (logits: Tensor, minP: number): Tensor => where(lessThan(logits, shifted(rowMax(logits), Math.log(minP))), lowest(logits), logits)

const filtered = (logits: Tensor, { topK = 0, topP = 1, minP = 0 }: SampleOptions): Tensor => {
  const best = topK > 0 && topK < logits.shape[1]! ? keepTopK(logits, topK) : logits
  const massive = topP < 1 ? keepTopP(best, topP) : best
  return minP > 0 ? keepMinP(massive, minP) : massive
}

/** The first token of probability above 0 at which the running sum of probabilities passes u. */
const drawn = (logits: Tensor, uniforms: Tensor): Tensor => {
  const [rows, columns] = logits.shape as [number, number]
  const weights = exp(sub(logits, rowMax(logits)))
  const running = cumSum(weights, { axis: 1 })
  const goal = mul(slice(running, [0, columns - 1], [rows, 1]), reshape(cast(uniforms, logits.dtype), [rows, 1]))
  const isPossible = lessThan(scalarLike(weights, 0), weights)
  const index = reshape(iota(logits.backend, columns), [1, columns])
  const lastPossible = max(where(isPossible, index, scalarLike(index, 0)), { axes: [1] })
  // Rounding may leave the running sum a little uneven: only possible tokens count, and the last one where none passes.
  const first = min(where(isPossible, where(lessThan(goal, running), index, scalarLike(index, columns - 1)), scalarLike(index, columns - 1)), { axes: [1] })
  return minimum(first, lastPossible)
}

/** ln softmax(raw logits) at each row's token. */
const logProbsOf = (raw: Tensor, tokenIds: Tensor): Tensor => {
  const logProbs = logSoftmax(widened(raw))
  const [rows, columns] = raw.shape as [number, number]
  const isToken = equal(reshape(iota(raw.backend, columns), [1, columns]), reshape(tokenIds, [rows, 1]))
  return max(where(isToken, logProbs, lowest(logProbs)), { axes: [1] })
}

/** Attributes `temperature`, `topK` (0: all), `topP` (1: all), `minP` (0: all), `repetitionPenalty` (1: none). */
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
    if (history !== undefined) {
      requireDType(op, 'history', metaOf(history), 'i32')
      requireRank(op, 'history', metaOf(history), 2, '[B, N]')
      requireShape(op, 'history', metaOf(history), [rows, metaOf(history).shape[1]!], '[B, N]')
    }
    requireShape(op, 'uniforms', metaOf(uniforms), [rows], '[B]')
    return [{ shape: [rows], dtype: 'i32' }, { shape: [rows], dtype: accumulationDType(metaOf(logits).dtype) }]
  },
  decompose: ({ inputs, attrs }) => {
    const [raw, bias, mask, history, uniforms] = inputs as readonly [Tensor, Tensor | undefined, Tensor | undefined, Tensor | undefined, Tensor]
    const options = attrs as unknown as SampleOptions
    const columns = raw.shape[1]!
    const penalty = options.repetitionPenalty ?? 1
    let logits = widened(raw)
    if (bias !== undefined) logits = add(logits, cast(bias, logits.dtype))
    if (mask !== undefined) logits = where(allowed(mask, columns, logits.dtype), logits, lowest(logits))
    if (history !== undefined && penalty !== 1) logits = penalized(logits, history, penalty)
    const tokenIds = options.temperature === 0 ? argMax(logits) : drawn(filtered(scaled(logits, 1 / options.temperature), options), uniforms)
    return [tokenIds, logProbsOf(raw, tokenIds)]
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
