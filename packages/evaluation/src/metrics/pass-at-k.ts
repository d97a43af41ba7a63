// Sampling success: the chance that at least one of k samples is right.
import { ConfigError } from '@weft/contracts'

/**
 * The unbiased estimate of pass@k from n samples of which c are right:
 * 1 − C(n − c, k) / C(n, k) = 1 − ∏ (1 − k/i), i from n − c + 1 to n.
 *
 * @throws ConfigError unless 0 ≤ numCorrect ≤ numSamples and 1 ≤ k ≤ numSamples.
 * @see Chen et al. 2021, "Evaluating large language models trained on code".
 */
export const passAtK = ({
  numSamples,
  numCorrect,
  k,
}: {
  readonly numSamples: number
  readonly numCorrect: number
  readonly k: number
}): number => {
  if (!(numCorrect >= 0 && numCorrect <= numSamples && k >= 1 && k <= numSamples)) {
    throw new ConfigError(`passAtK: expected 0 ≤ numCorrect ≤ numSamples and 1 ≤ k ≤ numSamples, got ${numCorrect}, ${numSamples}, k ${k}`)
  }
  if (numSamples - numCorrect < k) return 1
  let allWrong = 1
  for (let i = numSamples - numCorrect + 1; i <= numSamples; i++) allWrong *= 1 - k / i
  return 1 - allWrong
}
