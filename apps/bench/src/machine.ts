// What the numbers were measured on: without it they mean nothing.
import { existsSync, readFileSync } from 'node:fs'
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

/** The name as the system tells it, which on rented machines hides the generation; family and model tell that. */
const processor = (): string => {
  const name = cpus()[0]?.model ?? 'unknown'
  const text = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : ''
  const [family, model] = ['cpu family', 'model'].map((key) => new RegExp(`^${key}\\s*: (\\d+)$`, 'm').exec(text)?.[1])
  return family === undefined || model === undefined ? name : `${name} (family ${family}, model ${model})`
}

export const describeMachine = (): Machine => ({
  processor: processor(),
  cores: availableParallelism(),
  memoryBytes: totalmem(),
  system: `${type()} ${release()} ${arch()}`,
  node: process.version,
  packages: Object.fromEntries(['@weft/tensor', '@weft/backend-native', '@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'].map((name) => [name, versionOf(name)])),
})
