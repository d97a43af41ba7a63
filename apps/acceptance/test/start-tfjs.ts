// tfjs' cpu and wasm backends in Node, as Weft backends.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { createTfjsBackend } from '@weft/backend-tfjs'
import type { Backend } from '@weft/tensor'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'

const wasmFolder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm'))

export const startTfjs = async (backendName: 'cpu' | 'wasm'): Promise<Backend> => {
  if (backendName === 'wasm') setWasmPaths(`${wasmFolder}/`)
  return createTfjsBackend({ tf, backendName })
}
