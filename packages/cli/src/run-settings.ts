// The settings of a training run, kept in run.json of its folder, so that --resume needs no options and cannot become another run.
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Json } from '@weft/contracts'
import { jsonBytes } from './report-files.ts'
import { UsageError } from './session.ts'
import { parseJson } from './tokenizer-file.ts'

export type Settings = Readonly<Record<string, Json>>

const file = 'run.json'
const isThere = (path: string): Promise<boolean> => stat(path).then(() => true, () => false)
const optionName = (key: string): string => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

export const settingsFile = (command: string, settings: Settings, facts: Settings = {}): Record<string, Uint8Array> => ({
  [file]: jsonBytes({ format: 'weft-run-1', command, settings, facts }),
})

/** @throws UsageError where the folder holds a run or a model that a new one would spoil; a run that has saved nothing is none. */
export const requireNewFolder = async (folder: string): Promise<void> => {
  const checkpoints = await readdir(join(folder, 'checkpoints')).catch(() => [])
  if (checkpoints.some((name) => !name.startsWith('.'))) throw new UsageError(`--out: ${folder} holds a run already; go on with it by --resume, or name another folder`)
  for (const name of ['config.json', 'adapter_config.json']) {
    if (await isThere(join(folder, name))) throw new UsageError(`--out: ${folder} holds a model already (${name}); name another folder`)
  }
}

/**
 * The settings of the run in a folder. Options given beside --resume must say the same.
 * @throws UsageError where there is no run of this command, or an option differs.
 */
export const readSettings = async (folder: string, command: string, given: Settings): Promise<{ settings: Settings; facts: Settings }> => {
  const path = join(folder, file)
  const text = await readFile(path, 'utf8').catch(() => {
    throw new UsageError(`--resume: ${folder} holds no run (there is no ${file})`)
  })
  const run = parseJson(text, path) as { command?: Json; settings?: Settings; facts?: Settings } | null
  if (run?.command !== command || typeof run.settings !== 'object') throw new UsageError(`--resume: ${path} is of \`weft ${String(run?.command)}\`, not of \`weft ${command}\``)
  for (const [key, value] of Object.entries(given)) {
    const was = run.settings[key] ?? null
    if (JSON.stringify(was) !== JSON.stringify(value)) throw new UsageError(`--resume: this run has ${optionName(key)} ${JSON.stringify(was)}, not ${JSON.stringify(value)}; leave the option out, or start anew in another folder`)
  }
  return { settings: run.settings, facts: run.facts ?? {} }
}

/** Of all options those that are settings and were given. */
export const givenSettings = (options: object, keys: readonly string[]): Settings =>
  Object.fromEntries(Object.entries(options).filter(([key, value]) => keys.includes(key) && value !== undefined)) as Settings
