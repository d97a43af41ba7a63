// The bench: speed, size and start, side by side with peers, in one run.
import { Command, InvalidArgumentError } from 'commander'
import { describeMachine } from './machine.ts'
import type { Measurement, Suite, SuiteContext } from './suite.ts'
import { curation } from './suites/curation.ts'
import { gemm } from './suites/gemm.ts'
import { generate } from './suites/generate.ts'
import { size } from './suites/size.ts'
import { start } from './suites/start.ts'
import { tokenizer } from './suites/tokenizer.ts'
import { train } from './suites/train.ts'
import { formatCase } from './table.ts'

const suites: readonly Suite[] = [gemm, train, tokenizer, generate, curation, size, start]

interface Options {
  readonly json?: boolean
  readonly peers?: boolean
  readonly quick?: boolean
  readonly runs: number
}

const count = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected an integer ≥ 1')
  return value
}

const runSuites = async (names: readonly string[], options: Options): Promise<void> => {
  const chosen = names.length === 0 ? suites : names.map((name) => suites.find((suite) => suite.name === name)!)
  const machine = describeMachine()
  const say = (line: string): void => void (options.json === true ? process.stderr : process.stdout).write(`${line}\n`)
  if (options.json === true) process.stdout.write(`${JSON.stringify({ machine })}\n`)
  say(`${machine.processor}, ${machine.cores} cores; ${machine.system}; Node ${machine.node}; ${Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`).join(', ')}`)
  say('Medians of interleaved runs; × is the first subject against each other one. Machines are shared: read ratios, not absolute figures.')
  const context: SuiteContext = { runs: options.runs, isQuick: options.quick === true, withPeers: options.peers === true, note: (line) => say(`  ${line}`) }
  for (const suite of chosen) {
    say(`\n${suite.name}: ${suite.about}`)
    let block: Measurement[] = []
    const flush = (): void => {
      if (options.json !== true && block.length > 0) say(formatCase(block))
      block = []
    }
    for await (const measurement of suite.run(context)) {
      if (block.length > 0 && block[0]!.case !== measurement.case) flush()
      block.push(measurement)
      if (options.json === true) {
        const { suite: suiteName, case: caseName, subject, value, unit, runs } = measurement
        process.stdout.write(`${JSON.stringify({ suite: suiteName, case: caseName, subject, value, unit, runs })}\n`)
      }
    }
    flush()
  }
}

const program = new Command('bench')
  .description(`Speed, size and start of Weft, side by side with peers.\n\nSuites:\n${suites.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join('\n')}`)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .argument('[suites...]', 'which suites; default all')
  .option('--json', 'one JSON object a line: {suite, case, subject, value, unit, runs}; the first line describes the machine')
  .option('--peers', 'also run peers that are found: PyTorch and tokenizers of Python (WEFT_PYTHON names which Python)')
  .option('--runs <n>', 'measured runs of each subject', count, 5)
  .option('--quick', 'small sizes, for a look and for tests')

program.action(async (names: string[], options: Options) => {
  const unknown = names.filter((name) => !suites.some((suite) => suite.name === name))
  if (unknown.length > 0) program.error(`error: unknown suite ${unknown.join(', ')}; there are ${suites.map(({ name }) => name).join(', ')}`, { exitCode: 2 })
  await runSuites(names, options)
})
await program.parseAsync()
