// Supervised chat tuning: a conversation becomes one row, and only what the assistant says is learned.
import { ConfigError, type ChatMessage } from '@weft/contracts'
import type { TokenBatch } from '@weft/tensor'
import type { BatchSource } from './batch-source.ts'
import { padDocuments, type TrainingExample } from './pad-examples.ts'

export interface SupervisedOptions {
  readonly conversations: Iterable<readonly ChatMessage[]>
  /** Text and where the assistant speaks in it, UTF-16 offsets (a compiled chat template of @weft/tokenizer). */
  readonly chatTemplate: {
    renderWithSpans(input: { readonly messages: readonly ChatMessage[] }): { readonly text: string; readonly assistantSpans: readonly (readonly [number, number])[] }
  }
  /**
   * Ids and UTF-16 offsets, flat: token i covers [offsets[2i], offsets[2i + 1]). With @weft/tokenizer:
   * `(text) => encodeWithOffsets(tokenizer, text, { addSpecialTokens: false })`, since the template writes the opening itself.
   */
  encode(text: string): { readonly tokenIds: ArrayLike<number>; readonly offsets: ArrayLike<number> }
  readonly padId: number
  readonly batchSize: number
  /** Longer conversations are cut at the right. */
  readonly maxLength: number
  readonly seed: number
  readonly epochs?: number
  readonly shuffle?: boolean
  /** Told of conversations without a token to learn within maxLength; they are left out. */
  readonly onSkipped?: (skipped: { readonly index: number; readonly reason: string }) => void
}

/** Batches of whole conversations with the loss on the assistant's turns only, its end-of-turn token included. */
export const supervisedBatches = (options: SupervisedOptions): BatchSource<TokenBatch> => {
  const examples: TrainingExample[] = []
  let index = 0
  for (const messages of options.conversations) {
    const example = supervisedExample(messages, options)
    if (example === undefined) options.onSkipped?.({ index, reason: `the assistant says nothing within the first ${options.maxLength} tokens` })
    else examples.push(example)
    index++
  }
  if (examples.length === 0) throw new ConfigError(`supervisedBatches: none of ${index} conversations has an assistant's turn within ${options.maxLength} tokens`)
  return padDocuments({
    examples,
    batchSize: options.batchSize,
    padId: options.padId,
    seed: options.seed,
    ...(options.epochs === undefined ? {} : { epochs: options.epochs }),
    ...(options.shuffle === undefined ? {} : { shuffle: options.shuffle }),
  })
}

const supervisedExample = (messages: readonly ChatMessage[], { chatTemplate, encode, maxLength }: SupervisedOptions): TrainingExample | undefined => {
  const { text, assistantSpans } = chatTemplate.renderWithSpans({ messages })
  const { tokenIds, offsets } = encode(text)
  const length = Math.min(tokenIds.length, maxLength)
  const ids = Int32Array.from({ length }, (_, i) => tokenIds[i]!)
  // Position t learns token t + 1 where that token begins in an assistant's span. Tokens and spans are in order: one walk over both.
  let span = 0
  const targetIds = Int32Array.from({ length }, (_, t) => {
    if (t + 1 >= length) return -1
    const [start, end] = [offsets[2 * t + 2]!, offsets[2 * t + 3]!]
    while (span < assistantSpans.length && assistantSpans[span]![1] <= start) span++
    const from = assistantSpans[span]?.[0] ?? Infinity
    return start >= from && end > start ? tokenIds[t + 1]! : -1
  })
  return targetIds.some((id) => id >= 0) ? { tokenIds: ids, targetIds } : undefined
}
