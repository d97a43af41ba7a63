// Which backend computes: the first of these that works, or the one that was asked for.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { firstWorking, type Backend, type BackendCandidate } from '@weft/tensor'
import { UsageError, type Session } from './session.ts'

const startWasm = async (): Promise<Backend> => {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm')
  const wasm = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm')
  setWasmPaths(`${dirname(wasm)}/`)
  return startTfjs('wasm')
}

const startTfjs = async (backendName: string): Promise<Backend> => {
  const [tf, { createTfjsBackend }] = await Promise.all([import('@tensorflow/tfjs-core'), import('@weft/backend-tfjs')])
  return createTfjsBackend({ tf, backendName })
}

/** The fastest first. */
export const backendCandidates: readonly (BackendCandidate & { readonly about: string })[] = [
  { name: 'native', about: 'C++ on all cores, compiled here when it was installed', create: async () => (await import('@weft/backend-native')).createNativeBackend() },
  { name: 'tfjs-wasm', about: 'TensorFlow.js on WebAssembly with SIMD', create: startWasm },
  {
    name: 'tfjs-cpu',
    about: 'TensorFlow.js in JavaScript',
    create: async () => {
      await import('@tensorflow/tfjs-backend-cpu')
      return startTfjs('cpu')
    },
  },
  { name: 'reference', about: 'the readable reference, slow', create: async () => (await import('@weft/tensor/cpu')).createCpuBackend() },
]

/** @throws UsageError for a name that is none. */
export const backendCandidate = (name: string): BackendCandidate => {
  const found = backendCandidates.find((candidate) => candidate.name === name)
  if (found === undefined) throw new UsageError(`--backend: expected one of ${backendCandidates.map((candidate) => candidate.name).join(', ')}, got ${name}`)
  return found
}

/** Says which one was taken with --verbose, and in any case when only the slow one is left. */
export const startBackend = async (session: Session, name: string | undefined): Promise<Backend> => {
  const skipped: string[] = []
  let taken = ''
  const candidates = (name === undefined ? backendCandidates : [backendCandidate(name)]).map((candidate) => ({
    name: candidate.name,
    create: async () => {
      const backend = await candidate.create()
      taken = candidate.name
      return backend
    },
  }))
  const backend = await firstWorking(candidates, { onSkipped: (one) => skipped.push(`${one.name} does not work (${one.reason})`) })
  const isSlow = taken === 'reference' && name === undefined
  if (isSlow || session.isVerbose) session.warn([`backend: ${taken}`, ...skipped].join('; '))
  return backend
}
