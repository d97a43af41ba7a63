// Runs a file of this folder as a process of its own, as a user's program would be.
import { spawn } from 'node:child_process'
import { join } from 'node:path'

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: string
}

/**
 * @param options.environment besides what this process has.
 * @param options.limitKilobytes address space that the system gives it at most (`ulimit -v`).
 * @param options.onOutput told of everything printed so far, whenever there is more.
 */
export const runChild = (
  file: string,
  options: { readonly args?: readonly string[]; readonly environment?: Readonly<Record<string, string>>; readonly limitKilobytes?: number; readonly onOutput?: (output: string, send: (signal: NodeJS.Signals) => void) => void } = {},
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const node = [process.execPath, '--conditions=@weft/source', '--disable-warning=ExperimentalWarning', join(import.meta.dirname, file), ...(options.args ?? [])]
    const limit = options.limitKilobytes === undefined ? '' : `ulimit -v ${options.limitKilobytes}; `
    const child = spawn('sh', ['-c', `${limit}exec "$0" "$@"`, ...node], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...options.environment } })
    let output = ''
    const take = (chunk: Buffer): void => {
      output += chunk.toString()
      options.onOutput?.(output, (signal) => child.kill(signal))
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, output }))
  })
