// What a model is to those who use it. The pieces that compute are decoder.ts and its neighbours.
import type { Network, Parameter, Pass, Tensor } from '@weft/tensor'
import type { Adapter } from './adapter.ts'
import type { KvCache } from './kv-cache.ts'
import type { ModelConfig } from './model-config.ts'

/** B batch, T new tokens, D dModel. All tensors live on the model's backend. */
export interface ForwardInput {
  /** i32 [B, T]. Either these or `inputEmbeddings`. */
  readonly tokenIds?: Tensor
  /** [B, T, D] in place of the token embeddings; learned positions are still added. */
  readonly inputEmbeddings?: Tensor
  /** u8 or i32 [B, T], 0 = padding, on either side. Positions then count the real tokens. Not with `kvCache`: see `lengths`. */
  readonly attentionMask?: Tensor
  /** i32 [B, T]: what is rotated by, or looked up in the learned table. Not with `kvCache`. */
  readonly positions?: Tensor
  /** i32 [B, T]: tokens attend within their segment alone (packed documents). Not with `kvCache`. */
  readonly segmentIds?: Tensor
  /** The tokens before these. Keys and values are appended to it. */
  readonly kvCache?: KvCache
  /** How many of the T tokens of each row are real, the rest being padding on the right; default T. */
  readonly lengths?: readonly number[]
  /** Whether logits are made for all T positions (default) or for the last real one of each row. */
  readonly logitsAt?: 'all' | 'last'
  readonly capture?: { readonly hiddenStates?: boolean; readonly attentions?: boolean }
  /** Absent: no dropout. */
  readonly pass?: Pass
}

/** V vocabSize, H numHeads, S tokens in the cache and new ones. */
export interface ForwardOutput {
  /** [B, T, V], or [B, V] with `logitsAt: 'last'`. */
  readonly logits: Tensor
  /** numLayers + 1 times [B, T, D]: after the embeddings, after each layer; the last one after the final norm. */
  readonly hiddenStates?: readonly Tensor[]
  /** numLayers times [B, H, T, S]: probabilities. Keys beyond a row's own tokens have 0. */
  readonly attentions?: readonly Tensor[]
}

/**
 * A decoder language model. Its parameters are named alike in all families (`layers.0.attention.qkv.weight`). Dispose it to free
 * them; a view made by `withAdapters` owns nothing.
 */
export interface Model extends Network {
  readonly config: ModelConfig
  readonly adapters: readonly Adapter[]
  /** Its own and those of its adapters, by name. */
  parameters(): ReadonlyMap<string, Parameter>
  /** The parameters of the base alone, whatever adapters the view has. */
  baseParameters(): ReadonlyMap<string, Parameter>
  /**
   * One pass. Everything but what it returns is freed.
   * @throws ConfigError when the tokens do not fit into the context, or the inputs do not go together.
   */
  forward(input: ForwardInput): ForwardOutput
  /** A cheap view with exactly these adapters, sharing all parameters; [] is the plain base. */
  withAdapters(adapters: readonly Adapter[]): Model
  dispose(): void
  [Symbol.dispose](): void
}
