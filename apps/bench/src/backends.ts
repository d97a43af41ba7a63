// The backends that are measured, each with the tfjs that is under it where there is one.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { createNativeBackend } from '@weft/backend-native'
import { createTfjsBackend } from '@weft/backend-tfjs'
import type { Backend, Primitive } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { threadsText } from './table.ts'

export type BackendName = 'native' | 'tfjs-wasm' | 'tfjs-cpu' | 'reference'

export { tf }

export const startBackend = async (name: BackendName, options: { readonly threads?: number } = {}): Promise<Backend> => {
  if (name === 'native') return createNativeBackend(options)
  if (name === 'reference') return createCpuBackend()
  const wasm = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm')
  setWasmPaths(`${dirname(wasm)}/`)
  return createTfjsBackend({ tf, backendName: name.slice('tfjs-'.length) })
}

const primitives = ['fill', 'iota', 'unary', 'binary', 'where', 'cast', 'reduce', 'matMul', 'permute', 'broadcastTo', 'slice', 'pad', 'concat', 'gather', 'scatterAdd'] as const satisfies readonly Primitive[]

/** The backend, or undefined with a note why not. */
export const startIfThere = async (
  name: BackendName,
  context: { readonly threads: number; note(line: string): void },
): Promise<Backend | undefined> => {
  try {
    const backend = await startBackend(name, { threads: context.threads })
    const missing = primitives.filter((name) => backend.kernels[name] === undefined)
    if (missing.length === 0) return backend
    await backend.dispose()
    throw new Error(`it has no kernels for ${missing.join(', ')}`)
  } catch (error) {
    context.note(`skipped: backend ${name} does not start: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

/** What the tables call it. Only native has threads; wasm in Node has one. */
export const weftOn = (name: BackendName, threads: number): string => (name === 'native' ? `weft on native, ${threadsText(threads)}` : `weft on ${name}`)
