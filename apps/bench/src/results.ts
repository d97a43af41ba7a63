// What a run found, as a file: results.json in the folder of a report. A suite measured again replaces itself; all others stay.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Machine } from './machine.ts'
import type { ThreadPeaks } from './peaks.ts'
import type { Curve, Measurement } from './suite.ts'

export interface SuiteResult {
  readonly suite: string
  readonly about: string
  readonly machine: Machine
  readonly threads: number
  /** ISO 8601, when the suite began. */
  readonly startedAt: string
  readonly isQuick: boolean
  readonly peaks: readonly ThreadPeaks[]
  readonly measurements: readonly Measurement[]
  readonly curves: readonly Curve[]
  readonly notes: readonly string[]
}

const version = 1
const fileOf = (folder: string): string => join(folder, 'results.json')

/** Empty where there is no file. @throws Error naming the file when it is not what `saveResults` writes. */
export const readResults = (folder: string): SuiteResult[] => {
  const file = fileOf(folder)
  if (!existsSync(file)) return []
  let content: { version?: unknown; suites?: unknown }
  try {
    content = JSON.parse(readFileSync(file, 'utf8')) as typeof content
  } catch (cause) {
    throw new Error(`${file}: expected JSON (${cause instanceof Error ? cause.message : String(cause)}); remove it to start anew`)
  }
  if (content?.version !== version || !Array.isArray(content.suites) || !content.suites.every(isSuiteResult)) {
    throw new Error(`${file}: expected results of the bench, version ${version}; remove it to start anew`)
  }
  return content.suites
}

const isSuiteResult = (value: unknown): value is SuiteResult => {
  const result = value as Partial<SuiteResult> | null
  return typeof result?.suite === 'string' && typeof result.machine === 'object' && [result.measurements, result.curves, result.notes, result.peaks].every(Array.isArray)
}

/** New results in place of older ones of the same suite. */
export const mergeResults = (older: readonly SuiteResult[], newer: readonly SuiteResult[]): SuiteResult[] => [
  ...older.map((one) => newer.find(({ suite }) => suite === one.suite) ?? one),
  ...newer.filter(({ suite }) => !older.some((one) => one.suite === suite)),
]

export const saveResults = (folder: string, results: readonly SuiteResult[]): void => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${fileOf(folder)}.new`, `${JSON.stringify({ version, suites: results }, null, 1)}\n`)
  renameSync(`${fileOf(folder)}.new`, fileOf(folder))
}
