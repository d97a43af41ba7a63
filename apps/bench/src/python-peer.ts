// A peer in Python, from peers/: asked in JSON.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { startLinePeer, type Reply } from './line-peer.ts'
import { pythonOfPeers } from './peer-folder.ts'

export interface PythonPeer {
  /** Name and version, for the report. */
  readonly name: string
  /** All that it said about itself. */
  readonly hello: Reply
  ask(request: Readonly<Record<string, unknown>>): Promise<Reply>
  close(): void
}

/** Starts `peers/<script>`; undefined where `module` is not installed, with a note how to get it. */
export const startPythonPeer = async (
  script: string,
  module: string,
  note: (line: string) => void,
  options: { readonly threads?: number } = {},
): Promise<PythonPeer | undefined> => {
  const { threads } = options
  const python = pythonOfPeers()
  const probe = spawnSync(python, ['-c', `import importlib.util, sys; sys.exit(importlib.util.find_spec('${module}') is None)`], { stdio: 'ignore' })
  if (probe.status !== 0) {
    note(`skipped: ${module} (Python) is not installed; \`npm run bench -- peers\` installs the peers, WEFT_PYTHON names another Python`)
    return undefined
  }
  const environment: Record<string, string> = threads === undefined ? {} : { OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads) }
  const peer = startLinePeer(script, python, [join(import.meta.dirname, '..', 'peers', script)], environment)
  const ask = (request: Readonly<Record<string, unknown>>): Promise<Reply> => peer.ask(JSON.stringify(request))
  try {
    const hello = await ask({ kind: 'hello', ...(threads === undefined ? {} : { threads }) })
    return { name: String(hello['name']), hello, ask, close: peer.close }
  } catch (error) {
    peer.close()
    note(`skipped: ${module} (Python) is installed but does not start: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}
