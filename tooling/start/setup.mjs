// Installs what the workspace needs, once: the pinned package manager, which brings the pinned Node and every dependency. Runs on the
// system's Node 20. Called by every root script, so a fresh clone needs no step of its own.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const stampFile = join(root, 'node_modules', '.weft-setup')
const minimumNode = [24, 11]

/** A digest of all that decides what is installed. */
const wanted = () => {
  const hash = createHash('sha256')
  const files = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml']
  for (const group of ['packages', 'apps', 'tooling']) {
    for (const name of readdirSync(join(root, group)).sort()) files.push(join(group, name, 'package.json'))
  }
  for (const file of files) if (existsSync(join(root, file))) hash.update(file).update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

/** Makes sure that the workspace is installed and its native code compiled. @returns whether it is installed; what went wrong is printed. */
export const setUp = () => {
  const stamp = wanted()
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
    if (!install(stamp)) return false
  }
  // It looks at its own sources and does nothing where all is built; without a compiler other backends are used.
  spawnSync(process.execPath, [join(root, 'packages', 'backend-native', 'native', 'build.mjs'), '--when-needed'], { stdio: ['ignore', 2, 2] })
  return true
}

const install = (stamp) => {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  process.stderr.write(`Setting up: installing dependencies with ${packageManager} (once)\n`)
  const result = spawnSync('npx', ['-y', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=warn'], {
    cwd: root,
    stdio: ['ignore', 2, 2], // progress belongs on standard error: standard output is the program's own
  })
  if (result.status !== 0) {
    process.stderr.write(`Set-up failed${result.error ? `: ${result.error.message}` : ''}. It needs npm and a reachable npm registry; run \`npm run setup\` to try again.\n`)
    return false
  }
  mkdirSync(dirname(stampFile), { recursive: true })
  writeFileSync(`${stampFile}.tmp`, stamp)
  renameSync(`${stampFile}.tmp`, stampFile)
  return true
}

/** The environment in which the workspace's own commands and its pinned Node come first. */
export const workspaceEnvironment = () => ({ ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH ?? ''}` })

/** The Node that runs the workspace: the pinned one, where its platform has one, else the caller's if it is new enough. */
export const workspaceNode = () => {
  const pinned = join(root, 'node_modules', '.bin', 'node')
  if (existsSync(pinned)) return pinned
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > minimumNode[0] || (major === minimumNode[0] && minor >= minimumNode[1])) return process.execPath
  process.stderr.write(`Weft's workspace runs on Node ${minimumNode.join('.')} or newer. No pinned Node exists for ${process.platform} ${process.arch}, and this is ${process.version}: please install a newer one.\n`)
  return process.exit(1)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = setUp() ? 0 : 1
