// Installs the peers into a cache folder: a Python environment with pinned versions, llama.cpp compiled on and for this machine, and
// llm.c's CPU trainer. Looks first whether tools and room are there, and says what is missing and how to get it.
import { spawnSync, type SpawnSyncOptions } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, rmSync, statfsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { llmCProgram, peerFolder, pythonOfPeers, venvPython } from './peer-folder.ts'

interface Step {
  readonly what: string
  readonly command: string
  readonly args: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

interface Peer {
  readonly name: string
  readonly about: string
  /** Download and files together. */
  readonly needsGB: number
  readonly tools: readonly ToolName[]
  isThere(): boolean
  install(run: (step: Step) => void): void
}

export interface InstallOptions {
  readonly checkOnly: boolean
  say(line: string): void
}

type ToolName = keyof typeof tools

// What is asked for is what Debian and Ubuntu call it; other systems have it under a like name.
const tools = {
  python: { works: () => runs('python3', ['-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))']), get: 'Python 3.10 or newer with venv (Debian: apt install python3 python3-venv)' },
  headers: { works: () => runs('python3', ['-c', 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))']), get: "Python's headers, for torch.compile (Debian: apt install python3-dev)" },
  compiler: { works: () => runs(compiler(), ['--version']) && runs('c++', ['--version']), get: 'a C and C++ compiler (Debian: apt install g++)' },
  git: { works: () => runs('git', ['--version']), get: 'git (Debian: apt install git)' },
} as const

const compiler = (): string => process.env['CC'] ?? 'cc'
const runs = (command: string, args: readonly string[]): boolean => spawnSync(command, args, { stdio: 'ignore' }).status === 0
const hasModule = (module: string): boolean => runs(pythonOfPeers(), ['-c', `import importlib.util, sys; sys.exit(importlib.util.find_spec("${module}") is None)`])

const versions = {
  torch: ['torch==2.15.0', 'numpy==2.4.6'],
  tokenizers: ['tokenizers==0.23.3', 'tiktoken==0.14.0'],
  transformers: ['transformers==5.24.0'],
  llama: ['llama-cpp-python==0.3.36', 'numpy==2.4.6'],
  cmake: ['cmake==3.31.6', 'ninja==1.11.1.4'],
} as const

const llmC = { url: 'https://github.com/karpathy/llm.c', commit: 'f1e2ace651495b74ae22d45d1723443fd00ecd3a' }

const pip = (what: string, packages: readonly string[], more: Pick<Step, 'environment'> & { readonly flags?: readonly string[] } = {}): Step => ({
  what,
  command: venvPython(),
  args: ['-m', 'pip', 'install', '--disable-pip-version-check', '--progress-bar', 'off', ...(more.flags ?? []), ...packages],
  ...(more.environment === undefined ? {} : { environment: more.environment }),
})

const requireVenv = (run: (step: Step) => void): void => {
  if (existsSync(venvPython())) return
  run({ what: 'a Python environment', command: 'python3', args: ['-m', 'venv', dirname(dirname(venvPython()))] })
}

const pythonPeer = (name: string, module: string, about: string, needsGB: number, packages: readonly string[], needed: readonly ToolName[] = ['python']): Peer => ({
  name,
  about,
  needsGB,
  tools: needed,
  isThere: () => hasModule(module),
  install: (run) => {
    requireVenv(run)
    run(pip(packages.join(', '), packages))
  },
})

const installLlama = (run: (step: Step) => void): void => {
  requireVenv(run)
  // Its build isolates itself and takes the cmake that is on the path: the system's, else pip's.
  if (!runs('cmake', ['--version'])) run(pip(versions.cmake.join(', '), versions.cmake))
  run(
    pip('llama.cpp from source, with this machine\'s instructions (some five minutes)', versions.llama, {
      flags: ['--no-binary', 'llama-cpp-python'],
      environment: { CMAKE_ARGS: '-DGGML_NATIVE=ON', PATH: `${dirname(venvPython())}:${process.env['PATH'] ?? ''}` },
    }),
  )
}

/** llm.c's source stays as it is; our program includes it (llm_c_peer.c). WEFT_LLM_C names another copy of the repository. */
const installLlmC = (run: (step: Step) => void): void => {
  const folder = dirname(llmCProgram())
  const source = join(folder, 'source')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  run({ what: "llm.c's repository (WEFT_LLM_C names another copy)", command: 'git', args: ['clone', '--quiet', process.env['WEFT_LLM_C'] ?? llmC.url, source] })
  run({ what: `its commit ${llmC.commit.slice(0, 7)}`, command: 'git', args: ['-C', source, 'checkout', '--quiet', llmC.commit] })
  cpSync(join(import.meta.dirname, '..', 'peers', 'llm_c_peer.c'), join(folder, 'llm_c_peer.c'))
  // The flags of its own Makefile.
  const flags = ['-Ofast', '-march=native', '-fopenmp', '-DOMP', '-Wno-unused-result', '-Wno-ignored-pragmas']
  run({ what: 'its CPU trainer', command: compiler(), args: [...flags, `-I${source}`, '-o', llmCProgram(), join(folder, 'llm_c_peer.c'), '-lm'] })
}

const peers: readonly Peer[] = [
  pythonPeer('torch', 'torch', 'PyTorch 2.15', 12, versions.torch, ['python', 'compiler', 'headers']),
  pythonPeer('tokenizers', 'tokenizers', 'Hugging Face tokenizers 0.23 and tiktoken', 0.3, versions.tokenizers),
  pythonPeer('transformers', 'transformers', 'Hugging Face transformers 5', 0.5, versions.transformers),
  { name: 'llama.cpp', about: 'llama.cpp (llama-cpp-python 0.3.36), compiled here', needsGB: 1.5, tools: ['python', 'compiler'], isThere: () => hasModule('llama_cpp'), install: installLlama },
  { name: 'llm.c', about: "llm.c's CPU trainer of GPT-2, compiled here", needsGB: 0.1, tools: ['git', 'compiler'], isThere: () => existsSync(llmCProgram()), install: installLlmC },
]

export const peerNames: readonly string[] = peers.map(({ name }) => name)

/** Bytes free where the cache is, or will be. */
const freeBytes = (folder: string): number => {
  let existing = folder
  while (!existsSync(existing)) existing = dirname(existing)
  const { bavail, bsize } = statfsSync(existing)
  return bavail * bsize
}

/** What stands in the way of installing it; empty: nothing. */
const obstacles = ({ tools: needed, needsGB }: Peer): string[] => {
  if (needed.includes('python') && (process.env['WEFT_PYTHON'] ?? '') !== '') return ['WEFT_PYTHON to be unset: that Python is yours, and nothing is installed into it']
  const missing = needed.filter((name) => !tools[name].works()).map((name) => tools[name].get)
  const freeGB = freeBytes(peerFolder()) / 1e9
  return [...missing, ...(freeGB < needsGB ? [`${needsGB} GB of room in ${peerFolder()}, there are ${freeGB.toFixed(1)} (WEFT_PEERS names another folder)`] : [])]
}

class StepFailed extends Error {}

const runStep = ({ what, command, args, environment }: Step, say: (line: string) => void): void => {
  say(`    ${what} …`)
  const options: SpawnSyncOptions = { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...environment } }
  const { status, stderr, error } = spawnSync(command, args, options)
  if (status === 0) return
  const reason = error?.message ?? String(stderr).trim().split('\n').slice(-6).join('\n      ')
  throw new StepFailed(`${what} failed: ${reason}`)
}

/** Whether it is there in the end. */
const installPeer = (peer: Peer, { checkOnly, say }: InstallOptions): boolean => {
  if (peer.isThere()) {
    say(`  ${peer.name}: there (${peer.about})`)
    return true
  }
  const missing = obstacles(peer)
  if (missing.length > 0) {
    say(`  ${peer.name}: skipped, it needs ${missing.join('; ')}`)
    return false
  }
  if (checkOnly) {
    say(`  ${peer.name}: not installed; \`npm run bench -- peers ${peer.name}\` installs ${peer.about}, ${peer.needsGB} GB at most`)
    return false
  }
  say(`  ${peer.name}: ${peer.about}`)
  try {
    peer.install((step) => runStep(step, say))
    return peer.isThere()
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error
    say(`    ${error.message}`)
    return false
  }
}

/** Whether all of them are there in the end; `checkOnly` changes nothing. */
export const installPeers = async (names: readonly string[], options: InstallOptions): Promise<boolean> => {
  options.say(`Peers of the bench, in ${peerFolder()}`)
  const results = peers.filter(({ name }) => names.includes(name)).map((peer) => installPeer(peer, options))
  return results.every(Boolean)
}
