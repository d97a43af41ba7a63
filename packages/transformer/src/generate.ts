// Tokens that follow a prompt, as they come. Purely token ids: text, stop strings and chat are above, in language-model.ts.
import { ConfigError, createRandomSource, type RandomSource } from '@weft/contracts'
import { chooseTokens, type Choice } from './choose-tokens.ts'
import { createKvCache, type KvCache } from './kv-cache.ts'
import type { Model } from './model.ts'
import { validateSampling, type Sampling } from './sampling.ts'

export type GenerateEvent =
  | ({ readonly kind: 'token'; readonly row: number } & Choice)
  | {
      readonly kind: 'finish'
      readonly row: number
      /** `stop`: a stop id came, or `stopWhen` said so; `length`: maxNewTokens or the context was reached. */
      readonly reason: 'stop' | 'length'
      /** All new tokens, a stop id included. */
      readonly tokenIds: Uint32Array
    }

export interface GenerateOptions {
  readonly model: Model
  /** One prompt, or one a row; rows may differ in length and do not see one another. */
  readonly tokenIds: Uint32Array | readonly Uint32Array[]
  /** Default: temperature 1 without cut-offs, seed 0. */
  readonly sampling?: Sampling
  /** One number for all rows, or one each; default: until the context is full. */
  readonly maxNewTokens?: number | readonly number[]
  /** Default: the model's endIds. */
  readonly stopIds?: readonly number[]
  /** Called with each token before its event; true ends the row. `isLast`: it ends for its length anyway. */
  readonly stopWhen?: (token: { readonly row: number; readonly tokenId: number; readonly isLast: boolean }) => boolean
  /** Ids from here on are never chosen, where a vocabulary is padded beyond its tokenizer; default all may be. */
  readonly vocabSize?: number
  /** How many of the likeliest tokens to report at each step, 0 to 64; default 0. */
  readonly topLogProbs?: number
  /** What comes before `tokenIds`, for a single row. It is appended to and stays the caller's; without it an own one is made and freed. */
  readonly kvCache?: KvCache
  /** The tokens in `kvCache`, for the repetition penalty. */
  readonly history?: Uint32Array
  readonly signal?: AbortSignal
}

/**
 * Generates until a stop id, `maxNewTokens` or the end of the context, row by row. `break` and an abort free everything at once. A row
 * comes out the same alone and in a batch, up to rounding; rows that have finished leave the batch.
 *
 * @throws ConfigError for options out of range, an empty prompt, or a prompt longer than the context; `signal.reason` after an abort.
 */
export const generate = (options: GenerateOptions): AsyncGenerator<GenerateEvent, void, undefined> => generateInTurns(options, (work) => work())

interface Row {
  readonly row: number
  /** What goes through the model next. */
  next: Uint32Array | readonly number[]
  readonly history: number[]
  readonly newIds: number[]
  readonly limit: number
  readonly random: RandomSource
}

/** `turn` runs one step; a language model makes the steps of concurrent calls wait for one another. */
export async function* generateInTurns(
  options: GenerateOptions,
  turn: <T>(work: () => Promise<T>) => Promise<T>,
): AsyncGenerator<GenerateEvent, void, undefined> {
  const { model, sampling = {}, stopIds = model.config.endIds, topLogProbs = 0, vocabSize = model.config.vocabSize, signal } = options
  let active = startRows(options)
  signal?.throwIfAborted()
  const kvCache = options.kvCache ?? createKvCache(model, { rows: active.length, maxTokens: roomFor(model, active) })
  try {
    while (active.length > 0) {
      signal?.throwIfAborted()
      const choices = await turn(() =>
        chooseTokens({
          model,
          kvCache,
          tokenIds: active.map(({ next }) => next),
          sampling,
          uniforms: active.map(({ random }) => (random.nextUint32() >>> 8) / 2 ** 24), // 24 bits: f32 would round more up to 1
          histories: active.map(({ history }) => history),
          topLogProbs,
          vocabSize,
          signal,
        }),
      )
      const going: number[] = []
      for (const [i, choice] of choices.entries()) {
        const row = active[i]!
        const reason = accept(row, choice.tokenId, stopIds, options.stopWhen)
        yield { kind: 'token', row: row.row, ...choice }
        if (reason === undefined) going.push(i)
        else yield { kind: 'finish', row: row.row, reason, tokenIds: Uint32Array.from(row.newIds) }
      }
      if (going.length > 0 && going.length < active.length) kvCache.reorder(going)
      active = going.map((i) => active[i]!)
    }
  } finally {
    if (options.kvCache === undefined) kvCache.dispose()
  }
}

