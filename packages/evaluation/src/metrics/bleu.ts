// BLEU (Papineni et al. 2002) with the tokenizers, smoothing and reference length of sacrebleu (Post 2018).
import { ConfigError } from '@weft/contracts'
import { tokenizeForBleu, type BleuTokenizer } from './bleu-tokenizers.ts'
import { checkLengths } from './likelihood.ts'

export interface BleuOptions {
  readonly tokenizer?: BleuTokenizer
  readonly lowercase?: boolean
  /** What an n-gram order without a match counts for: `exp` halves from order to order (default), `floor` 0.1, `addK` 1 more of each. */
  readonly smoothing?: 'exp' | 'floor' | 'addK' | 'none'
  /** Longest n-gram; default 4. */
  readonly maxOrder?: number
  /** Leave out orders that the sentence is too short for: right for sentences, not for corpora. */
  readonly effectiveOrder?: boolean
}

export interface BleuResult {
  /** 0 to 100. */
  readonly score: number
  /** Per order, 0 to 100. */
  readonly precisions: readonly number[]
  readonly brevityPenalty: number
  readonly predictionLength: number
  readonly referenceLength: number
}

/**
 * Corpus BLEU: 100·BP·exp(mean over n of ln pₙ), matches clipped per segment, BP = exp(1 − r/c) for a corpus shorter than its references.
 *
 * @param options.references per segment, one or more.
 * @throws ConfigError where the lists differ in length or a segment has no reference.
 */
export const bleu = (
  options: BleuOptions & { readonly predictions: readonly string[]; readonly references: readonly (readonly string[])[] },
): BleuResult => {
  const { predictions, references } = options
  checkLengths('bleu', { predictions, references })
  const sums = new Array<number>(2 * (options.maxOrder ?? 4) + 2).fill(0)
  for (const [index, prediction] of predictions.entries()) {
    for (const [place, value] of bleuStatistics(prediction, references[index]!, options).entries()) sums[place]! += value
  }
  return bleuFromSums(sums, options)
}

/** One segment's share: [prediction length, closest reference length, matches of order 1…N, n-grams of order 1…N]; they add up. */
export const bleuStatistics = (prediction: string, references: readonly string[], options: BleuOptions = {}): number[] => {
  if (references.length === 0) throw new ConfigError('bleu: expected at least one reference for every segment')
  const { tokenizer = '13a', lowercase = false, maxOrder = 4 } = options
  const tokens = (text: string) => tokenizeForBleu(lowercase ? text.toLowerCase() : text, tokenizer)
  const predicted = tokens(prediction)
  const golds = references.map(tokens)
  const matches: number[] = []
  const totals: number[] = []
  for (let n = 1; n <= maxOrder; n++) {
    const allowed = maxCounts(golds.map((gold) => countNGrams(gold, n)))
    matches.push([...countNGrams(predicted, n)].reduce((sum, [key, count]) => sum + Math.min(count, allowed.get(key) ?? 0), 0))
    totals.push(Math.max(0, predicted.length - n + 1))
  }
  return [
    predicted.length,
    closestLength(
      predicted.length,
      golds.map((gold) => gold.length),
    ),
    ...matches,
    ...totals,
  ]
}

export const bleuFromSums = (sums: readonly number[], options: BleuOptions = {}): BleuResult => {
  const { smoothing = 'exp', maxOrder = 4, effectiveOrder = false } = options
  const [predictionLength, referenceLength] = sums as [number, number]
  const brevityPenalty = predictionLength === 0 ? 0 : Math.exp(Math.min(0, 1 - referenceLength / predictionLength))
  const precisions = new Array<number>(maxOrder).fill(0)
  let orders = maxOrder
  let halving = 1
  for (let n = 0; n < maxOrder; n++) {
    const extra = smoothing === 'addK' && n > 0 ? 1 : 0
    const matched = sums[2 + n]! + extra
    const total = sums[2 + maxOrder + n]! + extra
    if (total === 0) break
    if (effectiveOrder) orders = n + 1
    if (matched > 0) precisions[n] = (100 * matched) / total
    else if (smoothing === 'exp') precisions[n] = 100 / ((halving *= 2) * total)
    else if (smoothing === 'floor') precisions[n] = 10 / total
  }
  const hasMatch = sums.slice(2, 2 + maxOrder).some((matched) => matched > 0)
  const logMean = precisions.slice(0, orders).reduce((sum, precision) => sum + Math.log(precision), 0) / orders
  return { score: hasMatch ? brevityPenalty * Math.exp(logMean) : 0, precisions, brevityPenalty, predictionLength, referenceLength }
}

export const countNGrams = (tokens: readonly string[], n: number, separator = ' '): Map<string, number> => {
  const counts = new Map<string, number>()
  for (let start = 0; start + n <= tokens.length; start++) {
    const key = tokens.slice(start, start + n).join(separator)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

const maxCounts = (maps: readonly ReadonlyMap<string, number>[]): Map<string, number> => {
  const highest = new Map<string, number>()
  for (const map of maps) for (const [key, count] of map) highest.set(key, Math.max(count, highest.get(key) ?? 0))
  return highest
}

/** The reference length next to the prediction's; of two equally near ones the shorter. */
const closestLength = (length: number, candidates: readonly number[]): number =>
  candidates.reduce((best, candidate) => {
    const [near, nearest] = [Math.abs(candidate - length), Math.abs(best - length)]
    return near < nearest || (near === nearest && candidate < best) ? candidate : best
  })
