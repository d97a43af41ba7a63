// The bench: speed, size and start, side by side with peers, in one run.
import { availableParallelism } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { installPeers, peerNames } from './install-peers.ts'
import { writeReport } from './report/write-report.ts'
import { readResults } from './results.ts'
import { runSuites, type RunOptions } from './run-suites.ts'
import { suites } from './suites.ts'

const count = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected an integer ≥ 1')
  return value
}

const threadCount = (text: string): number => {
  const value = count(text)
  if (value > 1024) throw new InvalidArgumentError('expected at most 1024')
  return value
}

const fail = (message: string): never => program.error(`error: ${message}`, { exitCode: 2 })
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const program = new Command('bench')
  .description(`Speed, size and start of Weft, side by side with peers.\n\nSuites:\n${suites.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join('\n')}`)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : error.exitCode === 3 ? 3 : 2))
  .argument('[suites...]', 'which suites; default all')
  .option('--json', 'one JSON object a line: {suite, case, subject, value, unit, runs} and, where known, {id, share}; the first line describes the machine')
  .option('--peers', 'also run peers that are found: PyTorch, llama.cpp, llm.c, tokenizers (`bench peers` installs them, WEFT_PYTHON names another Python)')
  .option('--runs <n>', 'measured runs of each subject', count, 5)
  .option('--threads <n>', 'threads of every side', threadCount, availableParallelism())
  .option('--model <file>', 'a GGUF of SmolLM2-135M for `generate`; default: the one of the shared data, where it is')
  .option('--report <folder>', 'write report.md, report.html and results.json there; suites measured earlier stay in it')
  .option('--quick', 'small sizes, for a look and for tests')

program.action(async (names: string[], options: RunOptions) => {
  const unknown = names.filter((name) => !suites.some((suite) => suite.name === name))
  if (unknown.length > 0) fail(`unknown suite ${unknown.join(', ')}; there are ${suites.map(({ name }) => name).join(', ')}`)
  try {
    const failed = await runSuites(names.length === 0 ? suites : suites.filter(({ name }) => names.includes(name)), options)
    if (failed.length > 0) program.error(`error: failed: ${failed.join(', ')}`, { exitCode: 3 })
  } catch (error) {
    fail(messageOf(error))
  }
})

program
  .command('peers')
  .description('installs the peers into a cache folder (WEFT_PEERS, else the user\'s), each only where its tools and room are there')
  .argument('[names...]', `which: ${peerNames.join(', ')}; default all`)
  .option('--check', 'only say what is there, what is missing and what it takes')
  .action(async (names: string[], options: { check?: boolean }) => {
    const unknown = names.filter((name) => !peerNames.includes(name))
    if (unknown.length > 0) fail(`unknown peer ${unknown.join(', ')}; there are ${peerNames.join(', ')}`)
    const isComplete = await installPeers(names.length === 0 ? peerNames : names, { checkOnly: options.check === true, say: (line) => void process.stdout.write(`${line}\n`) })
    if (!isComplete) process.exitCode = 3
  })

program
  .command('report')
  .description('draws the report of a folder again from its results.json')
  .argument('<folder>')
  .action((folder: string) => {
    try {
      const results = readResults(folder)
      if (results.length === 0) fail(`${folder}: expected a results.json, there is none; \`--report ${folder}\` writes one`)
      process.stdout.write(`${writeReport(folder, results)}\n`)
    } catch (error) {
      fail(messageOf(error))
    }
  })

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 3))

await program.parseAsync()
