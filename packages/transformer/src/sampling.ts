// How a token is chosen from logits. The order of steps is that of transformers' `generate`:
//   repetition penalty → temperature → topK → topP → minP → draw.
// Each step sees what the one before left: topP counts probability after temperature and topK. The draw itself is one operation on
// the backend (`sampleToken`); here are the options, their checks, and the same steps on the host as the readable reference.
import { ConfigError } from '@weft/contracts'

export interface Sampling {
  /** Divides the logits; 0 takes the likeliest token, and topK, topP and minP then change nothing. Default 1. */
  readonly temperature?: number
  /** Keep the k likeliest tokens and those tied with the last of them. Default: all. */
  readonly topK?: number
  /** Keep the smallest set of likeliest tokens whose probability reaches topP, in (0, 1]; the token that reaches it stays. Default 1. */
  readonly topP?: number
  /** Keep tokens of at least minP times the probability of the likeliest, in [0, 1]. Default 0. */
  readonly minP?: number
  /** Divides positive and multiplies negative logits of every token that has occurred (Keskar et al. 2019, CTRL). Above 0; default 1. */
  readonly repetitionPenalty?: number
  /** One for all rows (each then draws from a stream of its own), or one a row. Default 0. */
  readonly seed?: number | readonly number[]
}

/** @throws ConfigError naming the option and its range. */
export const validateSampling = (sampling: Sampling): void => {
  const check = (name: string, value: number | undefined, isRight: (value: number) => boolean, expected: string): void => {
    if (value !== undefined && !isRight(value)) throw new ConfigError(`sampling: ${name} must be ${expected}, got ${value}`)
  }
  check('temperature', sampling.temperature, (x) => x >= 0 && x < Infinity, 'a number ≥ 0')
  check('topK', sampling.topK, (x) => Number.isInteger(x) && x >= 1, 'an integer ≥ 1 (leave it out for all tokens)')
  check('topP', sampling.topP, (x) => x > 0 && x <= 1, 'in (0, 1]')
  check('minP', sampling.minP, (x) => x >= 0 && x <= 1, 'in [0, 1]')
  check('repetitionPenalty', sampling.repetitionPenalty, (x) => x > 0 && x < Infinity, 'a number > 0')
  for (const seed of Array.isArray(sampling.seed) ? (sampling.seed as readonly number[]) : [sampling.seed as number | undefined]) {
    check('seed', seed, Number.isSafeInteger, 'an integer in ±2^53')
  }
}

/**
 * The distribution that a token is drawn from, as natural logarithms; −Infinity where it cannot be drawn.
 *
 * @param options.history tokens so far, for the repetition penalty.
 */
export const samplingLogProbs = (logits: ArrayLike<number>, options: { readonly sampling: Sampling; readonly history?: ArrayLike<number> }): Float64Array => {
  const { sampling, history = [] } = options
  validateSampling(sampling)
  const { temperature = 1, topK = logits.length, topP = 1, minP = 0, repetitionPenalty = 1 } = sampling
  const scores = Float64Array.from(logits)
  for (const id of new Set(Array.from(history))) {
    const score = scores[id]
    if (score !== undefined) scores[id] = score > 0 ? score / repetitionPenalty : score * repetitionPenalty
  }
  if (temperature === 0) return pointMass(scores)
  for (let i = 0; i < scores.length; i++) scores[i]! /= temperature
  keepTopK(scores, topK)
  keepTopP(scores, topP)
  keepMinP(scores, minP)
  return logSoftmaxOf(scores)
}

/** All probability on the largest score, the first of equals. */
const pointMass = (scores: Float64Array): Float64Array => {
  let best = 0
  scores.forEach((score, i) => {
    if (score > scores[best]!) best = i
  })
  return scores.map((_, i) => (i === best ? 0 : -Infinity))
}

const logSoftmaxOf = (scores: Float64Array): Float64Array => {
  const largest = scores.reduce((a, b) => Math.max(a, b), -Infinity)
  const logSum = Math.log(scores.reduce((sum, score) => sum + Math.exp(score - largest), 0))
  return scores.map((score) => score - largest - logSum)
}

const keepTopK = (scores: Float64Array, topK: number): void => {
  if (topK >= scores.length) return
  const threshold = Float64Array.from(scores).sort()[scores.length - topK]!
  scores.forEach((score, i) => {
    if (score < threshold) scores[i] = -Infinity
  })
}

const keepTopP = (scores: Float64Array, topP: number): void => {
  if (topP >= 1) return
  const logProbs = logSoftmaxOf(scores)
  const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!)
  let before = 0
  for (const i of order) {
    if (before >= topP) scores[i] = -Infinity
    before += Math.exp(logProbs[i]!)
  }
}

const keepMinP = (scores: Float64Array, minP: number): void => {
  if (minP <= 0) return
  const threshold = scores.reduce((a, b) => Math.max(a, b), -Infinity) + Math.log(minP)
  scores.forEach((score, i) => {
    if (score < threshold) scores[i] = -Infinity
  })
}
