// A run is a folder. Each finished step leaves a JSON file, written whole or not at all; --resume skips the steps whose files are there.
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ConfigError, type Json } from '@weft/contracts'
import { atomicSink } from '@weft/sources/node'

export interface RunFolder {
  readonly path: string
  file(...parts: string[]): string
  has(step: string): boolean
  load<T>(step: string): T
  save(step: string, value: unknown): Promise<void>
  write(name: string, text: string): Promise<void>
}

const openRun = (path: string): RunFolder => {
  const stepFile = (step: string): string => join(path, 'steps', `${step}.json`)
  const write = async (file: string, text: string): Promise<void> => {
    const sink = await atomicSink(file)
    await sink.write(new TextEncoder().encode(text))
    await sink.commit()
  }
  return {
    path,
    file: (...parts) => join(path, ...parts),
    has: (step) => existsSync(stepFile(step)),
    load: <T>(step: string) => JSON.parse(readFileSync(stepFile(step), 'utf8')) as T,
    save: (step, value) => write(stepFile(step), JSON.stringify(value as Json)),
    write: (name, text) => write(join(path, name), text),
  }
}

/** A new run, named by the time. */
export const newRun = (parent: string, now: Date): RunFolder => {
  const name = now.toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-')
  const path = resolve(parent, name)
  mkdirSync(join(path, 'steps'), { recursive: true })
  return openRun(path)
}

/** The named run, or the newest. @throws ConfigError where there is none. */
export const findRun = (parent: string, name: string | true): RunFolder => {
  if (typeof name === 'string') {
    const path = existsSync(join(name, 'steps')) ? resolve(name) : resolve(parent, name)
    if (!existsSync(join(path, 'steps'))) throw new ConfigError(`--resume: ${path} is no run of this demo; run without --resume to start one`)
    return openRun(path)
  }
  const runs = existsSync(parent) ? readdirSync(parent).filter((entry) => existsSync(join(parent, entry, 'steps'))).sort() : []
  const newest = runs.at(-1)
  if (newest === undefined) throw new ConfigError(`--resume: ${resolve(parent)} holds no run; run without --resume to start one`)
  return openRun(resolve(parent, newest))
}
