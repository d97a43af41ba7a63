// One run of the command: where its output goes, what stops it, and how it ends. Results go to standard output, all else to standard error.
import { startBar, type ProgressBar } from './progress-bar.ts'
import type { WeftCommand } from './weft-command.ts'

export interface Session {
  readonly isJson: boolean
  readonly isVerbose: boolean
  /** Aborted by the first Ctrl-C; the second one ends the process at once. */
  readonly signal: AbortSignal
  /** Standard output, as it is. */
  write(text: string): void
  /** A line on standard output. */
  print(line: string): void
  /** The result for machines: one line of JSON. */
  json(value: unknown): void
  /** A line for people, on standard error; nothing with --json. */
  note(line: string): void
  /** A line on standard error with --json too. */
  warn(line: string): void
  bar(label: string, unit: string): ProgressBar
  /** Lets Ctrl-C have its turn where a backend answers so promptly that nothing else would. */
  turn(): Promise<void>
}

/** Wrong use that only shows once the command runs: exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/** The reason of the abort by Ctrl-C. */
class Interrupted extends Error {
  constructor() {
    super('stopped')
    this.name = 'Interrupted'
  }
}

interface GlobalOptions {
  readonly json?: true
  readonly verbose?: true
  readonly debug?: true
}

type Action<O> = (session: Session, options: O, args: readonly string[]) => Promise<void>

/** What a command does: loaded when it runs. Arguments come as a list, options as an object. */
export const runs =
  <O>(load: () => Promise<Action<O>>) =>
  async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as WeftCommand
    const options = command.optsWithGlobals<O & GlobalOptions>()
    const session = createSession(options)
    try {
      const missing = command.missingOption()
      if (missing !== undefined) throw new UsageError(`required option '${missing}' not specified`)
      await (await load())(session, options, command.processedArgs.flat().filter((arg) => typeof arg === 'string') as string[])
    } catch (error) {
      process.exitCode = fail(error, options.debug === true)
    }
    process.removeAllListeners('SIGINT')
  }

const createSession = ({ json, verbose }: GlobalOptions): Session => {
  const controller = new AbortController()
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort(new Interrupted())
  })
  const isJson = json === true
  const warn = (line: string): void => void process.stderr.write(`${line}\n`)
  return {
    isJson,
    isVerbose: verbose === true,
    signal: controller.signal,
    write: (text) => void process.stdout.write(text),
    print: (line) => void process.stdout.write(`${line}\n`),
    json: (value) => void process.stdout.write(`${JSON.stringify(value)}\n`),
    note: (line) => (isJson ? undefined : warn(line)),
    warn,
    bar: (label, unit) => startBar({ label, unit, isQuiet: isJson }),
    turn: () => new Promise((resolve) => setImmediate(resolve)),
  }
}

/** Says what went wrong in one line; the exit code. */
const fail = (error: unknown, isDebugging: boolean): number => {
  if (error instanceof Interrupted) {
    process.stderr.write('stopped\n')
    return 130
  }
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(isDebugging && error instanceof Error ? `${error.stack ?? message}\n` : `error: ${message}\n`)
  if (!isDebugging && error instanceof Error && !isForPeople(error)) process.stderr.write('(an unexpected error: --debug prints where it comes from)\n')
  return isWrongUse(error) ? 2 : 1
}

/** What was said on the command line is wrong: ours, or commander's. */
const isWrongUse = (error: unknown): boolean => error instanceof UsageError || (error instanceof Error && 'code' in error && error.code === 'commander.invalidArgument')

const isForPeople = (error: Error): boolean => isWrongUse(error) || 'kind' in error
