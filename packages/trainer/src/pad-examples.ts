// Padding: examples of different lengths side by side, the shorter ones filled up at the right.
import { ConfigError, createRandomSource, type Json } from '@weft/contracts'
import type { TokenBatch } from '@weft/tensor'
import type { BatchSource } from './batch-source.ts'
import { parsePosition, requireCounts, shuffleInPlace } from './pack-documents.ts'

export interface TrainingExample {
  readonly tokenIds: ArrayLike<number>
  /** What each position must say, already shifted; −1 = no loss. */
  readonly targetIds: ArrayLike<number>
  readonly weight?: number
}

export interface PadOptions {
  readonly examples: readonly TrainingExample[]
  readonly batchSize: number
  readonly padId: number
  readonly seed: number
  /** Default: without end. */
  readonly epochs?: number
  /** Default true. */
  readonly shuffle?: boolean
}

/** Rows are as long as the batch's longest example, rounded up to a multiple of 8, so that few different shapes occur. */
export const padDocuments = (options: PadOptions): BatchSource<TokenBatch> => {
  const { examples, batchSize, epochs = Infinity, shuffle = true } = options
  requireCounts('padDocuments', { batchSize })
  if (examples.length === 0) throw new ConfigError('padDocuments: expected at least one example')
  return {
    *open(from?: Json) {
      let [epoch, first] = from === undefined ? [0, 0] : parsePosition(from)
      const batches = Math.ceil(examples.length / batchSize)
      for (; epoch < epochs; epoch++, first = 0) {
        const order = Uint32Array.from({ length: examples.length }, (_, i) => i)
        if (shuffle) shuffleInPlace(order, createRandomSource({ seed: options.seed }).fork(`epoch ${epoch}`))
        for (let batch = first; batch < batches; batch++) {
          const picked = [...order.subarray(batch * batchSize, (batch + 1) * batchSize)].map((i) => examples[i]!)
          yield { batch: padBatch(picked, options.padId), position: [epoch, batch + 1] }
        }
      }
    },
  }
}

const padBatch = (examples: readonly TrainingExample[], padId: number): TokenBatch => {
  const T = Math.ceil(Math.max(...examples.map(({ tokenIds }) => tokenIds.length)) / 8) * 8
  const size = examples.length * T
  const tokenIds = new Int32Array(size).fill(padId)
  const targetIds = new Int32Array(size).fill(-1)
  const attentionMask = new Uint8Array(size)
  const lossWeights = new Float32Array(size)
  examples.forEach((example, b) => {
    tokenIds.set(example.tokenIds, b * T)
    targetIds.set(example.targetIds, b * T)
    attentionMask.fill(1, b * T, b * T + example.tokenIds.length)
    lossWeights.fill(example.weight ?? 1, b * T, b * T + example.tokenIds.length)
  })
  return { shape: [examples.length, T], tokenIds, targetIds, attentionMask, ...(examples.some(({ weight = 1 }) => weight !== 1) ? { lossWeights } : {}) }
}
