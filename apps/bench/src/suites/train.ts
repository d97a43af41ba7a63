// Training steps of GPT-2 shapes with AdamW: tokens a second and peak memory. All sides start from the same weights and see the same
// batches; their losses are compared step by step.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend, TokenBatch } from '@weft/tensor'
import { startBackend, startIfThere, weftOn, type BackendName } from '../backends.ts'
import { threadsText } from '../table.ts'
import { describeShape, flopsPerToken, gptShapes, type GptShape } from '../gpt-shapes.ts'
import { startLlmC } from '../llm-c-peer.ts'
import { numberOf, numbersOf, type LinePeer } from '../line-peer.ts'
import { interleaved, type Subject } from '../measure.ts'
import { measurementsOf } from '../measurements.ts'
import { machinePeaks, peaksOf, shareOfPeak } from '../peaks.ts'
import { startPythonPeer, type PythonPeer } from '../python-peer.ts'
import type { Curve, Measurement, Scaling, Suite, SuiteContext } from '../suite.ts'
import { fixedBatches, startTrainingRun, writeFlatWeights, type TrainingRun } from '../training-run.ts'
import { startTorchRun } from './torch-training.ts'
import { trainingMemory } from './training-memory-case.ts'

interface Sides {
  readonly context: SuiteContext
  readonly native: Backend | undefined
  readonly torch: PythonPeer | undefined
  /** Where the weights that all start from are written. */
  readonly folder: string
}

interface Case {
  readonly shape: GptShape
  readonly precision: 'f32' | 'bf16'
  /** Besides native. */
  readonly backends: readonly Exclude<BackendName, 'native'>[]
  readonly withCompile: boolean
  readonly withLlmC?: boolean
  /** Fewer than the context's: a point of the plot over threads. */
  readonly threads?: number
}

const fullCases: readonly Case[] = [
  { shape: gptShapes.small, precision: 'f32', backends: ['tfjs-wasm'], withCompile: true },
  { shape: gptShapes.middle, precision: 'f32', backends: ['tfjs-wasm'], withCompile: false },
  { shape: gptShapes.large, precision: 'f32', backends: [], withCompile: true },
  { shape: gptShapes.large, precision: 'bf16', backends: [], withCompile: true },
  { shape: gptShapes.gpt2, precision: 'f32', backends: [], withCompile: true, withLlmC: true },
  { shape: gptShapes.gpt2, precision: 'bf16', backends: [], withCompile: false },
]

const quickCases: readonly Case[] = [
  { shape: gptShapes.tiny, precision: 'f32', backends: ['tfjs-wasm', 'tfjs-cpu', 'reference'], withCompile: false, withLlmC: true },
  { shape: gptShapes.tiny, precision: 'bf16', backends: [], withCompile: false },
]

interface Runner {
  readonly subject: Subject
  readonly losses: readonly number[]
  dispose(): Promise<void> | void
}

const tokensPerStep = ({ batch, length }: GptShape): number => batch * length

const weftRunner = (name: BackendName, backend: Backend, { shape, precision }: Case, batches: readonly TokenBatch[], threads: number): Runner & { readonly run: TrainingRun } => {
  const run = startTrainingRun({ backend, shape, batches, precision, steps: shape.stepsPerRun })
  const subject: Subject = { name: weftOn(name, threads), id: name, run: async () => (await run.advance()) * tokensPerStep(shape) }
  return { subject, losses: run.losses, dispose: run.dispose, run }
}

const llmCRunner = (peer: LinePeer, shape: GptShape, threads: number): Runner => {
  const losses: number[] = []
  const run = async () => {
    const reply = await peer.ask(`train ${losses.length} ${shape.stepsPerRun} ${shape.learningRate} 0.95`)
    losses.push(...numbersOf(reply, 'losses'))
    return { units: shape.stepsPerRun * tokensPerStep(shape), seconds: numberOf(reply, 'seconds') }
  }
  return { subject: { name: `llm.c, ${threadsText(threads)}`, id: 'llm.c', run }, losses, dispose: peer.close }
}

const ownRunners = async (one: Case, { context, native }: Sides, batches: readonly TokenBatch[]): Promise<ReturnType<typeof weftRunner>[]> => {
  const runners = native === undefined || (one.precision === 'bf16' && !native.traits.dtypes.has('bf16')) ? [] : [weftRunner('native', native, one, batches, one.threads ?? context.threads)]
  for (const name of one.backends) runners.push(weftRunner(name, await startBackend(name), one, batches, 1))
  return runners
}

