// SmolLM2-135M: prefill of a prompt and greedy decoding behind it, beside llama.cpp with the same file. The first token ends the
// prefill, those after it are decoding; each pass is measured once and gives both.
import type { Backend } from '@weft/tensor'
import { generate as generateTokens, type Model } from '@weft/transformer'
import { startBackend, startIfThere, weftOn, type BackendName } from '../backends.ts'
import { numberOf } from '../line-peer.ts'
import { interleaved, type Samples, type Subject } from '../measure.ts'
import { measurementsOf } from '../measurements.ts'
import { machinePeaks, peaksOf, shareOfBandwidth, shareOfPeak, type ThreadPeaks } from '../peaks.ts'
import { startPythonPeer, type PythonPeer } from '../python-peer.ts'
import { loadedModel, quickSizes, randomModel, smolSizes, type BenchModel } from '../smol-model.ts'
import type { Measurement, SuiteContext } from '../suite.ts'
import { threadsText } from '../table.ts'

interface Plan {
  readonly prompt: Uint32Array
  readonly newTokens: number
}

interface Timed {
  readonly prefillSeconds: number
  readonly decodeSeconds: number
}

interface Side {
  readonly name: string
  readonly id: string
  /** Read once for each token that is decoded, and once for a prefill. */
  readonly weightBytes: number
  readonly parameters: number
  measure(): Promise<Timed>
}

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

/** The file's model where it can be loaded, else one of its sizes with random weights. */
const modelOn = async (backend: Backend, { isQuick, modelPath, note }: SuiteContext): Promise<BenchModel> => {
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

const llamaSide = async (peer: PythonPeer, plan: Plan, { modelPath, threads, note }: SuiteContext): Promise<Side | undefined> => {
  if (modelPath === undefined) return void note('skipped: llama.cpp has no model; `--model FILE` names a GGUF')
  const loaded = await peer.ask({ kind: 'load', path: modelPath, context: 1024, batch: 512, threads })
  note(`llama.cpp was compiled with ${String(peer.hello['about'])}`)
  return {
    name: `${peer.name}, ${threadsText(threads)}`,
    id: 'llama.cpp',
    weightBytes: numberOf(loaded, 'bytes'),
    parameters: numberOf(loaded, 'parameters'),
    measure: async () => {
      const reply = await peer.ask({ kind: 'run', prompt: [...plan.prompt], tokens: plan.newTokens })
      return { prefillSeconds: numberOf(reply, 'prefillSeconds'), decodeSeconds: numberOf(reply, 'decodeSeconds') }
    },
  }
}

/** Two subjects a side, prefill first; decode tells of the pass that prefill has just measured. */
const subjectsOf = ({ name, id, measure }: Side, plan: Plan): readonly [prefill: Subject, decode: Subject] => {
  let newest: Timed | undefined
  const prefill = async () => ({ units: plan.prompt.length, seconds: (newest = await measure()).prefillSeconds })
  const decode = async () => ({ units: plan.newTokens, seconds: (newest ?? (await measure())).decodeSeconds })
  return [
    { name, id, run: prefill },
    { name, id, run: decode },
  ]
}

async function* compare(sides: readonly Side[], plan: Plan, runs: number, peak: ThreadPeaks | undefined): AsyncGenerator<Measurement> {
  const samples = await interleaved(sides.flatMap((side) => subjectsOf(side, plan)), { runs })
  const phase = (remainder: 0 | 1, title: string, more: (side: Side, value: number) => Pick<Measurement, 'share' | 'work'>): Measurement[] =>
    sides.flatMap((side, i) => measurementsOf('generate', title, 'tokens/s', 1, [samples[2 * i + remainder]] as Samples[], ({ value }) => more(side, value)))
  yield* phase(0, `prefill of ${plan.prompt.length} tokens`, ({ parameters, weightBytes }, value) => ({
    ...shareOfPeak(peak, 'f32', (value * 2 * parameters) / 1e9),
    work: { flopsPerUnit: 2 * parameters, bytesPerUnit: weightBytes / plan.prompt.length, precision: 'f32' },
  }))
  yield* phase(1, `decode, ${plan.newTokens} tokens after the prompt`, ({ parameters, weightBytes }, value) => ({
    ...shareOfBandwidth(peak, (value * weightBytes) / 1e9),
    work: { flopsPerUnit: 2 * parameters, bytesPerUnit: weightBytes, precision: 'int8' },
  }))
}

export async function* promptedModel(context: SuiteContext): AsyncGenerator<Measurement> {
  const { isQuick, threads, withPeers, note, runs } = context
  const plan: Plan = { prompt: Uint32Array.from({ length: isQuick ? 8 : 512 }, (_, i) => 100 + ((i * 37) % 150)), newTokens: isQuick ? 4 : 64 }
  const native = await startIfThere('native', context)
  const name: BackendName = native === undefined ? 'reference' : 'native'
  const backend = native ?? (isQuick ? await startBackend('reference') : undefined)
  const own = backend === undefined ? undefined : await modelOn(backend, context)
  const peer = withPeers && !isQuick ? await startPythonPeer('llama_peer.py', 'llama_cpp', note, { threads }) : undefined
  try {
    const sides: Side[] = []
    if (own !== undefined) sides.push({ name: `${weftOn(name, threads)}, ${own.weights}`, id: name, ...own, measure: () => timeGeneration(own.model, plan) })
    const llama = peer === undefined ? undefined : await llamaSide(peer, plan, context)
    if (llama !== undefined) sides.push(llama)
    if (sides.length > 0) yield* compare(sides, plan, runs, peaksOf(await machinePeaks(context), threads))
  } finally {
    peer?.close()
    own?.model.dispose()
    await backend?.dispose()
  }
}
