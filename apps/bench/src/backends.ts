// The backends that are measured, each with the tfjs that is under it where there is one.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { createTfjsBackend } from '@weft/backend-tfjs'
import type { Backend } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'

export type BackendName = 'tfjs-wasm' | 'tfjs-cpu' | 'reference'

export { tf }

export const startBackend = async (name: BackendName): Promise<Backend> => {
  if (name === 'reference') return createCpuBackend()
  const wasm = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm')
  setWasmPaths(`${dirname(wasm)}/`)
  return createTfjsBackend({ tf, backendName: name.slice('tfjs-'.length) })
}
