// A peer in Python: a process that answers one JSON line with one JSON line, so that its runs take turns with ours.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'

const python = process.env['WEFT_PYTHON'] ?? 'python3'

export interface PythonPeer {
  /** Name and version, for the report. */
  readonly name: string
  ask(request: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>
  close(): void
}

/**
 * Starts `peers/<script>`; undefined where `module` is not installed, with a note how to get it.
 */
export const startPythonPeer = async (script: string, module: string, note: (line: string) => void): Promise<PythonPeer | undefined> => {
  const probe = spawnSync(python, ['-c', `import ${module}`], { stdio: 'ignore' })
  if (probe.status !== 0) {
    note(`skipped: ${module} (Python) is not installed; \`${python} -m pip install ${module}\` adds it, WEFT_PYTHON names another Python`)
    return undefined
  }
  const child: ChildProcess = spawn(python, [join(import.meta.dirname, '..', 'peers', script)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: Interface = createInterface({ input: child.stdout! })
  const replies = lines[Symbol.asyncIterator]()
  const ask = async (request: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> => {
    child.stdin!.write(`${JSON.stringify(request)}\n`)
    const { value, done } = await replies.next()
    if (done === true) throw new Error(`${script} ended without an answer to ${JSON.stringify(request).slice(0, 200)}`)
    return JSON.parse(value) as Record<string, unknown>
  }
  const { name } = await ask({ kind: 'hello' })
  return { name: String(name), ask, close: () => child.kill() }
}
