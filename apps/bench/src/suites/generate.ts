// Generation: prefill of a prompt and greedy decoding behind it, tokens a second, each timed inside one call of `generate`.
import type { Backend } from '@weft/tensor'
import { createModel, generate as generateTokens, type Model } from '@weft/transformer'
import { startBackend, startIfThere, threadsText, weftOn, type BackendName } from '../backends.ts'
import { numberOf } from '../line-peer.ts'
import { interleaved, type Subject } from '../measure.ts'
import { measurementsOf } from '../measurements.ts'
import { machinePeaks, peaksOf, shareOfBandwidth, shareOfPeak } from '../peaks.ts'
import { startPythonPeer, type PythonPeer } from '../python-peer.ts'
import { loadedModel, quickSizes, randomModel, smolSizes, type BenchModel } from '../smol-model.ts'
import type { Measurement, Suite, SuiteContext } from '../suite.ts'

interface Plan {
  readonly prompt: Uint32Array
  readonly newTokens: number
}

type Timed = { readonly prefillSeconds: number; readonly decodeSeconds: number }

/** The first token ends the prefill; the `newTokens` after it are decoding. */
const timeGeneration = async (model: Model, { prompt, newTokens }: Plan): Promise<Timed> => {
  const start = performance.now()
  let first = 0
  let last = 0
  for await (const event of generateTokens({ model, tokenIds: prompt, maxNewTokens: newTokens + 1, sampling: { temperature: 0 }, stopIds: [] })) {
    if (event.kind !== 'token') continue
    last = performance.now()
    if (first === 0) first = last
  }
  return { prefillSeconds: (first - start) / 1000, decodeSeconds: (last - first) / 1000 }
}

/** One pass measures both; the two subjects share it: the second asks for nothing new. */
const twoSubjects = (name: string, id: string, plan: Plan, measure: () => Promise<Timed>): { prefill: Subject; decode: Subject } => {
  let newest: Timed | undefined
  return {
    prefill: { name, id, run: async () => ({ units: plan.prompt.length, seconds: (newest = await measure()).prefillSeconds }) },
    decode: { name, id, run: async () => ({ units: plan.newTokens, seconds: (newest ?? (await measure())).decodeSeconds }) },
  }
}

