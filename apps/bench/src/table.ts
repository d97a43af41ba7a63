// Measurements for people: one block a case, the first subject is what the others are compared with.
import { spread } from './measure.ts'
import type { Measurement } from './suite.ts'

const number = (value: number): string => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2))

/** A block of lines: value, spread, and how many times the first subject is better (above 1) or worse (below). */
export const formatCase = (measurements: readonly Measurement[]): string => {
  const [first] = measurements
  if (first === undefined) return ''
  const width = Math.max(...measurements.map(({ subject }) => subject.length))
  const lines = measurements.map(({ subject, value, unit, runs, isRate }, i) => {
    const ratio = i === 0 || value === 0 || first.subject === subject ? '' : `   ${number(isRate ? first.value / value : value / first.value)} ×`
    const strayed = runs.length > 1 ? ` ± ${(100 * spread(runs)).toFixed(0)} %` : ''
    return `    ${subject.padEnd(width)}  ${number(value).padStart(8)} ${unit}${strayed}${ratio}`
  })
  return [`  ${first.case}`, ...lines].join('\n')
}
