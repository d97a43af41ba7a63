// Results as a report: what it says, in which order, with which figures. It draws nothing itself.
import type { Json } from '@weft/contracts'
import { spread } from '../measure.ts'
import type { Peaks } from '../native.ts'
import type { SuiteResult } from '../results.ts'
import type { Curve, Measurement } from '../suite.ts'
import { threeFigures, timesBetter } from '../table.ts'
import { barFigure } from './bar-figure.ts'
import type { Figure } from './figure.ts'
import { goals } from './goals.ts'
import { curveFigure, scalingFigure } from './line-figures.ts'
import { rooflineFigure } from './roofline-figure.ts'

export type Block =
  | { readonly kind: 'text'; readonly markdown: string }
  | { readonly kind: 'table'; readonly columns: readonly string[]; readonly rows: readonly (readonly Json[])[] }
  | { readonly kind: 'figure'; readonly figure: Figure }

export interface BenchSection {
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
    if (name !== undefined) groups.set(name, [...(groups.get(name) ?? []), item])
  }
  return [...groups.values()]
}

const text = (markdown: string): Block => ({ kind: 'text', markdown })
const figureBlock = (figure: Figure): Block => ({ kind: 'figure', figure })

const introduction = (results: readonly SuiteResult[]): BenchSection => {
  const machines = groupsOf(results, ({ machine, threads }) => JSON.stringify([machine, threads]))
  const lines = machines.map((group) => {
    const { machine, threads } = group[0]!
    const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`).join(', ')
    const suites = machines.length === 1 ? '' : `${group.map(({ suite }) => suite).join(', ')}: `
    return `- ${suites}${machine.processor}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB; ${machine.system}; Node ${machine.node}; ${packages}; ${threads} threads on every side`
  })
  const dates = results.map(({ suite, startedAt }) => `${suite} ${startedAt.slice(0, 16).replace('T', ' ')} UTC`).join(', ')
  const quick = results.some(({ isQuick }) => isQuick) ? ['\n**Some suites ran with `--quick`: their sizes are too small to say anything about speed.**'] : []
  const reading =
    'Subjects of a case take turns in one run (A B A B …); each figure is a median, ± half the distance between the fastest and the slowest run. × compares the first subject of a case with each other one: above 1 it is better. Machines are shared: ratios of one run travel, absolute figures do not.'
  return { title: 'What was measured', blocks: [text([...lines, `- measured: ${dates}`, ...quick].join('\n')), text(reading)] }
}

const goalSection = (measurements: readonly Measurement[]): BenchSection | undefined => {
  const judged = goals.map((goal) => ({ goal, verdict: goal.judge(measurements) }))
  if (judged.every(({ verdict }) => verdict === undefined)) return undefined
  const rows = judged.map(({ goal, verdict }) => [goal.work, goal.needed, verdict?.measured ?? 'not measured', verdict === undefined ? '' : verdict.isMet ? 'met' : 'missed'])
  return { title: 'Goals', blocks: [{ kind: 'table', columns: ['work', 'at least', 'measured (worst case)', ''], rows }] }
}

const newestPeaks = (results: readonly SuiteResult[]): readonly Peaks[] =>
  [...results].sort((a, b) => a.startedAt.localeCompare(b.startedAt)).findLast(({ peaks }) => peaks.length > 0)?.peaks ?? []

const machineSection = (results: readonly SuiteResult[]): BenchSection | undefined => {
  const peaks = newestPeaks(results)
  if (peaks.length === 0) return undefined
  const rows = peaks.map(({ threads, fmaGflops, bf16Gflops, int8Gops, readGBps }) => [threads, ...[fmaGflops, bf16Gflops, int8Gops, readGBps].map((value) => Number(value.toPrecision(3)))])
  const most = Math.max(...results.map(({ threads }) => threads))
  const roofline = rooflineFigure(results.flatMap(({ measurements }) => measurements), peaks.find(({ threads }) => threads === most) ?? peaks.at(-1))
  return {
    title: "The machine's limits",
    blocks: [
      { kind: 'table', columns: ['threads', 'f32 FMA, GFLOP/s', 'bf16 dot products, GFLOP/s', 'int8 dot products, GOP/s', 'memory read, GB/s'], rows },
      ...(roofline === undefined ? [] : [figureBlock(roofline)]),
    ],
  }
}

const tableOf = (measurements: readonly Measurement[]): Block => {
  const hasShares = measurements.some(({ share }) => share !== undefined)
  const rows = groupsOf(measurements, (one) => one.case).flatMap((group) =>
    group.map((one, i): Json[] => [
      i === 0 ? one.case : '',
      one.subject,
      `${threeFigures(one.value)} ${one.unit}`,
      one.runs.length > 1 ? `± ${(100 * spread(one.runs)).toFixed(0)} %` : '',
      i === 0 || one.value === 0 || one.subject === group[0]!.subject ? '' : `${threeFigures(timesBetter(group[0]!, one))} ×`,
      ...(hasShares ? [one.share === undefined ? '' : `${(100 * one.share.value).toFixed(0)} % of ${one.share.of}`] : []),
    ]),
  )
  return { kind: 'table', columns: ['case', 'subject', 'median', 'spread', 'first against it', ...(hasShares ? ['share'] : [])], rows }
}

const figuresOf = ({ suite, measurements, curves, peaks, threads }: SuiteResult): Figure[] => {
  const scalings = groupsOf(measurements, ({ scaling }) => scaling?.plot).filter((group) => new Set(group.map(({ scaling }) => scaling!.x)).size > 1)
  const drawn = new Set(scalings.flat())
  const cases = groupsOf(measurements, (one) => one.case).filter((group) => group.length > 1 && !group.some((one) => drawn.has(one)))
  const bars = groupsOf(cases, ([first]) => first!.unit).map((group, i) => barFigure(suite, `${suite}-bars${i === 0 ? '' : `-${i + 1}`}`, group))
  return [...scalings.map((group) => scalingFigure(group, peaks, threads)), ...bars, ...groupsOf<Curve>(curves, ({ plot }) => plot).map(curveFigure)]
}

/** What a figure shows stands above it; the bars of a suite need no more than its heading. */
const suiteSection = (result: SuiteResult): BenchSection => {
  const notes = result.notes.length === 0 ? [] : [text(result.notes.map((note) => `- ${escapeMarkdown(note)}`).join('\n'))]
  const table = result.measurements.length === 0 ? [] : [tableOf(result.measurements)]
  return { title: result.suite, blocks: [text(`${result.about}.`), ...figuresOf(result).map(figureBlock), ...table, ...notes] }
}

const escapeMarkdown = (line: string): string => line.replace(/[\\`*_[\]<>|#&]/g, (character) => (character === '`' ? '`' : `\\${character}`))

export const describeBench = (results: readonly SuiteResult[]): BenchReport => {
  const measurements = results.flatMap((result) => result.measurements)
  const optional = [goalSection(measurements), machineSection(results)].filter((section) => section !== undefined)
  return { title: 'Weft, measured', sections: [introduction(results), ...optional, ...results.map(suiteSection)] }
}