const weftOnModel = async (backend: Backend, { isQuick, modelPath, note }: SuiteContext): Promise<BenchModel> => {
  if (isQuick) return randomModel(quickSizes, backend)
  if (modelPath === undefined) note('no model file: random weights in its place; `--model FILE` names a GGUF of SmolLM2-135M')
  else {
    try {
      return await loadedModel(modelPath, backend)
    } catch (error) {
      note(`random weights in place of the model: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return randomModel(smolSizes, backend)
}

interface Side {
  readonly subjects: { readonly prefill: Subject; readonly decode: Subject }
  readonly weightBytes: number
}

const llamaSide = async (peer: PythonPeer, plan: Plan, { modelPath, threads, note }: SuiteContext): Promise<Side | undefined> => {
  if (modelPath === undefined) return void note('skipped: llama.cpp has no model; `--model FILE` names a GGUF')
  const loaded = await peer.ask({ kind: 'load', path: modelPath, context: 1024, batch: 512, threads })
  note(`llama.cpp was compiled with ${String(peer.hello['about'])}`)
  const measure = async (): Promise<Timed> => {
    const reply = await peer.ask({ kind: 'run', prompt: [...plan.prompt], tokens: plan.newTokens })
    return { prefillSeconds: numberOf(reply, 'prefillSeconds'), decodeSeconds: numberOf(reply, 'decodeSeconds') }
  }
  return { subjects: twoSubjects(`${peer.name}, ${threadsText(threads)}`, 'llama.cpp', plan, measure), weightBytes: numberOf(loaded, 'bytes') }
}

async function* realModel(context: SuiteContext): AsyncGenerator<Measurement> {
  const { isQuick, threads, withPeers, note, runs } = context
  const plan: Plan = { prompt: Uint32Array.from({ length: isQuick ? 8 : 512 }, (_, i) => 100 + ((i * 37) % 150)), newTokens: isQuick ? 4 : 64 }
  const backend = (await startIfThere('native', context)) ?? (isQuick ? await startBackend('reference') : undefined)
  const peer = withPeers && !isQuick ? await startPythonPeer('llama_peer.py', 'llama_cpp', note, { threads }) : undefined
  const own = backend === undefined ? undefined : await weftOnModel(backend, context)
  try {
    const sides: Side[] = []
    if (own !== undefined) sides.push({ subjects: twoSubjects(`${weftOn(isQuick && backend!.name !== 'native' ? 'reference' : 'native', threads)}, ${own.weights}`, 'native', plan, () => timeGeneration(own.model, plan)), weightBytes: own.weightBytes })
    const llama = peer === undefined ? undefined : await llamaSide(peer, plan, context)
    if (llama !== undefined) sides.push(llama)
    if (sides.length > 0) yield* bothPhases(sides, plan, runs, peaksOf(await machinePeaks(note), threads))
  } finally {
    peer?.close()
    own?.model.dispose()
    await backend?.dispose()
  }
}

async function* bothPhases(sides: readonly Side[], plan: Plan, runs: number, peak: ReturnType<typeof peaksOf>): AsyncGenerator<Measurement> {
  // Prefill and decode of one pass stand side by side in the round, so that each pass is measured once.
  const subjects = sides.flatMap(({ subjects: { prefill, decode } }) => [prefill, decode])
  const samples = await interleaved(subjects, { runs, restMs: 0 })
  const parameters = 134.5e6 // SmolLM2-135M, the tied head counted once
  const bytesOf = (name: string): number => sides.find(({ subjects: { prefill } }) => prefill.name === name)!.weightBytes
  yield* measurementsOf('generate', `prefill of ${plan.prompt.length} tokens`, 'tokens/s', 1, samples.filter((_, i) => i % 2 === 0), ({ value }) => shareOfPeak(peak, 'f32', (value * 2 * parameters) / 1e9))
  for (const [i, sample] of samples.entries()) {
    if (i % 2 === 1) yield* measurementsOf('generate', `decode, ${plan.newTokens} tokens after the prompt`, 'tokens/s', 1, [sample], ({ value }) => shareOfBandwidth(peak, (value * bytesOf(sample.name)) / 1e9))
  }
}

/** A small model on every backend: what tfjs does stays in view. */
const smallSubject = async (name: BackendName, backend: Backend, width: number, tokens: number, threads: number): Promise<Subject> => {
  const model = createModel({ family: 'llama', vocabSize: 2048, contextLength: 256, dModel: width, numLayers: 4, numHeads: 4, numKvHeads: 2 }, { backend, seed: 1 })
  const tokenIds = Uint32Array.from({ length: 16 }, (_, i) => 1 + i)
  return {
    name: weftOn(name, threads),
    id: name,
    run: async () => {
      let count = 0
      for await (const event of generateTokens({ model, tokenIds, maxNewTokens: tokens, sampling: { temperature: 0 } })) if (event.kind === 'token') count++
      return count
    },
  }
}

async function* smallModel(context: SuiteContext): AsyncGenerator<Measurement> {
  const { runs, isQuick, threads } = context
  const [tokens, width] = isQuick ? [4, 32] : [64, 192]
  const native = await startIfThere('native', context)
  try {
    const names: BackendName[] = [...(native === undefined ? [] : (['native'] as const)), 'tfjs-wasm', ...(isQuick ? (['reference'] as const) : [])]
    const subjects: Subject[] = []
    for (const name of names) subjects.push(await smallSubject(name, name === 'native' ? native! : await startBackend(name), width, tokens, threads))
    yield* measurementsOf('generate', `Llama, 4 layers, ${width}; 16 tokens of prompt, ${tokens} new`, 'tokens/s', 1, await interleaved(subjects, { runs }))
  } finally {
    await native?.dispose()
  }
}

export const generate: Suite = {
  name: 'generate',
  about: 'prefill and greedy decoding with a kvCache, tokens/s',
  async *run(context) {
    yield* smallModel(context)
    yield* realModel(context)
  },
}
