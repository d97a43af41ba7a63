// Many prompts at once: those with the same sampling options run as rows of one batch.
import type { FinishEvent, GenerateRequest, Tokenizer } from '@weft/contracts'
import { samplingOf, textRow } from './generate-text.ts'
import { generateInTurns } from './generate.ts'
import type { Model } from './model.ts'

export interface GenerateManyOptions {
  readonly model: Model
  readonly tokenizer: Tokenizer
  readonly endIds: readonly number[]
  readonly requests: readonly GenerateRequest[]
  /** The ids of each request's prompt. */
  readonly prompts: readonly Uint32Array[]
  readonly maxBatchTokens: number
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>
  readonly signal: AbortSignal | undefined
}

export async function* generateMany(options: GenerateManyOptions): AsyncGenerator<Omit<FinishEvent, 'kind'> & { readonly index: number }, void, undefined> {
  const { model, tokenizer, endIds, requests, prompts, turn, signal } = options
  for (const members of batchesOf(options)) {
    const rows = members.map((index) => textRow(tokenizer, { stop: requests[index]!.stop ?? [], endIds }))
    const limits = members.map((index) => requests[index]!.maxNewTokens ?? Infinity)
    const events = generateInTurns(
      {
        model,
        tokenIds: members.map((index) => prompts[index]!),
        sampling: { ...samplingOf(requests[members[0]!]!), seed: members.map((index) => requests[index]!.seed ?? 0) },
        maxNewTokens: limits,
        vocabSize: tokenizer.vocabSize,
        stopIds: [],
        stopWhen: ({ row, tokenId, isLast }) => rows[row]!.take(tokenId, isLast) || endIds.includes(tokenId),
        ...(signal === undefined ? {} : { signal }),
      },
      turn,
    )
    for await (const event of events) {
      if (event.kind === 'token') continue
      const index = members[event.row]!
      yield { index, reason: event.reason, text: rows[event.row]!.text, usage: { promptTokens: prompts[index]!.length, newTokens: event.tokenIds.length } }
    }
  }
}

/** Indices that run together: equal sampling, and room in the batch for prompt and new tokens. */
const batchesOf = ({ model, requests, prompts, maxBatchTokens }: GenerateManyOptions): number[][] => {
  const { contextLength } = model.config
  const roomOf = (index: number): number => Math.min(contextLength, prompts[index]!.length + (requests[index]!.maxNewTokens ?? contextLength))
  const order = requests.map((_, index) => index).sort((a, b) => roomOf(b) - roomOf(a))
  const open = new Map<string, number[]>()
  const batches: number[][] = []
  for (const index of order) {
    const key = JSON.stringify(samplingOf(requests[index]!))
    const batch = open.get(key)
    if (batch !== undefined && (batch.length + 1) * roomOf(batch[0]!) <= maxBatchTokens) batch.push(index)
    else {
      const started = [index]
      open.set(key, started)
      batches.push(started)
    }
  }
  return batches
}
