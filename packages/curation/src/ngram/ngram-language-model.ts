// An n-gram model as a LanguageModel, so that every evaluation and pipeline takes it: the baseline that a neural model must beat.
import {
  createRandomSource,
  UnsupportedError,
  type CallOptions,
  type GenerateRequest,
  type LanguageModel,
  type LogLikelihood,
  type LogLikelihoodRequest,
  type RollingLogLikelihood,
  type TextGenerateEvent,
  type TokenLogProb,
} from '@weft/contracts'
import type { NgramModel } from './ngram-model.ts'
import { advance, distribution, likeliest, probability, startState, type NgramState } from './ngram-state.ts'
import { checkSampling, drawToken } from './sampling.ts'
import { createTextStream } from './text-stream.ts'

/** It looks back `order` − 1 tokens, however long the text: no text is too long. */
const contextLength = 2 ** 20

const defaultMaxNewTokens = 128

/** The model at the level of text. Texts begin at the model's start; nothing is ever cut off. */
export const ngramLanguageModel = (model: NgramModel, options: { /** Default: "5-gram" and so on. */ readonly name?: string } = {}): LanguageModel => {
  const encode = (text: string): Uint32Array => model.tokenizer.encode(text, { addSpecialTokens: false, allowSpecial: false })
  const stateAfter = (tokens: Iterable<number>): NgramState => {
    let state = startState(model)
    for (const token of tokens) state = advance(model, state, token)
    return state
  }
  return {
    name: options.name ?? `${model.order}-gram`,
    contextLength,
    tokenizer: model.tokenizer,
    async *logLikelihood(requests, { signal } = {}) {
      for (const [index, request] of requests.entries()) {
        signal?.throwIfAborted()
        yield { index, ...scorePair(model, encode, request) }
      }
    },
    async *rollingLogLikelihood(texts, { signal } = {}): AsyncGenerator<RollingLogLikelihood> {
      for (const [index, text] of texts.entries()) {
        signal?.throwIfAborted()
        const tokens = encode(text)
        yield { index, logProb: scoreTokens(model, startState(model), tokens).logProb, tokenCount: tokens.length }
      }
    },
    generate: (request, callOptions) => generate(model, request, encode, stateAfter, callOptions),
    async *nextLogProbs(prompts, { signal } = {}) {
      for (const [index, prompt] of prompts.entries()) {
        signal?.throwIfAborted()
        yield { index, logProbs: Float32Array.from(distribution(model, stateAfter(encode(prompt))), Math.log) }
      }
    },
  }
}

const scorePair = (model: NgramModel, encode: (text: string) => Uint32Array, { context, continuation }: LogLikelihoodRequest): Omit<LogLikelihood, 'index'> => {
  let end = context.length
  while (end > 0 && context.charCodeAt(end - 1) === 0x20) end-- // its spaces belong to the continuation's first token
  const whole = encode(context + continuation)
  const contextTokens = encode(context.slice(0, end)).length
  let state = startState(model)
  for (const token of whole.subarray(0, contextTokens)) state = advance(model, state, token)
  const continued = whole.subarray(contextTokens)
  return { ...scoreTokens(model, state, continued), tokenCount: continued.length, truncatedTokens: 0 }
}

const scoreTokens = (model: NgramModel, from: NgramState, tokens: Uint32Array): { logProb: number; isGreedy: boolean } => {
  let state = from
  let logProb = 0
  let isGreedy = true
  for (const token of tokens) {
    logProb += Math.log(probability(model, state, token))
    isGreedy &&= likeliest(model, state) === token
    state = advance(model, state, token)
  }
  return { logProb, isGreedy }
}

async function* generate(
  model: NgramModel,
  request: GenerateRequest,
  encode: (text: string) => Uint32Array,
  stateAfter: (tokens: Iterable<number>) => NgramState,
  { signal }: CallOptions = {},
): AsyncGenerator<TextGenerateEvent> {
  const { prompt, maxNewTokens = defaultMaxNewTokens, stop = [], seed = 0, topLogProbs = 0, format } = request
  if (typeof prompt !== 'string') throw new UnsupportedError('n-gram model: chat messages need a chat template, which it has none of; pass the prompt as text')
  if (format !== undefined) throw new UnsupportedError('n-gram model: `format` is not supported')
  checkSampling(request)
  const random = createRandomSource({ seed })
  const promptTokens = encode(prompt)
  const tokens = [...promptTokens]
  const stream = createTextStream(stop)
  let state = stateAfter(promptTokens)
  let newTokens = 0
  let hasStopped = false
  while (newTokens < maxNewTokens && !hasStopped) {
    signal?.throwIfAborted()
    const probabilities = distribution(model, state)
    const tokenId = drawToken(probabilities, request, tokens, random)
    newTokens++
    tokens.push(tokenId)
    state = advance(model, state, tokenId)
    const isEnd = model.tokenizer.endIds.includes(tokenId)
    const { text, isStopped } = stream.push(isEnd ? new Uint8Array(0) : model.tokenizer.tokenBytes(tokenId), isEnd || newTokens === maxNewTokens)
    hasStopped = isEnd || isStopped
    yield {
      kind: 'token',
      text,
      tokenId,
      logProb: Math.log(probabilities[tokenId]!),
      ...(topLogProbs > 0 ? { topLogProbs: topTokens(model, probabilities, topLogProbs) } : {}),
    }
  }
  yield { kind: 'finish', reason: hasStopped ? 'stop' : 'length', text: stream.text(), usage: { promptTokens: promptTokens.length, newTokens } }
}

const topTokens = (model: NgramModel, probabilities: Float64Array, count: number): TokenLogProb[] =>
  [...probabilities.keys()]
    .sort((a, b) => probabilities[b]! - probabilities[a]! || a - b)
    .slice(0, Math.min(count, 64))
    .map((tokenId) => ({ tokenId, text: model.tokenizer.decode([tokenId]), logProb: Math.log(probabilities[tokenId]!) }))
