// How sure a score is: standard errors in closed form and by bootstrap, intervals of proportions, the exact binomial test.
import { ConfigError, type RandomSource } from '@weft/contracts'

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** √(Σ(x − mean)² / (n − 1)); NaN for fewer than two values. */
const sampleDeviation = (values: readonly number[]): number => {
  const center = mean(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1))
}

/** The standard error of a mean: sample standard deviation / √n; NaN for fewer than two values. */
export const meanStderr = (values: readonly number[]): number => sampleDeviation(values) / Math.sqrt(values.length)

export interface BootstrapOptions<T> {
  readonly values: readonly T[]
  readonly statistic: (sample: readonly T[]) => number
  readonly random: RandomSource
  /** How many samples; default 1,000, which gives the error to some 2 %. */
  readonly iterations?: number
}

/**
 * The standard error of any statistic: the standard deviation of its value over samples drawn with replacement.
 *
 * @see lm-evaluation-harness `api/metrics.py`, which draws 100,000 from Python's generator.
 */
export const bootstrapStderr = <T>(options: BootstrapOptions<T>): number => bootstrap(options).stderr

/** The standard error, and the 95 % percentile interval, which keeps to the values that the statistic can take. */
export const bootstrap = <T>(options: BootstrapOptions<T>): { stderr: number; low: number; high: number } => {
  const { values, statistic, random, iterations = 1000 } = options
  const draws = Array.from({ length: iterations }, () => statistic(Array.from(values, () => values[drawIndex(random, values.length)]!)))
  const sorted = Float64Array.from(draws).sort()
  return { stderr: sampleDeviation(draws), low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) }
}

/** Uniform in [0, count). */
export const drawIndex = (random: RandomSource, count: number): number => Math.floor(random.nextFloat() * count)

/**
 * The standard error of the pooled mean of several groups: √(Σ(nᵢ − 1)·nᵢ·seᵢ² / (Σnᵢ − k) / Σnᵢ).
 *
 * @param groups each with its standard error and its number of items; k is their number.
 */
export const pooledStderr = (groups: readonly { readonly stderr: number; readonly numItems: number }[]): number => {
  const total = groups.reduce((sum, { numItems }) => sum + numItems, 0)
  const variance = groups.reduce((sum, { stderr, numItems }) => sum + (numItems - 1) * numItems * stderr ** 2, 0) / (total - groups.length)
  return Math.sqrt(variance / total)
}

/** The value below which the share `q` of the sorted values lies, with linear interpolation (numpy's default). */
export const quantile = (sorted: ArrayLike<number>, q: number): number => {
  const place = q * (sorted.length - 1)
  const below = sorted[Math.floor(place)]!
  return below + (sorted[Math.ceil(place)]! - below) * (place - Math.floor(place))
}

const Z95 = 1.959963984540054 // the normal distribution's 97.5 % point

/**
 * Wilson's 95 % interval of a proportion: sound for few items and for shares near 0 and 1, where mean ± 2 stderr is not.
 *
 * @see Wilson 1927; Brown, Cai and DasGupta 2001.
 */
export const proportionInterval = ({
  successes,
  numItems,
}: {
  readonly successes: number
  readonly numItems: number
}): { low: number; high: number } => {
  if (!(numItems > 0)) return { low: 0, high: 1 }
  const share = successes / numItems
  const shrink = 1 + Z95 ** 2 / numItems
  const center = (share + Z95 ** 2 / (2 * numItems)) / shrink
  const reach = (Z95 / shrink) * Math.sqrt((share * (1 - share)) / numItems + Z95 ** 2 / (4 * numItems ** 2))
  return { low: Math.max(0, center - reach), high: Math.min(1, center + reach) }
}

/**
 * The two-sided p-value of k successes in n fair draws (probability ½ each), exact.
 *
 * @throws ConfigError unless 0 ≤ successes ≤ numItems, both whole.
 */
export const fairCoinTest = ({ successes, numItems }: { readonly successes: number; readonly numItems: number }): number => {
  if (!Number.isInteger(successes) || !Number.isInteger(numItems) || successes < 0 || successes > numItems) {
    throw new ConfigError(`fairCoinTest: expected whole 0 ≤ successes ≤ numItems, got ${successes} of ${numItems}`)
  }
  const rarer = Math.min(successes, numItems - successes)
  let logProb = -numItems * Math.LN2
  let tail = Math.exp(logProb)
  for (let k = 1; k <= rarer; k++) {
    logProb += Math.log((numItems - k + 1) / k) // C(n, k) = C(n, k − 1)·(n − k + 1)/k
    tail += Math.exp(logProb)
  }
  return Math.min(1, 2 * tail)
}

/** ln of C(n, k) / 2ⁿ, by a sum of logarithms: exact to 1e-12 and safe from overflow. */
export const fairCoinLogProb = (k: number, n: number): number => {
  let logProb = -n * Math.LN2
  for (let i = 1; i <= k; i++) logProb += Math.log((n - k + i) / i)
  return logProb
}
