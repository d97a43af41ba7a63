// Log-probabilities of wanted tokens, one batch of score-plan.ts at a time. No [tokens, vocabulary] tensor beyond a fixed size is
// ever made. N wanted positions, D dModel, V vocabSize.
import { disposeAll, keep, noGrad, read, tensor, tidy, type Tensor } from '@weft/tensor'
import { argMax, crossEntropy, gather, reshape } from '@weft/tensor/ops'
import { abortable } from './abortable.ts'
import { forwardHidden } from './decoder-model.ts'
import { createKvCache, type KvCache } from './kv-cache.ts'
import type { Model } from './model.ts'
import type { ScoreBatch, ScoreUnit } from './score-plan.ts'

export interface UnitScore {
  readonly index: number
  /** Σ ln p of the targets. */
  readonly logProb: number
  /** Whether each target was the likeliest token. */
  readonly isGreedy: boolean
}

// 16 MB of f32 logits at a time.
const maxLogits = 2 ** 22

export const scoreBatch = async (model: Model, batch: ScoreBatch, signal: AbortSignal | undefined): Promise<UnitScore[]> => {
  const units = batch.flatMap((group) => group.units)
  const wanted = units.flatMap(({ targets }) => Array.from(targets))
  const rows = keep(noGrad(() => tidy(() => wantedRows(model, batch)))) // [N, D]
  try {
    const losses = new Float64Array(wanted.length)
    const likeliest = new Uint32Array(wanted.length)
    const chunk = Math.max(1, Math.floor(maxLogits / model.config.vocabSize))
    for (let start = 0; start < wanted.length; start += chunk) {
      const part = await scoreRows(model, rows, { start, targets: wanted.slice(start, start + chunk), signal })
      losses.set(part.losses, start)
      likeliest.set(part.likeliest, start)
    }
    return collect(units, losses, likeliest)
  } finally {
    rows.dispose()
  }
}

/** ln p of the next token after each text, [texts, V] in rows. */
export const nextTokenLogits = (model: Model, texts: readonly Uint32Array[]): Tensor =>
  noGrad(() => {
    const { padded, longest } = paddedTokens(texts)
    return model.forward({ tokenIds: tensor(model.backend, padded, [texts.length, longest]), lengths: texts.map((text) => text.length), logitsAt: 'last' }).logits
  })

const collect = (units: readonly ScoreUnit[], losses: Float64Array, likeliest: Uint32Array): UnitScore[] => {
  let next = 0
  return units.map(({ index, targets }) => {
    const start = next
    next += targets.length
    const logProb = -losses.subarray(start, next).reduce((sum, loss) => sum + loss, 0)
    return { index, logProb, isGreedy: targets.every((target, i) => likeliest[start + i] === target) }
  })
}

const scoreRows = async (
  model: Model,
  rows: Tensor,
  options: { readonly start: number; readonly targets: readonly number[]; readonly signal: AbortSignal | undefined },
): Promise<{ losses: ArrayLike<number>; likeliest: ArrayLike<number> }> => {
  const { start, targets, signal } = options
  const made = noGrad(() =>
    tidy(() => {
      const indices = tensor(model.backend, Int32Array.from(targets, (_, i) => start + i), [targets.length])
      const logits = model.logits(gather(rows, indices))
      return { losses: crossEntropy(logits, tensor(model.backend, Int32Array.from(targets), [targets.length])), likeliest: argMax(logits) }
    }),
  )
  const reads = Promise.all([read(made.losses), read(made.likeliest)])
  disposeAll(made)
  const [losses, likeliest] = await abortable(reads, signal)
  return { losses, likeliest }
}

/** Hidden states [N, D] at every wanted position, in the order of the units. */
const wantedRows = (model: Model, batch: ScoreBatch): Tensor => {
  const tails = batch.flatMap(({ prefixLength, units }) => units.map(({ input, targets }) => ({ ids: input.subarray(prefixLength), count: targets.length })))
  const { padded, longest } = paddedTokens(tails.map(({ ids }) => ids))
  const cache = batch.some(({ prefixLength }) => prefixLength > 0) ? prefixCache(model, batch, longest) : undefined
  try {
    const tokenIds = tensor(model.backend, padded, [tails.length, longest])
    const hidden = forwardHidden(model, { tokenIds, ...(cache === undefined ? {} : { kvCache: cache, lengths: tails.map(({ ids }) => ids.length) }) })
    const indices = tails.flatMap(({ ids, count }, row) => Array.from({ length: count }, (_, i) => row * longest + ids.length - count + i))
    return gather(reshape(hidden, [tails.length * longest, model.config.dModel]), tensor(model.backend, Int32Array.from(indices), [indices.length]))
  } finally {
    cache?.dispose()
  }
}

/** Every group's beginning, computed once, then one row for each of its units. */
const prefixCache = (model: Model, batch: ScoreBatch, room: number): KvCache => {
  const prefixes = batch.map(({ prefixLength, units }) => units[0]!.input.subarray(0, prefixLength))
  const { padded, longest } = paddedTokens(prefixes)
  const cache = createKvCache(model, { rows: batch.length, maxTokens: Math.min(model.config.contextLength, longest + room) })
  try {
    const tokenIds = tensor(model.backend, padded, [batch.length, longest])
    forwardHidden(model, { tokenIds, kvCache: cache, lengths: prefixes.map((prefix) => prefix.length) })
    return cache.fork(batch.flatMap(({ units }, group) => units.map(() => group)))
  } finally {
    cache.dispose()
  }
}

/** Rows of equal length; what is padded on the right, no token before it can see. */
const paddedTokens = (texts: readonly Uint32Array[]): { padded: Int32Array; longest: number } => {
  const longest = Math.max(...texts.map((text) => text.length))
  const padded = new Int32Array(texts.length * longest)
  texts.forEach((text, row) => padded.set(text, row * longest))
  return { padded, longest }
}