const accept = (row: Row, tokenId: number, stopIds: readonly number[], stopWhen: GenerateOptions['stopWhen']): 'stop' | 'length' | undefined => {
  row.newIds.push(tokenId)
  row.history.push(tokenId)
  row.next = [tokenId]
  const isLast = row.newIds.length >= row.limit
  if (stopIds.includes(tokenId)) return 'stop'
  if (stopWhen?.({ row: row.row, tokenId, isLast }) === true) return 'stop'
  return isLast ? 'length' : undefined
}

/** The cache need not hold the last token of a row. */
const roomFor = (model: Model, rows: readonly Row[]): number =>
  Math.min(model.config.contextLength, Math.max(...rows.map(({ next, limit }) => next.length + limit - 1)))

const startRows = (options: GenerateOptions): Row[] => {
  const { model, sampling = {}, kvCache, topLogProbs = 0, maxNewTokens, history } = options
  validateSampling(sampling)
  if (!Number.isInteger(topLogProbs) || topLogProbs < 0 || topLogProbs > 64) throw new ConfigError(`generate: topLogProbs must be an integer from 0 to 64, got ${topLogProbs}`)
  const { vocabSize } = options
  if (vocabSize !== undefined && !(Number.isInteger(vocabSize) && vocabSize >= 1)) throw new ConfigError(`generate: vocabSize must be a positive integer, got ${vocabSize}`)
  const prompts = options.tokenIds instanceof Uint32Array ? [options.tokenIds] : options.tokenIds
  if (prompts.length === 0) throw new ConfigError('generate: expected at least one prompt')
  if (kvCache !== undefined && (prompts.length !== 1 || kvCache.rows !== 1)) {
    throw new ConfigError(`generate: a kvCache goes with a single row, got ${prompts.length} prompts and a cache of ${kvCache.rows}; fork it and call once a row`)
  }
  const limits = perRow('maxNewTokens', maxNewTokens, prompts.length)
  const seeds = perRow('seed', sampling.seed ?? 0, prompts.length)
  return prompts.map((prompt, row) => {
    const before = kvCache?.lengths[0] ?? 0
    checkPrompt(model, prompt, { row, before })
    const limit = limits[row] ?? Infinity
    if (limit !== Infinity && (!Number.isInteger(limit) || limit < 1)) throw new ConfigError(`generate: maxNewTokens must be a positive integer, got ${limit}`)
    return {
      row,
      next: prompt,
      history: [...(history ?? []), ...prompt],
      newIds: [],
      limit: Math.min(limit, model.config.contextLength - before - prompt.length + 1),
      random: createRandomSource({ seed: seeds[row]! }).fork(Array.isArray(sampling.seed) ? 0 : row),
    }
  })
}

const perRow = <T>(name: string, value: T | readonly T[], rows: number): (T | undefined)[] => {
  if (!Array.isArray(value)) return new Array<T>(rows).fill(value as T)
  if (value.length !== rows) throw new ConfigError(`generate: ${name} must be one number or ${rows}, one a row; got ${value.length}`)
  return [...(value as readonly T[])]
}

const checkPrompt = ({ config }: Model, prompt: Uint32Array, { row, before }: { readonly row: number; readonly before: number }): void => {
  const { contextLength, vocabSize } = config
  if (prompt.length === 0) throw new ConfigError(`generate: prompt ${row} is empty; begin with the begin or end token`)
  if (before + prompt.length > contextLength) {
    const inCache = before === 0 ? '' : ` and ${before} in the cache`
    throw new ConfigError(
      `generate: prompt ${row} has ${prompt.length} tokens${inCache}, the context holds ${contextLength}; cut at least ${before + prompt.length - contextLength} from its left, or use a model with a longer context`,
    )
  }
  const wrong = prompt.find((id) => id >= vocabSize)
  if (wrong !== undefined) throw new ConfigError(`generate: token ${wrong} of prompt ${row} is outside the vocabulary of ${vocabSize}; is it another model's tokenizer?`)
}
