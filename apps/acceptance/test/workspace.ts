// Where the acceptance tests find packages, the system's Node and the code blocks of a Markdown file.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repositoryRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

export interface PackageManifest {
  readonly name: string
  readonly version: string
  readonly folder: string
  readonly exports: Readonly<Record<string, unknown>>
}

/** The published packages. */
export const packages = (): PackageManifest[] =>
  readdirSync(join(repositoryRoot, 'packages'))
    .sort()
    .map((name) => join(repositoryRoot, 'packages', name))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => ({ ...(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Omit<PackageManifest, 'folder'>), folder }))

/** The Node of the machine, not the workspace's pinned one: what a person without this repository has. */
export const systemNode = (): string => {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const candidate = join(folder, 'node')
    if (!folder.includes('node_modules') && existsSync(candidate)) return candidate
  }
  return process.execPath
}

/** PATH without any node_modules: commands run as on a machine that never saw the workspace. */
export const outsidePath = (...first: string[]): string =>
  [...first, ...(process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))].join(delimiter)

export interface CodeBlock {
  readonly language: string
  /** Words after the language, for example `no-run`. */
  readonly flags: readonly string[]
  readonly code: string
  readonly line: number
}

export const codeBlocks = (markdown: string): CodeBlock[] => {
  const blocks: CodeBlock[] = []
  for (const match of markdown.matchAll(/^```([\w-]+)([^\n]*)\n([\s\S]*?)^```\s*$/gm)) {
    const line = markdown.slice(0, match.index).split('\n').length
    blocks.push({ language: match[1]!, flags: match[2]!.trim().split(/\s+/).filter((flag) => flag !== ''), code: match[3]!, line })
  }
  return blocks
}

export interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end; never through a shell. */
export const execute = (command: string, args: readonly string[], options: { cwd: string; env?: NodeJS.ProcessEnv; input?: string }): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd, env: options.env ?? process.env, stdio: ['pipe', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.stdin.end(options.input ?? '')
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, stdout, stderr }))
  })
