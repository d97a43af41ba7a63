// A training run that is measured in pieces: each piece makes some steps of the real training loop and leaves nothing in flight, so
// that the other side has the machine to itself.
import { openSync, closeSync, writeSync } from 'node:fs'
import { createRandomSource } from '@weft/contracts'
import { read, type Backend, type TokenBatch } from '@weft/tensor'
import { train, type BatchSource } from '@weft/trainer'
import { causal } from '@weft/trainer/objectives'
import { createModel, type Model } from '@weft/transformer'
import { modelConfigOf, type GptShape } from './gpt-shapes.ts'

/** Training sees these in turns, again and again, so that losses fall on every side by the same course. */
export const fixedBatches = ({ vocabulary, batch, length }: GptShape, count = 4): TokenBatch[] => {
  const random = createRandomSource({ seed: 1 })
  const draw = (): number => Math.floor(random.nextFloat() ** 2 * vocabulary) // some ids are more common, as in text
  return Array.from({ length: count }, () => {
    const rows = Array.from({ length: batch }, () => Int32Array.from({ length: length + 1 }, draw))
    const flat = (from: number): Int32Array => Int32Array.from(rows.flatMap((row) => [...row.subarray(from, from + length)]))
    return { shape: [batch, length], tokenIds: flat(0), targetIds: flat(1) }
  })
}

export interface TrainingRun {
  readonly model: Model
  /** Of every step so far. */
  readonly losses: readonly number[]
  /** Makes `steps` steps; all of their work is done when it resolves. @throws Error where a loss is not finite. */
  advance(): Promise<number>
  dispose(): Promise<void>
}

export interface TrainingRunOptions {
  readonly backend: Backend
  readonly shape: GptShape
  readonly batches: readonly TokenBatch[]
  readonly precision: 'f32' | 'bf16'
  /** Steps of one `advance`. */
  readonly steps: number
}

/** An empty validation after each piece: there the loop lands what is in flight and waits. */
const nothing: BatchSource<TokenBatch> = { open: () => [] }

const inTurns = (batches: readonly TokenBatch[]): BatchSource<TokenBatch> => ({
  *open() {
    for (let i = 0; ; i++) yield { batch: batches[i % batches.length]!, position: i }
  },
})

export const startTrainingRun = ({ backend, shape, batches, precision, steps }: TrainingRunOptions): TrainingRun => {
  const model = createModel(modelConfigOf(shape), { backend, seed: 1 })
  const losses: number[] = []
  const events = train({
    parameters: [...model.parameters().values()],
    objective: causal({ network: model }),
    batches: inTurns(batches),
    optimizer: { kind: 'adamW', learningRate: shape.learningRate, weightDecay: shape.weightDecay, beta1: 0.9, beta2: 0.95 },
    maxGradNorm: shape.clip ?? Infinity,
    precision,
    steps: 1_000_000,
    validation: { batches: nothing, everySteps: steps },
    seed: 1,
  })
  const advance = async (): Promise<number> => {
    for (;;) {
      const { value: event, done } = await events.next()
      if (done === true) throw new Error('training ended before the bench did')
      if (event.kind === 'validation') return steps
      if (event.kind !== 'step') continue
      if (!Number.isFinite(event.lossNats)) throw new Error(`${backend.name}: step ${event.step}: the loss is not finite`)
      losses.push(event.lossNats)
    }
  }
  const dispose = async (): Promise<void> => {
    await events.return(undefined)
    model.dispose()
  }
  return { model, losses, advance, dispose }
}

/** All parameters, float32 end to end in the model's order; the names in that order. */
export const writeFlatWeights = async (model: Model, path: string): Promise<string[]> => {
  const file = openSync(path, 'w')
  try {
    for (const { value } of model.parameters().values()) {
      const values = (await read(value)) as Float32Array
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
    }
  } finally {
    closeSync(file)
  }
  return [...model.parameters().keys()]
}
