// Draws a token from probabilities: repetition penalty, temperature, then top-k, min-p and top-p, as language models usually do it.
import { ConfigError, type GenerateRequest, type RandomSource } from '@weft/contracts'

export type SamplingSettings = Pick<GenerateRequest, 'temperature' | 'topK' | 'topP' | 'minP' | 'repetitionPenalty'>

/** @throws ConfigError for a setting out of its range. */
export const checkSampling = ({ temperature = 1, topK = 1, topP = 1, minP = 0, repetitionPenalty = 1 }: SamplingSettings): void => {
  const check = (name: string, isGood: boolean, range: string, value: number): void => {
    if (!isGood) throw new ConfigError(`generate: ${name}: expected ${range}, got ${value}`)
  }
  check('temperature', temperature >= 0 && Number.isFinite(temperature), 'a number ≥ 0', temperature)
  check('topK', Number.isInteger(topK) && topK >= 0, 'an integer ≥ 0 (0: all)', topK)
  check('topP', topP > 0 && topP <= 1, 'a number above 0, up to 1', topP)
  check('minP', minP >= 0 && minP <= 1, 'a number from 0 to 1', minP)
  check('repetitionPenalty', repetitionPenalty > 0 && Number.isFinite(repetitionPenalty), 'a number above 0', repetitionPenalty)
}

/** A token; greedy at temperature 0. `seen` are the tokens so far, for the repetition penalty (Keskar et al. 2019). */
export const drawToken = (probabilities: Float64Array, settings: SamplingSettings, seen: Iterable<number>, random: RandomSource): number => {
  const { temperature = 1, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 } = settings
  const weights = probabilities.slice()
  // Log probabilities are negative, so the penalty multiplies them.
  if (repetitionPenalty !== 1) for (const token of new Set(seen)) weights[token] = weights[token]! ** repetitionPenalty
  if (temperature === 0) return weights.indexOf(maxOf(weights))
  const scale = maxOf(weights)
  for (let i = 0; i < weights.length; i++) weights[i] = (weights[i]! / scale) ** (1 / temperature)
  const kept = truncate(weights, topK, topP, minP)
  const total = kept.reduce((sum, token) => sum + weights[token]!, 0)
  let rest = random.nextFloat() * total
  for (const token of kept) {
    rest -= weights[token]!
    if (rest < 0) return token
  }
  return kept.at(-1)!
}

/** The tokens that stay, the likeliest first. */
const truncate = (weights: Float64Array, topK: number, topP: number, minP: number): number[] => {
  const all = [...weights.keys()]
  const isPlain = topK === 0 && topP === 1 && minP === 0
  if (isPlain) return all
  let kept = all.filter((token) => weights[token]! >= minP).sort((a, b) => weights[b]! - weights[a]! || a - b) // the largest weight is 1
  if (topK > 0) kept = kept.slice(0, topK)
  if (topP === 1) return kept
  const total = kept.reduce((sum, token) => sum + weights[token]!, 0)
  let mass = 0
  const end = kept.findIndex((token) => (mass += weights[token]!) >= topP * total)
  return end < 0 ? kept : kept.slice(0, end + 1)
}

const maxOf = (values: Float64Array): number => values.reduce((max, value) => (value > max ? value : max), 0)
