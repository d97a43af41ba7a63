// Two evaluations side by side, on the items that they share: the difference, its interval, and whether it may be chance.
import { ConfigError, createRandomSource } from '@weft/contracts'
import { jsonNumber, type EvaluationReport, type SampleResult, type TaskResult } from './evaluation-report.ts'
import { metricDefinitions } from './metric-definitions.ts'
import { mcNemar, pairedBootstrap, type McNemarResult, type PairedItem } from './metrics/paired-tests.ts'
import { asNumbers } from './summarize.ts'
import type { Better } from './task.ts'

export interface ComparisonReport {
  readonly format: 'weft-comparison-1'
  readonly modelA: string
  readonly modelB: string
  /** By task name; tasks of one report alone are listed below. */
  readonly tasks: Readonly<Record<string, TaskComparison>>
  readonly onlyInA: readonly string[]
  readonly onlyInB: readonly string[]
}

export interface TaskComparison {
  /** Items compared: those of both reports with the same id and the same content. */
  readonly numShared: number
  /** Items with the same id but another content: left out. */
  readonly numDifferent: number
  readonly metrics: Readonly<Record<string, MetricComparison>>
}

export interface MetricComparison {
  /** On the shared items. */
  readonly a: number | null
  readonly b: number | null
  /** b − a. */
  readonly difference: number | null
  /** 95 % interval of the difference, paired bootstrap. */
  readonly low: number | null
  readonly high: number | null
  /** Two-sided, paired bootstrap; at least 2 / draws, and 2^(1 − n) for n items. */
  readonly p: number | null
  readonly better: Better
  /** For scores that are right or wrong per item. */
  readonly mcNemar?: McNemarResult
}

export interface CompareOptions {
  /** Bootstrap draws; default 2,000. */
  readonly iterations?: number
  /** Default 0. */
  readonly seed?: number
}

/**
 * Compares two reports item by item. Scores that have no share per item (calibration error, distinct-n) are left out.
 *
 * @throws ConfigError where the reports have no item in common, or are not such reports.
 */
export const compare = (reportA: EvaluationReport, reportB: EvaluationReport, options: CompareOptions = {}): ComparisonReport => {
  for (const report of [reportA, reportB]) {
    if (report?.format !== 'weft-evaluation-1')
      throw new ConfigError(`compare: expected reports of format weft-evaluation-1, got ${JSON.stringify(report?.format)}`)
  }
  const random = createRandomSource({ seed: options.seed ?? 0 })
  const shared = Object.values(reportA.tasks).flatMap((taskA) => {
    const taskB = Object.hasOwn(reportB.tasks, taskA.name) ? reportB.tasks[taskA.name] : undefined
    return taskB === undefined
      ? []
      : [[taskA.name, compareTask(taskA, taskB, { ...options, seed: random.fork(taskA.name).nextUint32() })] as const]
  })
  if (shared.every(([, task]) => task.numShared === 0)) {
    throw new ConfigError(
      `compare: no item in common; A has the tasks ${Object.keys(reportA.tasks).join(', ')}, B ${Object.keys(reportB.tasks).join(', ')}`,
    )
  }
  const without = (tasks: object, others: object) => Object.keys(tasks).filter((name) => !Object.hasOwn(others, name))
  return {
    format: 'weft-comparison-1',
    modelA: reportA.model.name,
    modelB: reportB.model.name,
    tasks: Object.fromEntries(shared),
    onlyInA: without(reportA.tasks, reportB.tasks),
    onlyInB: without(reportB.tasks, reportA.tasks),
  }
}

type SamplePair = readonly [SampleResult, SampleResult]

const compareTask = (taskA: TaskResult, taskB: TaskResult, options: CompareOptions): TaskComparison => {
  const byId = new Map(taskB.samples.map((sample) => [sample.id, sample]))
  const sameId = taskA.samples.flatMap((sample): SamplePair[] => {
    const other = byId.get(sample.id)
    return other === undefined ? [] : [[sample, other]]
  })
  const pairs = sameId.filter(([a, b]) => a.contentHash === b.contentHash)
  const [first] = pairs
  const names = first === undefined ? [] : Object.keys({ ...first[0].statistics, ...first[0].scores })
  const metrics = names.flatMap((name) => {
    const items = pairs.map((pair) => pairedItem(pair, name))
    if (!items.every((item) => item !== undefined)) return []
    const better = taskA.metrics[name]?.better ?? 'neither'
    return [[name, compareMetric(name, items, better, options)] as const]
  })
  return { numShared: pairs.length, numDifferent: sameId.length - pairs.length, metrics: Object.fromEntries(metrics) }
}

/** Undefined where either report lacks this score. */
const pairedItem = ([a, b]: SamplePair, name: string): PairedItem | undefined => {
  const vectorOf = (sample: SampleResult) => {
    const statistics = sample.statistics?.[name]
    if (statistics !== undefined) return asNumbers(statistics)
    return name in sample.scores ? [sample.scores[name] ?? Number.NaN] : undefined
  }
  const [vectorA, vectorB] = [vectorOf(a), vectorOf(b)]
  return vectorA === undefined || vectorB === undefined || vectorA.length !== vectorB.length ? undefined : { a: vectorA, b: vectorB }
}

const compareMetric = (name: string, items: readonly PairedItem[], better: Better, options: CompareOptions): MetricComparison => {
  const iterations = options.iterations ?? 2000
  const isMean = items[0]!.a.length === 1
  const defined = isMean ? undefined : metricDefinitions.get(name)?.fromSums
  const fromSums = defined ?? ((sums: readonly number[], count: number) => sums[0]! / count)
  const valueOf = (side: 'a' | 'b') =>
    jsonNumber(
      fromSums(
        items[0]![side].map((_, k) => items.reduce((sum, item) => sum + item[side][k]!, 0)),
        items.length,
      ),
    )
  const [a, b] = [valueOf('a'), valueOf('b')]
  const isBinary = isMean && items.every((item) => [item.a[0]!, item.b[0]!].every((score) => score === 0 || score === 1))
  const tested =
    a === null || b === null
      ? undefined
      : pairedBootstrap({ items, fromSums, iterations, random: createRandomSource({ seed: options.seed ?? 0 }).fork(name) })
  return {
    a,
    b,
    difference: tested === undefined ? null : jsonNumber(tested.difference),
    low: tested === undefined ? null : jsonNumber(tested.low),
    high: tested === undefined ? null : jsonNumber(tested.high),
    p: tested === undefined ? null : Math.max(tested.p, smallestP(items.length, iterations)),
    better,
    ...(isBinary ? { mcNemar: mcNemar({ a: items.map((item) => item.a[0] === 1), b: items.map((item) => item.b[0] === 1) }) } : {}),
  }
}

/**
 * Of d draws with none on the other side of zero all that can be said is p < 2/d; and n items whose differences all have one sign have
 * it by chance with probability 2·2^−n, which a bootstrap of few items would undercut.
 */
const smallestP = (numItems: number, iterations: number): number => Math.min(1, Math.max(2 / iterations, 2 ** (1 - numItems)))
