// Measurements for people: one block a case, the first subject is what the others are compared with.
import { spread } from './measure.ts'
import type { Measurement } from './suite.ts'

/** Three figures: what a shared machine's timings are good for. */
export const threeFigures = (value: number): string => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2))

/** How many times `first` is better than `other`, below 1 where it is worse. */
export const timesBetter = (first: Measurement, other: Measurement): number => (first.isRate ? first.value / other.value : other.value / first.value)

/** A block of lines: value, spread, share of a limit, and how many times the first subject is better (above 1) or worse (below). */
export const formatCase = (measurements: readonly Measurement[]): string => {
  const [first] = measurements
  if (first === undefined) return ''
  const width = Math.max(...measurements.map(({ subject }) => subject.length))
  const lines = measurements.map((one, i) => {
    const ratio = i === 0 || one.value === 0 || first.subject === one.subject ? '' : `   ${threeFigures(timesBetter(first, one))} ×`
    const strayed = one.runs.length > 1 ? ` ± ${(100 * spread(one.runs)).toFixed(0)} %` : ''
    const share = one.share === undefined ? '' : `   ${(100 * one.share.value).toFixed(0)} % of ${one.share.of}`
    return `    ${one.subject.padEnd(width)}  ${threeFigures(one.value).padStart(8)} ${one.unit}${strayed}${ratio}${share}`
  })
  return [`  ${first.case}`, ...lines].join('\n')
}

export const threadsText = (threads: number): string => (threads === 1 ? '1 thread' : `${threads} threads`)
