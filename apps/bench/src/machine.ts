// What the numbers were measured on: without it they mean nothing.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, availableParallelism, cpus, release, totalmem, type } from 'node:os'

export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryBytes: number
  readonly system: string
  readonly node: string
  readonly packages: Readonly<Record<string, string>>
}

const versionOf = (name: string): string => {
  try {
    return (JSON.parse(readFileSync(createRequire(import.meta.url).resolve(`${name}/package.json`), 'utf8')) as { version: string }).version
  } catch {
    return 'absent'
  }
}

export const describeMachine = (): Machine => ({
  processor: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  memoryBytes: totalmem(),
  system: `${type()} ${release()} ${arch()}`,
  node: process.version,
  packages: Object.fromEntries(['@weft/tensor', '@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'].map((name) => [name, versionOf(name)])),
})
