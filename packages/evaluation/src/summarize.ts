// From items to scores: means with their closed-form error, ratios and corpus scores with a bootstrap, for the whole and per category.
import type { RandomSource } from '@weft/contracts'
import { jsonNumber, type MetricResult, type SampleResult } from './evaluation-report.ts'
import { metricDefinitions } from './metric-definitions.ts'
import { bootstrap, fairCoinTest, mean, meanStderr, proportionInterval } from './metrics/statistics.ts'
import type { Better } from './task.ts'

const BOOTSTRAP_ITERATIONS = 1000 // the error of the error is then some 2 %
const Z95 = 1.96

export interface SummaryOptions {
  readonly samples: readonly SampleResult[]
  readonly random: RandomSource
  /** For scores that are not in the table of definitions. */
  readonly betterOf: (metric: string) => Better
  /** Scores of a set as a whole, such as distinct-n, with no share per item. */
  readonly ofSet?: ((samples: readonly SampleResult[]) => Readonly<Record<string, number>>) | undefined
}

export const summarize = (options: SummaryOptions): Record<string, MetricResult> => {
  const { samples, random, betterOf, ofSet } = options
  const names = new Set(samples.flatMap((sample) => [...Object.keys(sample.statistics ?? {}), ...Object.keys(sample.scores)]))
  const results = [...names].map((name): [string, MetricResult] => {
    const fromSums = metricDefinitions.get(name)?.fromSums
    const isSummed = fromSums !== undefined && samples.every((sample) => sample.statistics?.[name] !== undefined)
    const better = betterOf(name)
    return [
      name,
      isSummed
        ? summedMetric(
            samples.map((sample) => asNumbers(sample.statistics![name]!)),
            fromSums,
            better,
            random.fork(name),
          )
        : meanMetric(
            samples.map((sample) => sample.scores[name] ?? Number.NaN),
            better,
          ),
    ]
  })
  const ofWhole = Object.entries(ofSet?.(samples) ?? {}).map(([name, value]): [string, MetricResult] => [
    name,
    withoutError(value, betterOf(name)),
  ])
  return Object.fromEntries([...results, ...ofWhole])
}

/** null stands for a number that is not finite. */
export const asNumbers = (values: readonly (number | null)[]): number[] => values.map((value) => value ?? Number.NaN)

const withoutError = (value: number, better: Better): MetricResult => ({
  value: jsonNumber(value),
  stderr: null,
  low: null,
  high: null,
  better,
})

const meanMetric = (values: readonly number[], better: Better): MetricResult => {
  const value = mean(values)
  const stderr = meanStderr(values)
  if (!values.every((score) => score === 0 || score === 1)) return withError(value, stderr, better)
  const successes = values.reduce<number>((sum, score) => sum + score, 0)
  const { low, high } = proportionInterval({ successes, numItems: values.length })
  return {
    ...withError(value, stderr, better),
    low,
    high,
    ...(better === 'half' ? { pAgainstHalf: fairCoinTest({ successes, numItems: values.length }) } : {}),
  }
}

const summedMetric = (
  vectors: readonly (readonly number[])[],
  fromSums: (sums: readonly number[], numItems: number) => number,
  better: Better,
  random: RandomSource,
): MetricResult => {
  const statistic = (sample: readonly (readonly number[])[]) => fromSums(sumVectors(sample), sample.length)
  const value = statistic(vectors)
  if (vectors.length < 2 || !Number.isFinite(value)) return withoutError(value, better)
  const { stderr, low, high } = bootstrap({ values: vectors, statistic, random, iterations: BOOTSTRAP_ITERATIONS })
  return { value, stderr: jsonNumber(stderr), low: jsonNumber(low), high: jsonNumber(high), better }
}

const sumVectors = (vectors: readonly (readonly number[])[]): number[] => {
  const sums = new Array<number>(vectors[0]!.length).fill(0)
  for (const vector of vectors) for (let k = 0; k < sums.length; k++) sums[k]! += vector[k]!
  return sums
}

const withError = (value: number, stderr: number, better: Better): MetricResult => ({
  value: jsonNumber(value),
  stderr: jsonNumber(stderr),
  low: jsonNumber(value - Z95 * stderr),
  high: jsonNumber(value + Z95 * stderr),
  better,
})

/** The samples of each category, in order of appearance; undefined where none has one. */
export const byCategory = (samples: readonly SampleResult[]): ReadonlyMap<string, SampleResult[]> | undefined => {
  const groups = new Map<string, SampleResult[]>()
  for (const sample of samples) {
    if (sample.category === undefined) continue
    const group = groups.get(sample.category)
    if (group === undefined) groups.set(sample.category, [sample])
    else group.push(sample)
  }
  return groups.size === 0 ? undefined : groups
}
