// A model and its tokenizer as the text-level LanguageModel that evaluation, pipelines and apps read. Batching, shared beginnings and
// the queue of concurrent calls live behind it.
import { ConfigError, type LanguageModel, type Tokenizer } from '@weft/contracts'
import { keep, read, tidy } from '@weft/tensor'
import { logSoftmax } from '@weft/tensor/ops'
import type { ChatTemplate } from '@weft/tokenizer'
import { abortable } from './abortable.ts'
import { generateMany } from './generate-many.ts'
import { generateText } from './generate-text.ts'
import { createKvCache } from './kv-cache.ts'
import type { Model } from './model.ts'
import { prefixStore } from './prefix-store.ts'
import { rollingWindows } from './rolling-windows.ts'
import { nextTokenLogits, scoreBatch, type UnitScore } from './score-batch.ts'
import { planScoring, type ScoreBatch, type ScoreUnit } from './score-plan.ts'
import { pairUnits, prefixIdOf, promptIds, type TextOptions } from './text-requests.ts'
import { turnQueue } from './turn-queue.ts'

export interface LanguageModelOptions {
  readonly model: Model
  readonly tokenizer: Tokenizer
  /** Turns messages into a prompt; without it prompts are strings. */
  readonly chatTemplate?: ChatTemplate
  /** For reports; default the family and the number of parameters. */
  readonly name?: string
  /** The most tokens, padding included, that go through the model at once; default 4096. Results do not depend on it. */
  readonly maxBatchTokens?: number
  /** Room for the keys and values of the last prompts, so that a chat goes on where it was; default 64 MiB, 0 keeps none. */
  readonly prefixCacheBytes?: number
}

/**
 * The model stays the caller's; `dispose` frees what was kept of the last prompts.
 * @throws ConfigError when the tokenizer has ids that the model has no embedding for.
 */
