// Text in, numbers and text out: all that evaluation, pipelines, explain and serve know of a model.
import type { Json } from './json.ts'
import type { Tokenizer } from './tokenizer.ts'

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly content: string
  readonly name?: string
  readonly toolCalls?: readonly { readonly id?: string; readonly name: string; readonly arguments: Json }[]
  readonly toolCallId?: string
}

export interface CallOptions {
  readonly signal?: AbortSignal
}

export interface LogLikelihoodRequest {
  /** Empty: the model's begin token (else its first end token) stands in. Trailing spaces move to the continuation. */
  readonly context: string
  readonly continuation: string
}

export interface LogLikelihood {
  readonly index: number
  /** Σ ln p over the continuation's tokens, nats, ≤ 0. */
  readonly logProb: number
  /** Whether greedy decoding would have given exactly this continuation. */
  readonly isGreedy: boolean
  readonly tokenCount: number
  /** Tokens cut from the left of the context because the pair is longer than the model's context; 0 as a rule. */
  readonly truncatedTokens: number
}

export interface RollingLogLikelihood {
  readonly index: number
  /** Σ ln p over all tokens of the text, nats. */
  readonly logProb: number
  readonly tokenCount: number
}

export interface GenerateRequest {
  readonly prompt: string | readonly ChatMessage[]
  readonly maxNewTokens?: number
  /** Generation ends before the first of these strings; it is not part of the text. */
  readonly stop?: readonly string[]
  /** 0: greedy. */
  readonly temperature?: number
  readonly topK?: number
  readonly topP?: number
  readonly minP?: number
  readonly repetitionPenalty?: number
  readonly seed?: number
  /** How many of the likeliest tokens to report at each step; 0 to 64. */
  readonly topLogProbs?: number
  readonly format?: OutputFormat
}

export type OutputFormat =
  | { readonly jsonSchema: Json }
  | { readonly regex: string }
  | { readonly choices: readonly string[] }
  | { readonly ebnf: string }

export interface TokenLogProb {
  readonly tokenId: number
  readonly text: string
  readonly logProb: number
}

export interface FinishEvent {
  readonly kind: 'finish'
  /** `stop`: an end token or a stop string; `length`: maxNewTokens or the context was reached. */
  readonly reason: 'stop' | 'length'
  readonly text: string
  readonly usage: { readonly promptTokens: number; readonly newTokens: number }
}

export type TextGenerateEvent =
  | {
      readonly kind: 'token'
      /** What this token adds to the text; may be empty while a character is incomplete. */
      readonly text: string
      readonly tokenId: number
      readonly logProb: number
      readonly topLogProbs?: readonly TokenLogProb[]
    }
  | FinishEvent

/**
 * A language model at the level of text. Batching, sorting and shared prefixes are its own business: hand over a whole task in
 * one call. Results may come out of order (see `index`) and depend neither on the batch nor on the order. Concurrent calls queue.
 */
export interface LanguageModel {
  readonly name: string
  /** The most tokens that the model sees at once. */
  readonly contextLength: number
  readonly tokenizer?: Tokenizer
  logLikelihood(requests: readonly LogLikelihoodRequest[], options?: CallOptions): AsyncIterable<LogLikelihood>
  /** Each text whole: windows of the context length, every token predicted once, the first from the begin token. */
  rollingLogLikelihood(texts: readonly string[], options?: CallOptions): AsyncIterable<RollingLogLikelihood>
  /** @throws UnsupportedError before the first token when `format` cannot be honoured. */
  generate(request: GenerateRequest, options?: CallOptions): AsyncIterable<TextGenerateEvent>
  generateMany?(
    requests: readonly GenerateRequest[],
    options?: CallOptions,
  ): AsyncIterable<Omit<FinishEvent, 'kind'> & { readonly index: number }>
  /** ln p of every token of the vocabulary after each prompt. */
  nextLogProbs?(prompts: readonly string[], options?: CallOptions): AsyncIterable<{ readonly index: number; readonly logProbs: Float32Array }>
  embed?(texts: readonly string[], options?: CallOptions): Promise<Float32Array[]>
  dispose?(): void
}
