// The whole way, from raw text to a chat. Each step leaves its result in the run's folder; --resume goes on from there.
import { Command, InvalidArgumentError, Option } from 'commander'
import { existsSync } from 'node:fs'
import { isWeftError } from '@weft/contracts'
import { backendNames, startBackend } from './backends.ts'
import { chat } from './chat.ts'
import { sizes, type DemoContext, type DemoSize } from './context.ts'
import { fitToMachine } from './fit-to-machine.ts'
import { findRun, newRun } from './run-folder.ts'
import { audit } from './steps/audit.ts'
import { clean } from './steps/clean.ts'
import { collect } from './steps/collect.ts'
import { evaluateAll } from './steps/evaluate.ts'
import { pretrain } from './steps/pretrain.ts'
import { publish } from './steps/publish.ts'
import { sampleAll } from './steps/sample.ts'
import { tokenize } from './steps/tokenize.ts'
import { lmOf, tune } from './steps/tune.ts'
import { createTerminal, paint } from './terminal.ts'

interface Options {
  readonly quick?: boolean
  readonly size?: DemoSize['name']
  readonly text?: string
  readonly resume?: string | true
  readonly out: string
  readonly seed: number
  readonly backend?: string
  readonly chat: boolean
}

/** What a resumed run must take from the run, not from the command line. */
interface Settings {
  readonly size: DemoSize['name']
  readonly seed: number
  readonly text: string | null
}

const integer = (text: string): number => {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('expected an integer')
  return Number(text)
}

const demo = async (options: Options, signal: AbortSignal, started: (path: string) => void): Promise<void> => {
  const terminal = createTerminal()
  if (options.text !== undefined && !existsSync(options.text)) throw new InvalidArgumentError(`--text ${options.text}: there is no such folder or file`)
  const run = options.resume === undefined ? newRun(options.out, new Date()) : findRun(options.out, options.resume)
  started(run.path)
  if (!run.has('settings')) await run.save('settings', { size: options.size ?? (options.quick === true ? 'quick' : 'full'), seed: options.seed, text: options.text ?? null } satisfies Settings)
  const settings = run.load<Settings>('settings')
  terminal.logTo(run.file('log.txt'))
  terminal.line(paint('bold', 'Weft: from raw text to a language model of your own'))
  terminal.line(paint('dim', `   everything goes to ${run.path}`))
  const backend = await startBackend(options.backend, ({ name, reason }) => terminal.line(`   ${name} does not start (${reason}); trying the next`))
  const planned: DemoContext = { run, terminal, seed: settings.seed, size: sizes[settings.size], textFolder: settings.text ?? undefined, backend, signal }
  const begin = performance.now()

  const collected = await collect(planned)
  const cleaned = await clean(planned, collected)
  const audited = await audit(planned, cleaned)
  const tokenizer = await tokenize(planned, cleaned)
  const context: DemoContext = { ...planned, size: await fitToMachine(planned, cleaned, tokenizer) }
  const pretrained = await pretrain(context, cleaned, audited, tokenizer)
  const tuned = await tune(context, cleaned, tokenizer, pretrained.mitigated)
  const evaluated = await evaluateAll(context, cleaned, tokenizer, pretrained, tuned)
  const sampled = await sampleAll(context, cleaned, tokenizer, pretrained)
  await publish(context, { cleaned, audited, pretrained, tuned, evaluated, sampled })
  terminal.line()
  terminal.line(`   the whole way took ${Math.round((performance.now() - begin) / 1000)} s on ${backend.name}`)
  if (options.chat && process.stdin.isTTY && process.stdout.isTTY) await chat(lmOf(tuned.model, tokenizer))
}

/** A full disk, a folder that may not be written: Node's message names the call and the path. */
const isSystemError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'syscall' in error

const program = new Command('demo')
  .description('The whole way from raw text to a small assistant: collect, curate, audit, tokenize, pre-train, tune, measure, write, talk.')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .option('--quick', 'the whole way in under a minute, with a smaller model')
  .option('--text <folder>', 'your own texts: .txt, .md, .jsonl, packed or not')
  .option('--resume [run]', 'go on with the newest run, or the named one')
  .option('--out <folder>', 'where runs are kept', 'runs')
  .option('--seed <n>', 'randomness of the whole run', integer, 1)
  .addOption(new Option('--backend <name>', 'instead of the first that works').choices(backendNames))
  .option('--no-chat', 'end without a talk')
  .addOption(new Option('--size <name>', 'for tests').choices(Object.keys(sizes)).hideHelp())

program.action(async (options: Options) => {
  const stop = new AbortController()
  let path: string | undefined
  process.on('SIGINT', () => {
    if (stop.signal.aborted) process.exit(130)
    process.stdout.write('\n   stopping: the step in flight finishes and is saved (Ctrl-C again leaves at once)\n')
    stop.abort(new Error('stopped by Ctrl-C'))
  })
  try {
    await demo(options, stop.signal, (folder) => (path = folder))
  } catch (error) {
    if (stop.signal.aborted && !isWeftError(error) && !isSystemError(error)) {
      process.stdout.write(`   stopped. Go on with: npm run demo -- --resume${path === undefined ? '' : ` ${path}`}\n`)
      process.exit(130)
    }
    if (!isWeftError(error) && !(error instanceof InvalidArgumentError) && !isSystemError(error)) throw error
    process.stderr.write(`error: ${error.message}\n${path === undefined ? '' : `What was done is kept in ${path}; --resume goes on from there.\n`}`)
    process.exit(error instanceof InvalidArgumentError ? 2 : 1)
  }
  process.exit(0) // a native event loop handle of a backend must not hold the shell
})
await program.parseAsync()