export const languageModel = (options: LanguageModelOptions): LanguageModel => {
  const { model, tokenizer, maxBatchTokens = 4096, prefixCacheBytes = 2 ** 26 } = options
  const { contextLength, vocabSize } = model.config
  if (tokenizer.vocabSize > vocabSize) throw new ConfigError(`languageModel: the tokenizer has ${tokenizer.vocabSize} tokens, the model's vocabulary ${vocabSize}; they do not belong together`)
  if (!(maxBatchTokens >= 1)) throw new ConfigError(`languageModel: maxBatchTokens must be at least 1, got ${maxBatchTokens}`)
  const queue = turnQueue()
  const prefixes = prefixStore({ maxBytes: prefixCacheBytes })
  const text: TextOptions = { tokenizer, chatTemplate: options.chatTemplate, contextLength }
  const endIds = [...new Set([...tokenizer.endIds, ...model.config.endIds])]

  const score = (units: readonly ScoreUnit[], signal: AbortSignal | undefined): AsyncGenerator<UnitScore, void, undefined> =>
    scoreUnits(units, { maxBatchTokens, scoreBatch: (batch) => queue.run(() => scoreBatch(model, batch, signal), signal) })

  return {
    name: options.name ?? defaultName(model),
    contextLength,
    tokenizer,

    async *logLikelihood(requests, { signal } = {}) {
      signal?.throwIfAborted()
      const pairs = requests.map((request, index) => pairUnits(index, request, text))
      const counts = (index: number) => ({ tokenCount: pairs[index]!.tokenCount, truncatedTokens: pairs[index]!.truncatedTokens })
      for (const [index, { units }] of pairs.entries()) if (units.length === 0) yield { index, logProb: 0, isGreedy: true, ...counts(index) }
      for await (const result of score(pairs.flatMap(({ units }) => units), signal)) yield { ...result, ...counts(result.index) }
    },

    async *rollingLogLikelihood(texts, { signal } = {}) {
      signal?.throwIfAborted()
      const tokenIds = texts.map((whole) => tokenizer.encode(whole, { addSpecialTokens: false }))
      const units = tokenIds.flatMap((ids, index) => rollingWindows(ids, { prefixId: prefixIdOf(tokenizer), contextLength }).map((window) => ({ index, ...window })))
      for (const [index, ids] of tokenIds.entries()) if (ids.length === 0) yield { index, logProb: 0, tokenCount: 0 }
      for await (const { index, logProb } of score(units, signal)) yield { index, logProb, tokenCount: tokenIds[index]!.length }
    },

    async *generate(request, { signal } = {}) {
      signal?.throwIfAborted()
      const prompt = promptIds(request, text)
      const room = Math.min(contextLength, prompt.length + (request.maxNewTokens ?? 256))
      const cache = prefixes.take(prompt) ?? createKvCache(model, { rows: 1, maxTokens: room })
      const ids = Array.from(prompt)
      try {
        yield* generateText({
          model,
          tokenizer,
          endIds,
          request,
          promptIds: prompt,
          kvCache: cache,
          signal,
          turn: (work) => queue.run(work, signal),
          onToken: (tokenId) => void ids.push(tokenId),
        })
      } finally {
        prefixes.put(ids.slice(0, cache.lengths[0]), cache)
      }
    },

    generateMany: (requests, { signal } = {}) =>
      generateMany({ model, tokenizer, endIds, requests, prompts: requests.map((request) => promptIds(request, text)), maxBatchTokens, turn: (work) => queue.run(work, signal), signal }),

    async *nextLogProbs(prompts, { signal } = {}) {
      signal?.throwIfAborted()
      const ids = prompts.map((prompt) => promptIds({ prompt }, text))
      const units = ids.map((input, index) => ({ index, input, targets: new Uint32Array(0) }))
      for (const batch of planScoring(units, { maxBatchTokens })) {
        const members = batch.flatMap((group) => group.units)
        const values = await queue.run(() => readLogProbs(model, members.map(({ input }) => input), signal), signal)
        for (const [row, { index }] of members.entries()) yield { index, logProbs: values.slice(row * vocabSize, (row + 1) * vocabSize) }
      }
    },

    dispose: () => prefixes.dispose(),
  }
}

/** Batch after batch; an index comes as soon as all of its units are known. */
async function* scoreUnits(
  units: readonly ScoreUnit[],
  options: { readonly maxBatchTokens: number; readonly scoreBatch: (batch: ScoreBatch) => Promise<UnitScore[]> },
): AsyncGenerator<UnitScore, void, undefined> {
  const missing = new Map<number, number>()
  const sums = new Map<number, UnitScore>()
  for (const { index } of units) missing.set(index, (missing.get(index) ?? 0) + 1)
  for (const batch of planScoring(units, options)) {
    for (const { index, logProb, isGreedy } of await options.scoreBatch(batch)) {
      const before = sums.get(index) ?? { logProb: 0, isGreedy: true }
      const sum = { index, logProb: before.logProb + logProb, isGreedy: before.isGreedy && isGreedy }
      sums.set(index, sum)
      missing.set(index, missing.get(index)! - 1)
      if (missing.get(index) === 0) yield sum
    }
  }
}

const readLogProbs = async (model: Model, texts: readonly Uint32Array[], signal: AbortSignal | undefined): Promise<Float32Array> => {
  const logProbs = keep(tidy(() => logSoftmax(nextTokenLogits(model, texts))))
  const reading = read(logProbs)
  logProbs.dispose()
  return Float32Array.from(await abortable(reading, signal))
}

const defaultName = (model: Model): string => {
  const count = [...model.baseParameters().values()].reduce((sum, { value }) => sum + value.size, 0)
  const rounded = count >= 1e9 ? `${(count / 1e9).toFixed(1)}B` : count >= 1e6 ? `${(count / 1e6).toFixed(1)}M` : `${Math.ceil(count / 1e3)}k`
  return `${model.config.family}-${rounded}`
}
