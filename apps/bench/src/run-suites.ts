// Runs suites one after the other and tells what they find: as text or JSON lines, and into the folder of a report.
import { sharedPath } from '@weft/fixtures'
import { describeMachine } from './machine.ts'
import { measuredPeaks } from './peaks.ts'
import { mergeResults, readResults, saveResults, type SuiteResult } from './results.ts'
import { writeReport } from './report/write-report.ts'
import { isCurve, type Curve, type Measurement, type Suite, type SuiteContext } from './suite.ts'
import { formatCase } from './table.ts'

export interface RunOptions {
  readonly json?: boolean
  readonly peers?: boolean
  readonly quick?: boolean
  readonly runs: number
  readonly threads: number
  readonly model?: string
  readonly report?: string
}

interface Output {
  say(line: string): void
  json(value: unknown): void
  result(result: Measurement | Curve): void
  endCase(): void
}

const outputOf = (isJson: boolean): Output => {
  let block: Measurement[] = []
  const say = (line: string): void => void (isJson ? process.stderr : process.stdout).write(`${line}\n`)
  const json = (value: unknown): void => void (isJson && process.stdout.write(`${JSON.stringify(value)}\n`))
  const endCase = (): void => {
    if (!isJson && block.length > 0) say(formatCase(block))
    block = []
  }
  const result = (one: Measurement | Curve): void => {
    if (isCurve(one)) return json({ suite: one.suite, curve: one.name, plot: one.plot, points: one.points.map(({ x, y }) => [x, y]) })
    if (block.length > 0 && block[0]!.case !== one.case) endCase()
    block.push(one)
    const { suite, case: caseName, subject, value, unit, runs, id, share } = one
    json({ suite, case: caseName, subject, value, unit, runs, ...(id === undefined ? {} : { id }), ...(share === undefined ? {} : { share }) })
  }
  return { say, json, result, endCase }
}

/**
 * Gives the names of suites that failed; what they had measured before is kept, and the others run all the same.
 * @throws Error for a report folder that cannot be read, before anything is measured.
 */
export const runSuites = async (chosen: readonly Suite[], options: RunOptions): Promise<string[]> => {
  const output = outputOf(options.json === true)
  const machine = describeMachine()
  if (options.report !== undefined) saveResults(options.report, readResults(options.report))
  output.json({ machine })
  output.say(`${machine.processor}, ${machine.cores} cores; ${machine.system}; Node ${machine.node}; ${Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`).join(', ')}`)
  output.say('Medians of interleaved runs; × is the first subject against each other one. Machines are shared: read ratios, not absolute figures.')
  const failed: string[] = []
  for (const suite of chosen) {
    const { result, hasFailed } = await runSuite(suite, options, output)
    if (hasFailed) failed.push(suite.name)
    if (options.report === undefined) continue
    const results = mergeResults(readResults(options.report), [result]) // after each suite: a later one that fails loses nothing
    saveResults(options.report, results)
    writeReport(options.report, results)
  }
  if (options.report !== undefined) output.say(`\nreport: ${options.report}/report.html`)
  return failed
}

const runSuite = async (suite: Suite, options: RunOptions, output: Output): Promise<{ result: SuiteResult; hasFailed: boolean }> => {
  output.say(`\n${suite.name}: ${suite.about}`)
  const startedAt = new Date().toISOString()
  const measurements: Measurement[] = []
  const curves: Curve[] = []
  const notes: string[] = []
  const note = (line: string): void => {
    if (notes.includes(line)) return
    notes.push(line)
    output.endCase()
    output.say(`  ${line}`)
  }
  const context: SuiteContext = {
    runs: options.runs,
    isQuick: options.quick === true,
    withPeers: options.peers === true,
    threads: options.threads,
    modelPath: options.model ?? sharedPath('models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf'),
    note,
  }
  let hasFailed = false
  try {
    for await (const result of suite.run(context)) {
      if (isCurve(result)) curves.push(result)
      else measurements.push(result)
      output.result(result)
    }
  } catch (error) {
    hasFailed = true
    note(`failed: ${error instanceof Error ? error.message : String(error)}`)
  }
  output.endCase()
  const result: SuiteResult = { suite: suite.name, about: suite.about, machine: describeMachine(), threads: options.threads, startedAt, isQuick: context.isQuick, peaks: measuredPeaks(options.threads), measurements, curves, notes }
  return { result, hasFailed }
}
