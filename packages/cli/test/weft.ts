// Runs the command as a shell does: a process of its own, from source.
import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
export const nodeArguments = ['--conditions=@weft/source', '--disable-warning=ExperimentalWarning', main]

export interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** @param options.input what standard input holds; default nothing. */
export const weft = (args: readonly string[], { cwd, input = '' }: { readonly cwd: string; readonly input?: string }): Outcome => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...nodeArguments, ...args], { cwd, input, encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}

/** Starts it and leaves it running. */
export const startWeft = (args: readonly string[], cwd: string) => spawn(process.execPath, [...nodeArguments, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
