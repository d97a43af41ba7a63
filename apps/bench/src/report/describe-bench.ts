// Results as a report: what it says, in which order, with which figures. It draws nothing itself.
import { spread } from '../measure.ts'
import type { ThreadPeaks } from '../peaks.ts'
import type { SuiteResult } from '../results.ts'
import type { Curve, Measurement } from '../suite.ts'
import { timesBetter } from '../table.ts'
import { barFigure } from './bar-figure.ts'
import type { Figure } from './figure.ts'
import { goals } from './goals.ts'
import { curveFigure, scalingFigure } from './line-figures.ts'
import { rooflineFigure } from './roofline-figure.ts'
import { speedUpFigure } from './speed-up-figure.ts'

type Cell = string | number | null

export type Block =
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  /** `isLong`: rows in groups, each beginning where the first cell is not empty; folded away on the page. */
  | { readonly kind: 'table'; readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[]; readonly isLong?: true }
  | { readonly kind: 'figure'; readonly figure: Figure }

interface BenchSection {
  readonly title: string
  readonly blocks: readonly Block[]
}

export interface BenchReport {
  readonly title: string
  readonly sections: readonly BenchSection[]
}

const groupsOf = <T>(items: readonly T[], key: (item: T) => string | undefined): T[][] => {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const name = key(item)
    if (name === undefined) continue
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [item])
    else group.push(item)
  }
  return [...groups.values()]
}

const figureBlock = (figure: Figure): Block => ({ kind: 'figure', figure })
const present = <T>(...items: readonly (T | undefined)[]): T[] => items.filter((item) => item !== undefined)

const introduction = (results: readonly SuiteResult[]): BenchSection => {
  const machines = groupsOf(results, ({ machine, threads }) => JSON.stringify([machine, threads]))
  const items = machines.map((group) => {
    const { machine, threads } = group[0]!
    const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`).join(', ')
    const suites = machines.length === 1 ? '' : `${group.map(({ suite }) => suite).join(', ')}: `
    return `${suites}${machine.processor}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB; ${machine.system}; Node ${machine.node}; ${packages}; threads of every side: ${threads}`
  })
  const dates = results.map(({ suite, startedAt }) => `${suite} ${startedAt.slice(0, 16).replace('T', ' ')}`).join(', ')
  const quick = results.filter(({ isQuick }) => isQuick).map(({ suite }) => suite)
  const reading =
    'Subjects of a case take turns in one run (A B A B …); each figure is a median, ± half the distance between the fastest and the slowest run. × compares the first subject of a case with each other one: above 1 it is better. Machines are shared: ratios of one run travel, absolute figures do not.'
  return {
    title: 'What was measured',
    blocks: [
      ...(quick.length === 0 ? [] : [{ kind: 'paragraph', text: `Ran with --quick, sizes too small to say anything about speed: ${quick.join(', ')}.` } as const]),
      { kind: 'paragraph', text: reading },
      { kind: 'list', items: [...items, `begun (UTC): ${dates}`] },
    ],
  }
}

const goalSection = (measurements: readonly Measurement[]): BenchSection | undefined => {
  const judged = goals.map((goal) => ({ goal, verdict: goal.judge(measurements) }))
  if (judged.every(({ verdict }) => verdict === undefined)) return undefined
  const rows = judged.map(({ goal, verdict }) => [goal.work, verdict === undefined ? '' : verdict.isMet ? '✓ met' : '✗ missed', goal.needed, verdict?.measured ?? 'not measured'])
  const figure = speedUpFigure(measurements)
  return { title: 'Goals', blocks: [{ kind: 'table', columns: ['work', '', 'goal', 'measured, the worst case'], rows }, ...present(figure).map(figureBlock)] }
}

const newestPeaks = (results: readonly SuiteResult[]): readonly ThreadPeaks[] =>
  [...results].sort((a, b) => a.startedAt.localeCompare(b.startedAt)).findLast(({ peaks }) => peaks.length > 0)?.peaks ?? []

const machineSection = (results: readonly SuiteResult[]): BenchSection | undefined => {
  const peaks = newestPeaks(results)
  if (peaks.length === 0) return undefined
  const rows = peaks.map(({ threads, fmaGflops, bf16Gflops, int8Gops, readGBps }) => [threads, fmaGflops, bf16Gflops, int8Gops, readGBps])
  const most = Math.max(...results.map(({ threads }) => threads))
  const roofline = rooflineFigure(results.flatMap(({ measurements }) => measurements), peaks.find(({ threads }) => threads === most) ?? peaks.at(-1))
  return {
    title: "The machine's limits",
    blocks: [
      { kind: 'paragraph', text: 'Measured by loops that do nothing else: fused multiply-adds and dot products in registers, a read of memory from end to end.' },
      { kind: 'table', columns: ['threads', 'f32 GFLOP/s', 'bf16 GFLOP/s', 'int8 GOP/s', 'memory GB/s'], rows },
      ...present(roofline).map(figureBlock),
    ],
  }
}

const tableOf = (measurements: readonly Measurement[]): Block => {
  const rows = groupsOf(measurements, (one) => one.case).flatMap((group) =>
    group.map((one, i): Cell[] => [
      i === 0 ? one.case : '',
      one.subject,
      one.unit,
      one.value,
      one.runs.length > 1 ? 100 * spread(one.runs) : null,
      i === 0 || one.value === 0 || one.subject === group[0]!.subject ? null : timesBetter(group[0]!, one),
      one.share === undefined ? null : 100 * one.share.value,
      one.share?.of ?? '',
    ]),
  )
  const columns = ['case', 'subject', 'unit', 'median', '± %', '×', '%', 'of']
  const hasShares = measurements.some(({ share }) => share !== undefined)
  return { kind: 'table', isLong: true, columns: hasShares ? columns : columns.slice(0, -2), rows: hasShares ? rows : rows.map((row) => row.slice(0, -2)) }
}

const figuresOf = ({ suite, measurements, curves, peaks, threads }: SuiteResult): Figure[] => {
  const scalings = groupsOf(measurements, ({ scaling }) => scaling?.plot).filter((group) => new Set(group.map(({ scaling }) => scaling!.x)).size > 1)
  const drawn = new Set(scalings.flat())
  const cases = groupsOf(measurements, (one) => one.case).filter((group) => group.length > 1 && !group.some((one) => drawn.has(one)))
  const bars = groupsOf(cases, ([first]) => first!.unit).map((group) => barFigure(suite, group))
  return [...scalings.map((group) => scalingFigure(group, peaks, threads)), ...bars, ...groupsOf<Curve>(curves, ({ plot }) => plot).map(curveFigure)]
}

const suiteSection = (result: SuiteResult): BenchSection => ({
  title: result.suite,
  blocks: [
    { kind: 'paragraph', text: `${result.about[0]?.toUpperCase() ?? ''}${result.about.slice(1)}.` },
    ...figuresOf(result).map(figureBlock),
    ...(result.measurements.length === 0 ? [] : [tableOf(result.measurements)]),
    ...(result.notes.length === 0 ? [] : [{ kind: 'list', items: result.notes } as const]),
  ],
})

export const describeBench = (results: readonly SuiteResult[]): BenchReport => {
  const measurements = results.flatMap((result) => result.measurements)
  return { title: 'Weft, measured', sections: [introduction(results), ...present(goalSection(measurements), machineSection(results)), ...results.map(suiteSection)] }
}
