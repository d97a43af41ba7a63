// Whether two models differ, judged on the same items: McNemar's test and the paired bootstrap.
import { ConfigError, type RandomSource } from '@weft/contracts'
import { drawIndex, fairCoinLogProb, fairCoinTest, mean, quantile } from './statistics.ts'

export interface McNemarResult {
  /** Items that only A, only B had right; the others say nothing about a difference. */
  readonly onlyA: number
  readonly onlyB: number
  /** Two-sided, exact binomial. */
  readonly p: number
  /** Less conservative where few items differ: half of the observed table's probability counts. */
  readonly midP: number
}

/**
 * McNemar's test on paired right and wrong answers.
 *
 * @see McNemar 1947; Fagerland, Lydersen and Laake 2013 for the mid-p variant.
 * @throws ConfigError where the two lists differ in length.
 */
export const mcNemar = ({ a, b }: { readonly a: readonly boolean[]; readonly b: readonly boolean[] }): McNemarResult => {
  checkPaired('mcNemar', a, b)
  const onlyA = a.filter((right, index) => right && !b[index]!).length
  const onlyB = a.filter((right, index) => !right && b[index]!).length
  const numItems = onlyA + onlyB
  const p = fairCoinTest({ successes: onlyA, numItems })
  const observed = Math.exp(fairCoinLogProb(Math.min(onlyA, onlyB), numItems))
  // With as many on either side the two tails overlap in the observed table, and mid-p is 1.
  return { onlyA, onlyB, p, midP: onlyA === onlyB ? 1 : Math.max(0, p - observed) }
}

export interface PairedBootstrapResult {
  /** Statistic of B − statistic of A on all items. */
  readonly difference: number
  /** Percentile interval of the difference. */
  readonly low: number
  readonly high: number
  /** Two-sided: twice the smaller share of draws on either side of zero, at most 1. */
  readonly p: number
}

/** One item: its vector of sums for A and for B, such as [correct] or [log-probability, bytes]. */
export interface PairedItem {
  readonly a: readonly number[]
  readonly b: readonly number[]
}

/**
 * The paired bootstrap: draws items with replacement, the same ones for A and B, and looks at the difference each time.
 *
 * @param options.fromSums the statistic from the summed vectors and the number of items; default: the mean of the first component.
 * @see Efron and Tibshirani 1993, Koehn 2004.
 */
export const pairedBootstrap = (options: {
  readonly items: readonly PairedItem[]
  readonly random: RandomSource
  readonly fromSums?: (sums: readonly number[], numItems: number) => number
  readonly iterations?: number
  readonly confidence?: number
}): PairedBootstrapResult => {
  const { items, random, fromSums = meanOfFirst, iterations = 5000, confidence = 0.95 } = options
  if (items.length === 0) throw new ConfigError('pairedBootstrap: expected at least one item')
  const numItems = items.length
  const differenceOf = (indexAt: (i: number) => number): number => {
    const sumsA = new Array<number>(items[0]!.a.length).fill(0)
    const sumsB = new Array<number>(items[0]!.b.length).fill(0)
    for (let i = 0; i < numItems; i++) {
      const { a, b } = items[indexAt(i)]!
      for (let k = 0; k < a.length; k++) sumsA[k]! += a[k]!
      for (let k = 0; k < b.length; k++) sumsB[k]! += b[k]!
    }
    return fromSums(sumsB, numItems) - fromSums(sumsA, numItems)
  }
  const draws = Float64Array.from({ length: iterations }, () => differenceOf(() => drawIndex(random, numItems))).sort()
  const outside = (1 - confidence) / 2
  return { difference: differenceOf((i) => i), low: quantile(draws, outside), high: quantile(draws, 1 - outside), p: twoSided(draws) }
}

/** min(1, 2·min(P(d ≤ 0), P(d ≥ 0))). */
export const twoSided = (draws: ArrayLike<number>): number => {
  const signs = Array.from(draws, Math.sign)
  return Math.min(1, 2 * Math.min(mean(signs.map((sign) => Number(sign <= 0))), mean(signs.map((sign) => Number(sign >= 0)))))
}

const meanOfFirst = (sums: readonly number[], numItems: number): number => sums[0]! / numItems

const checkPaired = (name: string, a: readonly unknown[], b: readonly unknown[]): void => {
  if (a.length !== b.length) throw new ConfigError(`${name}: expected two lists of the same length, got ${a.length} and ${b.length}`)
}
