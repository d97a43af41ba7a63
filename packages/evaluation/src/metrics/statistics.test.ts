import { createRandomSource } from '@weft/contracts'
import { expect, test } from 'vitest'
import { golden } from '../../test/golden-metrics.ts'
import { mcNemar, pairedBootstrap, twoSided } from './paired-tests.ts'
import { bootstrapStderr, fairCoinTest, meanStderr, pooledStderr, proportionInterval, quantile } from './statistics.ts'

const random = () => createRandomSource({ seed: 1 })
const { lm_eval_aggregation: aggregation, paired } = golden

test('standard errors of lm-eval: mean, pooled groups, bootstrap', () => {
  expect(meanStderr(aggregation.accuracy)).toBeCloseTo(aggregation.mean_stderr, 14)
  expect(meanStderr([1])).toBeNaN()
  const { stderrs, sizes, pooled } = aggregation.groups
  expect(pooledStderr(stderrs.map((stderr, index) => ({ stderr, numItems: sizes[index]! })))).toBeCloseTo(pooled, 14)
  const perplexity = (values: readonly number[]) => Math.exp(-values.reduce((a, b) => a + b, 0) / values.length)
  const { stderr } = aggregation.bootstrap['perplexity']!
  const found = bootstrapStderr({ values: aggregation.loglikelihoods, statistic: perplexity, random: random(), iterations: 10_000 })
  expect(Math.abs(found / stderr - 1)).toBeLessThan(0.05)
  expect(bootstrapStderr({ values: [1, 2, 3], statistic: perplexity, random: random() })).toBe(
    bootstrapStderr({ values: [1, 2, 3], statistic: perplexity, random: random() }),
  )
})

test('McNemar against statsmodels 0.15.0', () => {
  for (const { table, exact, mid_p } of paired.mcnemar) {
    const [[both, onlyA], [onlyB, neither]] = table
    const cells: [number, boolean, boolean][] = [
      [both, true, true],
      [onlyA, true, false],
      [onlyB, false, true],
      [neither, false, false],
    ]
    const a = cells.flatMap(([count, right]) => new Array<boolean>(count).fill(right))
    const b = cells.flatMap(([count, , right]) => new Array<boolean>(count).fill(right))
    const result = mcNemar({ a, b })
    expect(result).toMatchObject({ onlyA, onlyB })
    expect(result.p).toBeCloseTo(exact.p, 12)
    expect(result.midP).toBeCloseTo(Math.min(1, mid_p), 12)
  }
  expect(() => mcNemar({ a: [true], b: [] })).toThrow('same length')
})

test('the paired bootstrap on given resamples, then on its own', () => {
  const { indices, mean, ci95, p_two_sided } = paired.bootstrap
  const items = paired.a_correct.map((right, index) => ({ a: [paired.b_correct[index]!], b: [right] })) // the reference takes A − B
  const draws = Float64Array.from(
    indices,
    (row) => row.reduce((sum, item) => sum + items[item]!.b[0]! - items[item]!.a[0]!, 0) / row.length,
  ).sort()
  expect(draws.reduce((a, b) => a + b, 0) / draws.length).toBeCloseTo(mean, 12)
  expect([quantile(draws, 0.025), quantile(draws, 0.975)]).toEqual([expect.closeTo(ci95[0], 12), expect.closeTo(ci95[1], 12)])
  expect(twoSided(draws)).toBe(p_two_sided)
  const result = pairedBootstrap({ items, random: random() })
  expect(result.difference).toBeCloseTo(0, 12)
  expect(result.low).toBeCloseTo(ci95[0], 1)
  expect(result.high).toBeCloseTo(ci95[1], 1)
  expect(result.p).toBeGreaterThan(0.8)
})

test('a clear difference is found; a ratio is resampled as a ratio', () => {
  const items = Array.from({ length: 50 }, (_, i) => ({ a: [-20 - i, 10], b: [-10 - i, 10] }))
  const perUnit = (sums: readonly number[]) => -sums[0]! / sums[1]!
  const result = pairedBootstrap({ items, random: random(), fromSums: perUnit, iterations: 500 })
  expect(result).toMatchObject({ difference: expect.closeTo(-1, 12), p: 0 })
})

test('binomial test and Wilson interval against scipy and statsmodels', () => {
  for (const { k, n, p } of paired.binomtest) expect(fairCoinTest({ successes: k, numItems: n })).toBeCloseTo(p, 12)
  expect(fairCoinTest({ successes: 5200, numItems: 10_000 })).toBeCloseTo(6.593515598672442e-5, 14)
  for (const { k, n, wilson } of paired.proportion_ci95) {
    const { low, high } = proportionInterval({ successes: k, numItems: n })
    expect([low, high]).toEqual([expect.closeTo(wilson[0], 12), expect.closeTo(wilson[1], 12)])
  }
  expect(() => fairCoinTest({ successes: 3, numItems: 2 })).toThrow('fairCoinTest')
})
