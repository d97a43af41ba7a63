// Does bfloat16 train as float32 does? The same model, seed and batches of real text in both; the largest difference of their losses.
import type { TokenBatch, Backend } from '@weft/tensor'
import { trainTokenizer } from '@weft/tokenizer'
import { packDocuments, tokenCorpus } from '@weft/trainer'
import type { Tokenizer } from '@weft/contracts'
import { startBackend, startIfThere, weftOn } from '../backends.ts'
import { benchDocuments } from '../corpus.ts'
import { describeShape, gptShapes, type GptShape } from '../gpt-shapes.ts'
import type { Curve, Measurement, Suite } from '../suite.ts'
import { startTrainingRun } from '../training-run.ts'

/** Losses of single steps are as noisy as their batches; a course is compared as a mean over so many. */
const smoothedOver = 10

const tokenizerOf = async (texts: readonly string[], vocabSize: number): Promise<Tokenizer> => {
  for await (const event of trainTokenizer({ algorithm: 'bpe', texts, vocabSize })) if (event.kind === 'finished') return event.tokenizer
  throw new Error('training ended without a tokenizer')
}

const realBatches = async (shape: GptShape, count: number): Promise<TokenBatch[]> => {
  const texts = benchDocuments(count * shape.batch * shape.length * 6).map(({ text }) => text) // some four characters a token
  const tokenizer = await tokenizerOf(texts.slice(0, 400), shape.vocabulary)
  const corpus = tokenCorpus(texts.map((text) => ({ tokenIds: Int32Array.from(tokenizer.encode(text)) })))
  const batches: TokenBatch[] = []
  for await (const { batch } of packDocuments({ corpus, sequenceLength: shape.length, batchSize: shape.batch, seed: 1 }).open()) {
    batches.push(batch)
    if (batches.length === count) return batches
  }
  throw new Error(`expected text for ${count} batches, got ${batches.length}`)
}

const lossesOf = async (backend: Backend, shape: GptShape, batches: readonly TokenBatch[], precision: 'f32' | 'bf16'): Promise<readonly number[]> => {
  const run = startTrainingRun({ backend, shape, batches, precision, steps: batches.length })
  try {
    await run.advance()
    return run.losses
  } finally {
    await run.dispose()
  }
}

export const movingMean = (values: readonly number[], window: number): number[] =>
  values.map((_, i) => {
    const part = values.slice(Math.max(0, i - window + 1), i + 1)
    return part.reduce((sum, value) => sum + value, 0) / part.length
  })

const differences = (f32: readonly number[], bf16: readonly number[]): number[] => f32.map((loss, i) => (100 * (bf16[i]! - loss)) / loss)

const courses = (title: string, f32: readonly number[], bf16: readonly number[]): Curve[] => {
  const curve = (plot: string, yLabel: string, name: string, values: readonly number[]): Curve => ({ suite: 'precision', plot, yLabel, name, points: values.map((y, i) => ({ x: i + 1, y })) })
  const smooth = differences(movingMean(f32, smoothedOver), movingMean(bf16, smoothedOver))
  return [
    curve(`Losses: ${title}`, 'nats per token', 'f32', f32),
    curve(`Losses: ${title}`, 'nats per token', 'bf16', bf16),
    curve('bf16 against f32', 'difference, %', 'each step', differences(f32, bf16)),
    curve('bf16 against f32', 'difference, %', `mean of ${smoothedOver} steps`, smooth),
  ]
}

const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs))

export const precision: Suite = {
  name: 'precision',
  about: 'losses of bf16 training against f32 on real text, largest difference in %',
  async *run(context) {
    const { isQuick, note } = context
    const shape = isQuick ? { ...gptShapes.tiny, vocabulary: 300 } : gptShapes.large
    const steps = isQuick ? 12 : 300
    const native = await startIfThere('native', context)
    if (native === undefined && !isQuick) return note('skipped: a model of this size needs the native backend')
    const backend = native ?? (await startBackend('reference'))
    const id = native === undefined ? 'reference' : 'native'
    const subject = weftOn(id, context.threads)
    try {
      if (!backend.traits.dtypes.has('bf16')) return note(`skipped: ${backend.name} has no bf16`)
      const batches = await realBatches(shape, steps)
      const f32 = await lossesOf(backend, shape, batches, 'f32')
      const bf16 = await lossesOf(backend, shape, batches, 'bf16')
      const title = `${describeShape(shape)}, ${steps} steps`
      const single = (caseName: string, value: number, unit: string): Measurement => ({ suite: 'precision', case: caseName, subject, id, value, unit, runs: [value], isRate: false })
      yield single(`largest difference of a step, ${title}`, largest(differences(f32, bf16)), '%')
      yield single(`largest difference, mean of ${smoothedOver} steps, ${title}`, largest(differences(movingMean(f32, smoothedOver), movingMean(bf16, smoothedOver))), '%')
      yield* courses(title, f32, bf16)
      note(`${subject}: ${f32[0]!.toFixed(3)} → ${f32.at(-1)!.toFixed(3)} nats in f32, ${bf16.at(-1)!.toFixed(3)} in bf16`)
    } finally {
      await native?.dispose()
    }
  },
}
