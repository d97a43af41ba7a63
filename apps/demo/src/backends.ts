// Which backend trains: the first of these that works.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { createNativeBackend } from '@weft/backend-native'
import { createTfjsBackend } from '@weft/backend-tfjs'
import { firstWorking, type Backend, type BackendCandidate } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'

const startWasm = (): Promise<Backend> => {
  const wasm = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm')
  setWasmPaths(`${dirname(wasm)}/`)
  return createTfjsBackend({ tf, backendName: 'wasm' })
}

const candidates: readonly BackendCandidate[] = [
  { name: 'native', create: () => createNativeBackend() },
  { name: 'tfjs-wasm', create: startWasm },
  { name: 'tfjs-cpu', create: () => createTfjsBackend({ tf, backendName: 'cpu' }) },
  { name: 'reference', create: createCpuBackend },
]

export const backendNames = candidates.map(({ name }) => name)

export const startBackend = (name: string | undefined, onSkipped: (skipped: { readonly name: string; readonly reason: string }) => void): Promise<Backend> =>
  firstWorking(name === undefined ? candidates : candidates.filter((candidate) => candidate.name === name), { onSkipped })