const peerRunners = async (one: Case, { context, torch, folder }: Sides, own: readonly ReturnType<typeof weftRunner>[], batches: readonly TokenBatch[]): Promise<Runner[]> => {
  const [first] = own
  if (!context.withPeers || first === undefined || (torch === undefined && one.withLlmC !== true)) return []
  const { shape, precision, withCompile } = one
  const threads = one.threads ?? context.threads
  const weights = join(folder, 'weights.f32')
  const names = await writeFlatWeights(first.run.model, weights)
  const runners: Runner[] = []
  if (torch !== undefined) {
    await torch.ask({ kind: 'threads', threads })
    for (const isCompiled of withCompile ? [false, true] : [false]) runners.push(await startTorchRun(torch, { shape, precision, isCompiled, threads, weights, names, batches }))
  }
  const llmC = one.withLlmC === true ? await startLlmC(shape, batches, { threads, weights, note: context.note }) : undefined
  if (llmC !== undefined) runners.push(llmCRunner(llmC, shape, threads))
  rmSync(weights)
  return runners
}

const lossNote = (runners: readonly Runner[]): string | undefined => {
  const [first, ...others] = runners
  if (first === undefined || others.length === 0) return undefined
  const differences = others.map(({ subject, losses }) => `${subject.name} ${(100 * largestDifference(first.losses, losses)).toPrecision(2)} %`)
  return `losses of ${first.subject.name}: ${first.losses[0]!.toFixed(4)} → ${first.losses.at(-1)!.toFixed(4)} in ${first.losses.length} steps; largest difference: ${differences.join(', ')}`
}

/** Of one course from another, as a share. */
export const largestDifference = (ours: readonly number[], theirs: readonly number[]): number =>
  Math.max(...ours.slice(0, theirs.length).map((loss, i) => Math.abs(loss - theirs[i]!) / Math.abs(theirs[i]!)))

const titleOf = ({ shape, precision, threads }: Case): string => `${describeShape(shape)}, ${precision}${threads === undefined ? '' : `, ${threadsText(threads)}`}`

async function* compare(one: Case, sides: Sides, scaling?: Scaling): AsyncGenerator<Measurement | Curve> {
  const { context } = sides
  const batches = fixedBatches(one.shape)
  const runners: Runner[] = []
  try {
    const own = await ownRunners(one, sides, batches)
    runners.push(...own)
    runners.push(...(await peerRunners(one, sides, own, batches)))
    if (runners.length === 0) return
    const samples = await interleaved(runners.map(({ subject }) => subject), { runs: context.runs })
    const peak = peaksOf(await machinePeaks(context), one.threads ?? context.threads)
    yield* measurementsOf('train', titleOf(one), 'tokens/s', 1, samples, ({ id, value }) => ({
      ...(id?.startsWith('tfjs') === true || id === 'reference' ? {} : shareOfPeak(peak, one.precision, (value * flopsPerToken(one.shape)) / 1e9)),
      ...(scaling === undefined ? {} : { scaling }),
    }))
    const difference = lossNote(runners)
    if (difference !== undefined) context.note(`${one.shape.name}, ${one.precision}: ${difference}`)
    if (scaling === undefined) yield* runners.map((runner) => curveOf(one, runner))
  } finally {
    for (const runner of runners) await runner.dispose()
  }
}

const curveOf = (one: Case, { subject, losses }: Runner): Curve => ({
  suite: 'train',
  plot: `Losses while measured: ${one.shape.name}, ${one.precision}`,
  yLabel: 'nats per token',
  name: subject.name,
  points: losses.map((loss, i) => ({ x: i + 1, y: loss })),
})

/** The small model with one thread; with all it has been measured before. */
async function* overThreads(sides: Sides): AsyncGenerator<Measurement | Curve> {
  const { context } = sides
  const shape = context.isQuick ? gptShapes.tiny : gptShapes.small
  for (const threads of new Set([1, context.threads])) {
    const native = await startBackend('native', { threads })
    try {
      const scaling: Scaling = { plot: `Threads: ${shape.name}, f32`, xLabel: 'threads', x: threads }
      yield* compare({ shape, precision: 'f32', backends: [], withCompile: false, threads }, { ...sides, native }, scaling)
    } finally {
      await native.dispose()
    }
  }
}

export const train: Suite = {
  name: 'train',
  about: 'training steps of GPT-2 shapes with AdamW, f32 and bf16, tokens/s, and their peak memory',
  async *run(context) {
    const { isQuick, withPeers, threads, note } = context
    const native = await startIfThere('native', context)
    const torch = withPeers ? await startPythonPeer('torch_peer.py', 'torch', note, { threads }) : undefined
    const folder = mkdtempSync(join(tmpdir(), 'weft-bench-'))
    const sides: Sides = { context, native, torch, folder }
    try {
      for (const one of isQuick ? quickCases : fullCases) yield* compare(one, sides)
      if (native !== undefined) yield* overThreads(sides)
      yield* trainingMemory(context, native !== undefined)
      note('tfjs by itself cannot take part: its wasm backend has no gradient of an embedding')
    } finally {
      torch?.close()
      await native?.dispose()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}
