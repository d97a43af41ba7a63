// Text that follows a prompt, as it comes: tokens from generate.ts, decoded, up to a stop string.
import type { FinishEvent, GenerateRequest, TextGenerateEvent, Tokenizer } from '@weft/contracts'
import { decodeStream } from '@weft/tokenizer'
import { generateInTurns } from './generate.ts'
import type { KvCache } from './kv-cache.ts'
import type { Model } from './model.ts'
import type { Sampling } from './sampling.ts'
import { stopFilter } from './stop-strings.ts'

/** Turns one row's tokens into text. */
interface TextRow {
  /** Decides what this token shows, and whether the text ends with it. */
  take(tokenId: number, isLast: boolean): boolean
  /** What the token that was taken last has added. */
  readonly shown: string
  readonly text: string
}

export const textRow = (tokenizer: Tokenizer, options: { readonly stop: readonly string[]; readonly endIds: readonly number[] }): TextRow => {
  const decoder = decodeStream(tokenizer, { skipSpecialTokens: true })
  const filter = stopFilter(options.stop)
  let shown = ''
  let text = ''
  return {
    take: (tokenId, isLast) => {
      const isEnd = options.endIds.includes(tokenId)
      const added = filter.push((isEnd ? '' : decoder.push(tokenId)) + (isEnd || isLast ? decoder.flush() : ''))
      shown = added + (filter.hasStopped || !(isEnd || isLast) ? '' : filter.flush())
      text += shown
      return filter.hasStopped
    },
    get shown() {
      return shown
    },
    get text() {
      return text
    },
  }
}

export const samplingOf = (request: GenerateRequest): Sampling => {
  const { temperature, topK, topP, minP, repetitionPenalty } = request
  return Object.fromEntries(Object.entries({ temperature, topK, topP, minP, repetitionPenalty }).filter(([, value]) => value !== undefined))
}

export interface TextRequest {
  readonly model: Model
  readonly tokenizer: Tokenizer
  readonly endIds: readonly number[]
  readonly request: GenerateRequest
  readonly promptIds: Uint32Array
  /** Holds the first tokens of the prompt, and receives the others. */
  readonly kvCache: KvCache
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>
  /** Told every new id. */
  readonly onToken: (tokenId: number) => void
  readonly signal: AbortSignal | undefined
}

export async function* generateText(options: TextRequest): AsyncGenerator<TextGenerateEvent, void, undefined> {
  const { model, tokenizer, endIds, request, promptIds, kvCache, turn, onToken, signal } = options
  const row = textRow(tokenizer, { stop: request.stop ?? [], endIds })
  const known = kvCache.lengths[0]!
  const events = generateInTurns(
    {
      model,
      tokenIds: promptIds.slice(known),
      history: promptIds.slice(0, known),
      kvCache,
      sampling: { ...samplingOf(request), seed: request.seed ?? 0 },
      vocabSize: tokenizer.vocabSize,
      stopIds: [], // the row decides, since the end token's text is its own affair
      stopWhen: ({ tokenId, isLast }) => row.take(tokenId, isLast) || endIds.includes(tokenId),
      ...(request.maxNewTokens === undefined ? {} : { maxNewTokens: request.maxNewTokens }),
      ...(request.topLogProbs === undefined ? {} : { topLogProbs: request.topLogProbs }),
      ...(signal === undefined ? {} : { signal }),
    },
    turn,
  )
  for await (const event of events) {
    if (event.kind === 'finish') {
      yield finishEvent(row.text, event.reason, { promptTokens: promptIds.length, newTokens: event.tokenIds.length })
      return
    }
    onToken(event.tokenId)
    const { tokenId, logProb, topLogProbs } = event
    const top = topLogProbs?.map((candidate) => ({ ...candidate, text: tokenText(tokenizer, candidate.tokenId) }))
    yield { kind: 'token', text: row.shown, tokenId, logProb, ...(top === undefined ? {} : { topLogProbs: top }) }
  }
}

const finishEvent = (text: string, reason: 'stop' | 'length', usage: FinishEvent['usage']): FinishEvent => ({ kind: 'finish', reason, text, usage })

/** An id that the model has and the tokenizer has not (a padded vocabulary) has no text. */
const tokenText = (tokenizer: Tokenizer, tokenId: number): string => (tokenId < tokenizer.vocabSize ? tokenizer.decode([tokenId]) : '')
