// Scores from log-probabilities (natural logarithms): perplexity, bits per byte, multiple choice.
// Definitions follow lm-evaluation-harness (`api/metrics.py`, `api/task.py`).
import { ConfigError } from '@weft/contracts'
import { countBytes, countCharacters } from './text-units.ts'

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/**
 * exp(−Σ ln p / Σ weight): the weights are tokens, words or bytes; without weights each log-probability counts as one.
 * 1 and up; a model that guesses evenly among V tokens has perplexity V per token.
 */
export const perplexity = ({
  logProbs,
  weights,
}: {
  readonly logProbs: readonly number[]
  readonly weights?: readonly number[]
}): number => {
  if (weights !== undefined) checkLengths('perplexity', { logProbs, weights })
  return Math.exp(-sum(logProbs) / (weights === undefined ? logProbs.length : sum(weights)))
}

/**
 * −Σ ln p / (Σ bytes · ln 2), with the bytes of the text in UTF-8: comparable between models with different tokenizers.
 */
export const bitsPerByte = ({
  logProbs,
  byteCounts,
}: {
  readonly logProbs: readonly number[]
  readonly byteCounts: readonly number[]
}): number => {
  checkLengths('bitsPerByte', { logProbs, byteCounts })
  return -sum(logProbs) / (sum(byteCounts) * Math.LN2)
}

/** By what a choice's log-probability is divided before choices are compared. */
export type ChoiceNormalization = 'none' | 'character' | 'byte'

/** The index of the likeliest choice; the first of equals. */
export const likeliestChoice = (options: {
  readonly logProbs: readonly number[]
  readonly choices: readonly string[]
  readonly by?: ChoiceNormalization
}): number => {
  const { logProbs, choices, by = 'none' } = options
  checkLengths('likeliestChoice', { logProbs, choices })
  // An empty choice has length 0; its log-probability of 0 would give NaN, which no comparison picks.
  const length = (text: string) => Math.max(1, by === 'none' ? 1 : by === 'byte' ? countBytes(text) : countCharacters(text))
  const scores = logProbs.map((logProb, index) => logProb / length(choices[index]!))
  return scores.reduce((best, score, index) => (score > scores[best]! ? index : best), 0)
}

/**
 * The share of items whose likeliest choice is the right one, log-probabilities divided by the choice's length in code points
 * (`acc_norm`) or UTF-8 bytes (`acc_bytes`), without the delimiter before it.
 */
export const accuracyNorm = (options: {
  readonly logProbs: readonly (readonly number[])[]
  readonly choices: readonly (readonly string[])[]
  readonly answers: readonly number[]
  readonly by?: ChoiceNormalization
}): number => {
  const { logProbs, choices, answers, by = 'character' } = options
  checkLengths('accuracyNorm', { logProbs, choices, answers })
  const hits = logProbs.filter((row, item) => likeliestChoice({ logProbs: row, choices: choices[item]!, by }) === answers[item])
  return hits.length / logProbs.length
}

/** exp(x) / Σ exp(x), safe from overflow: log-probabilities of choices to probabilities that sum to 1. */
export const softmax = (logits: readonly number[]): number[] => {
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const powers = logits.map((logit) => Math.exp(logit - highest))
  const total = sum(powers)
  return powers.map((power) => power / total)
}

export const checkLengths = (name: string, lists: Readonly<Record<string, { readonly length: number }>>): void => {
  const sizes = Object.values(lists).map((list) => list.length)
  if (sizes.every((size) => size === sizes[0])) return
  throw new ConfigError(
    `${name}: expected lists of one length, got ${Object.entries(lists)
      .map(([key, list]) => `${key} ${list.length}`)
      .join(', ')}`,
  )
}
