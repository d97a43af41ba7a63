// chrF and chrF++ (Popović 2015, 2017): F-score over character n-grams, with word n-grams in the second; averages as sacrebleu takes them.
import { ConfigError } from '@weft/contracts'
import { countNGrams } from './bleu.ts'
import { checkLengths } from './likelihood.ts'
import { splitSpaced } from './text-units.ts'

export interface ChrFOptions {
  /** Longest character n-gram; default 6. */
  readonly characterOrder?: number
  /** Longest word n-gram; default 0 (chrF), 2 for chrF++. */
  readonly wordOrder?: number
  /** How much more recall counts than precision; default 2. */
  readonly beta?: number
  readonly lowercase?: boolean
  /** Count white space as characters; default false. */
  readonly whitespace?: boolean
}

/**
 * Corpus chrF, 0 to 100: precision and recall averaged over the n-gram orders that both sides have, then
 * (1 + β²)·P·R / (β²·P + R). Of several references each segment uses its best.
 *
 * @throws ConfigError where the lists differ in length or a segment has no reference.
 */
export const chrF = (
  options: ChrFOptions & { readonly predictions: readonly string[]; readonly references: readonly (readonly string[])[] },
): number => {
  const { predictions, references } = options
  checkLengths('chrF', { predictions, references })
  const sums: number[] = []
  for (const [index, prediction] of predictions.entries()) {
    for (const [place, value] of chrFStatistics(prediction, references[index]!, options).entries()) sums[place] = (sums[place] ?? 0) + value
  }
  return chrFFromSums(sums, options)
}

/** One segment's share against its best reference: [prediction's, reference's, common n-grams] of each order in turn; they add up. */
export const chrFStatistics = (prediction: string, references: readonly string[], options: ChrFOptions = {}): number[] => {
  if (references.length === 0) throw new ConfigError('chrF: expected at least one reference for every segment')
  const predicted = allNGrams(prediction, options)
  const candidates = references.map((reference) => againstReference(predicted, allNGrams(reference, options)))
  return candidates.reduce((best, candidate) => (chrFFromSums(candidate, options) > chrFFromSums(best, options) ? candidate : best))
}

export const chrFFromSums = (sums: readonly number[], { beta = 2 }: ChrFOptions = {}): number => {
  let precision = 0
  let recall = 0
  let orders = 0
  for (let place = 0; place < sums.length; place += 3) {
    const [ofPrediction, ofReference, common] = [sums[place]!, sums[place + 1]!, sums[place + 2]!]
    if (ofPrediction === 0 || ofReference === 0) continue
    precision += common / ofPrediction
    recall += common / ofReference
    orders++
  }
  if (precision + recall === 0) return 0
  const [p, r] = [precision / orders, recall / orders]
  return (100 * (1 + beta ** 2) * p * r) / (beta ** 2 * p + r)
}

const allNGrams = (text: string, options: ChrFOptions): Map<string, number>[] => {
  const { characterOrder = 6, wordOrder = 0, lowercase = false, whitespace = false } = options
  const cased = lowercase ? text.toLowerCase() : text
  const characters = whitespace ? [...cased] : splitSpaced(cased).flatMap((word) => [...word])
  const words = wordOrder > 0 ? splitSpaced(cased).flatMap(splitPunctuation) : []
  return [
    ...Array.from({ length: characterOrder }, (_, order) => countNGrams(characters, order + 1, '')),
    ...Array.from({ length: wordOrder }, (_, order) => countNGrams(words, order + 1)),
  ]
}

const punctuation = /^[!-/:-@[-`{-~]$/

/** A mark at the end of a word, or else at its start, is a word of its own. */
const splitPunctuation = (word: string): string[] => {
  if (word.length < 2) return [word]
  if (punctuation.test(word.at(-1)!)) return [word.slice(0, -1), word.at(-1)!]
  return punctuation.test(word[0]!) ? [word[0]!, word.slice(1)] : [word]
}

const againstReference = (predicted: readonly ReadonlyMap<string, number>[], reference: readonly ReadonlyMap<string, number>[]): number[] =>
  predicted.flatMap((counts, order) => {
    const golds = reference[order]!
    const total = (map: ReadonlyMap<string, number>) => [...map.values()].reduce((sum, count) => sum + count, 0)
    const common = [...counts].reduce((sum, [key, count]) => sum + Math.min(count, golds.get(key) ?? 0), 0)
    return [total(counts), total(golds), common]
  })
