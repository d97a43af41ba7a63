// Finds and loads the compiled addon, and says why there is none.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { env } from 'node:process'
import { fileURLToPath } from 'node:url'
import { WeftError } from '@weft/contracts'

/** What native code exports; the functions are described in native/core/addon.cpp. */
export interface Addon {
  create(threads: number, instructionSet: number, onRead: (request: number, error: string | undefined) => void): {
    readonly backend: NativeHandle
    readonly ring: ArrayBuffer
    readonly control: ArrayBuffer
    readonly instructionSet: string
    readonly kernels: readonly string[]
  }
  wake(backend: NativeHandle): void
  waitForProgress(backend: NativeHandle, tail: number): void
  stage(backend: NativeHandle, bytes: ArrayBufferView): number
  stageCommand(backend: NativeHandle, words: Float64Array): number
  read(backend: NativeHandle, request: number, target: ArrayBufferView, head: number): void
  readSync(backend: NativeHandle, request: number, target: ArrayBufferView, head: number): string | undefined
  statistics(backend: NativeHandle): BufferStatistics
  stop(backend: NativeHandle): void
}

/** Opaque. */
export interface NativeHandle {
  readonly native: unique symbol
}

/** Buffers as the system sees them: in use, and kept for later calls. */
export interface BufferStatistics {
  readonly liveBytes: number
  readonly peakLiveBytes: number
  readonly keptBytes: number
  readonly peakTotalBytes: number
}

const buildFolder = (): string => env['WEFT_NATIVE_BUILD'] ?? fileURLToPath(new URL('../build/', import.meta.url))

/**
 * @param folder where `native/build.mjs` has put the addon.
 * @throws WeftError of kind `backend` that says why there is no addon and what to do.
 */
export const loadAddon = (folder = buildFolder()): Addon => {
  const file = `${folder.replace(/\/$/, '')}/weft-native.node`
  if (!existsSync(file)) throw new WeftError('backend', `backend-native: ${whyNotBuilt(folder)}`)
  try {
    return createRequire(import.meta.url)(file) as Addon
  } catch (error) {
    throw new WeftError('backend', `backend-native: ${file} cannot be loaded (${error instanceof Error ? error.message : String(error)}); build it again with \`node native/build.mjs --force\` in its package's folder`)
  }
}

const whyNotBuilt = (folder: string): string => {
  try {
    const { reason } = JSON.parse(readFileSync(`${folder}/status.json`, 'utf8')) as { readonly reason?: string }
    if (reason !== undefined) return `it was not built: ${reason}`
  } catch {
    // No status: the install script has not run.
  }
  return 'it is not built yet; run `node native/build.mjs` in its package\'s folder (it needs g++ 11 or clang++ 14, and takes less than a minute)'
}
