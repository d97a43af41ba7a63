// Packing: documents of an epoch are shuffled, laid end to end and cut into rows, so that no token is padding.
import { ConfigError, createRandomSource, type Json, type RandomSource } from '@weft/contracts'
import type { TokenBatch } from '@weft/tensor'
import type { BatchItem, BatchSource } from './batch-source.ts'
import type { TokenCorpus } from './token-corpus.ts'

export interface PackOptions {
  readonly corpus: TokenCorpus
  /** T: tokens a row. */
  readonly sequenceLength: number
  /** B: rows a batch. */
  readonly batchSize: number
  readonly seed: number
  /** Default: without end. */
  readonly epochs?: number
  /** Default true; false keeps the corpus' order, for validation. */
  readonly shuffle?: boolean
  /** Tokens attend within their own document only, and positions start anew with each; default false. */
  readonly isolateDocuments?: boolean
  /** Whether the last rows of an epoch that do not fill a batch are left out; default: true where it shuffles. */
  readonly dropRemainder?: boolean
}

/**
 * Rows of T tokens with targets shifted by one. Within an epoch every token but the last is predicted at most once, rows come in
 * random order. The same seed gives the same batches.
 * @throws ConfigError where the corpus does not fill a single row.
 */
export const packDocuments = (options: PackOptions): BatchSource<TokenBatch> => {
  const { corpus, sequenceLength, batchSize, epochs = Infinity, shuffle = true } = options
  requireCounts('packDocuments', { sequenceLength, batchSize })
  const rows = Math.floor((corpus.tokenIds.length - 1) / sequenceLength)
  if (rows < 1) throw new ConfigError(`packDocuments: ${corpus.tokenIds.length} tokens do not fill one row of ${sequenceLength} + 1; use a shorter sequenceLength or more text`)
  const dropRemainder = options.dropRemainder ?? shuffle
  if (dropRemainder && rows < batchSize) throw new ConfigError(`packDocuments: ${rows} rows of ${sequenceLength} tokens do not fill a batch of ${batchSize}; use a smaller batchSize or more text`)
  const batches = dropRemainder ? Math.floor(rows / batchSize) : Math.ceil(rows / batchSize)
  return {
    *open(from) {
      let [epoch, first] = from === undefined ? [0, 0] : parsePosition(from)
      for (; epoch < epochs; epoch++, first = 0) {
        const layout = epochLayout(corpus, rows, shuffle ? createRandomSource({ seed: options.seed }).fork(`epoch ${epoch}`) : undefined)
        for (let batch = first; batch < batches; batch++) {
          const picked = layout.rowOrder.subarray(batch * batchSize, Math.min(rows, (batch + 1) * batchSize))
          yield { batch: fillBatch(options, layout, picked), position: [epoch, batch + 1] } satisfies BatchItem<TokenBatch>
        }
      }
    },
  }
}

/** [epoch, next batch]. */
export const parsePosition = (position: Json): [number, number] => {
  if (Array.isArray(position) && position.length === 2 && position.every((x) => Number.isInteger(x) && x >= 0)) return [position[0] as number, position[1] as number]
  throw new ConfigError(`expected a position [epoch, batch], got ${JSON.stringify(position)}`)
}

interface EpochLayout {
  /** Documents in the epoch's order. */
  readonly order: Uint32Array
  /** Where each begins in the epoch's stream; one element more. */
  readonly offsets: Float64Array
  readonly rowOrder: Uint32Array
}

const epochLayout = ({ starts }: TokenCorpus, rows: number, random: RandomSource | undefined): EpochLayout => {
  const order = sequence(starts.length - 1)
  const rowOrder = sequence(rows)
  if (random !== undefined) {
    shuffleInPlace(order, random.fork('documents'))
    shuffleInPlace(rowOrder, random.fork('rows'))
  }
  const offsets = new Float64Array(order.length + 1)
  order.forEach((document, i) => (offsets[i + 1] = offsets[i]! + starts[document + 1]! - starts[document]!))
  return { order, offsets, rowOrder }
}

const sequence = (length: number): Uint32Array => Uint32Array.from({ length }, (_, i) => i)

/** @throws ConfigError where one is not an integer ≥ 1: a batch of nothing would never end. */
export const requireCounts = (where: string, counts: Readonly<Record<string, number>>): void => {
  for (const [name, value] of Object.entries(counts)) if (!Number.isInteger(value) || value < 1) throw new ConfigError(`${where}: expected ${name} to be an integer ≥ 1, got ${value}`)
}

/** Fisher–Yates. */
export const shuffleInPlace = (items: Uint32Array, random: RandomSource): void => {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random.nextFloat() * (i + 1))
    const held = items[i]!
    items[i] = items[j]!
    items[j] = held
  }
}

const fillBatch = ({ corpus, sequenceLength: T, isolateDocuments = false }: PackOptions, layout: EpochLayout, rows: Uint32Array): TokenBatch => {
  const B = rows.length
  const tokenIds = new Int32Array(B * T)
  const targetIds = new Int32Array(B * T).fill(-1)
  const lossWeights = corpus.weights === undefined ? undefined : new Float32Array(B * T)
  const segmentIds = isolateDocuments ? new Int32Array(B * T) : undefined
  const positions = isolateDocuments ? new Int32Array(B * T) : undefined
  rows.forEach((row, b) => {
    const begin = row * T
    let slot = documentAt(layout.offsets, begin)
    // Token i of the row is also the target of position i − 1; the row has one token more than positions.
    for (let i = 0; i <= T; ) {
      const document = layout.order[slot]!
      const inside = begin + i - layout.offsets[slot]!
      const count = Math.min(T + 1 - i, layout.offsets[slot + 1]! - layout.offsets[slot]! - inside)
      const from = corpus.starts[document]! + inside
      for (let k = 0; k < count; k++, i++) {
        const id = corpus.tokenIds[from + k]!
        const at = b * T + i
        if (i < T) {
          tokenIds[at] = id
          if (segmentIds !== undefined) segmentIds[at] = slot
          if (positions !== undefined) positions[at] = inside + k
        }
        // The first token of an isolated document has nothing before it to be predicted from.
        if (i > 0 && !(isolateDocuments && k === 0 && inside === 0)) {
          targetIds[at - 1] = id
          if (lossWeights !== undefined) lossWeights[at - 1] = corpus.weights![document]!
        }
      }
      slot++
    }
  })
  return {
    shape: [B, T],
    tokenIds,
    targetIds,
    ...(lossWeights === undefined ? {} : { lossWeights }),
    ...(segmentIds === undefined ? {} : { segmentIds }),
    ...(positions === undefined ? {} : { positions }),
  }
}

/** The last slot whose offset is ≤ position and that is not empty there. */
const documentAt = (offsets: Float64Array, position: number): number => {
  let low = 0
  let high = offsets.length - 2
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (offsets[middle]! <= position) low = middle
    else high = middle - 1
  }
  return low
}
