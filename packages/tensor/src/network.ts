// What a trainer needs of a network, and nothing more: transformer implements it, trainer uses it, neither knows the other.
import type { Backend } from './backend.ts'
import type { RandomKey } from './random-key.ts'
import type { Tensor } from './tensor.ts'
import { keep } from './tidy.ts'

/** A named tensor that training may change. What is trained is the list passed to `train`: there is no other switch. */
export interface Parameter {
  readonly name: string
  readonly value: Tensor
  /** The f32 original of a bf16 value in mixed precision. */
  readonly master?: Tensor | undefined
  /** Where weight decay and learning-rate rules look. */
  readonly role: 'embedding' | 'matrix' | 'bias' | 'norm' | 'head'
  readonly layerIndex?: number
  /** Takes the handles out of any open tidy; disposes the old ones unless they were donated. */
  assign(next: { readonly value: Tensor; readonly master?: Tensor }): void
}

/** Of one run through a network. */
export interface Pass {
  /** Dropout draws from it: (run seed, step, micro-batch, layer path). */
  readonly key: RandomKey
  readonly training: boolean
  /** What activations are held in; absent: f32. Parameters have dtypes of their own; sums and losses are f32 in any case. */
  readonly precision?: 'f32' | 'bf16'
}

/** Host data: made without a backend; the network uploads it inside the loss's tidy. B batch, T sequence. */
export interface TokenBatch {
  readonly shape: readonly [number, number]
  /** [B·T]; with `encoder`: the decoder's input. */
  readonly tokenIds: Int32Array
  /** [B·T] What position t must say, already shifted or masked; −1 = no loss. */
  readonly targetIds?: Int32Array
  /** [B·T] Absent: 1 where targetIds ≥ 0. An objective's weight is their host sum. */
  readonly lossWeights?: Float32Array
  /** [B·T] 0 = padding. */
  readonly attentionMask?: Uint8Array
  readonly positions?: Int32Array
  /** [B·T] Tokens attend within their segment only: packed documents. */
  readonly segmentIds?: Int32Array
  readonly tokenTypeIds?: Int32Array
  readonly encoder?: { readonly shape: readonly [number, number]; readonly tokenIds: Int32Array; readonly attentionMask?: Uint8Array }
  /** Heads: [B] class, [B·T] token class, [B·C] multi-label, [B·2] answer span. */
  readonly labels?: Int32Array | Float32Array
}

export interface Network {
  readonly backend: Backend
  /** A tied tensor once; quantized weights are not parameters. */
  parameters(): ReadonlyMap<string, Parameter>
  /** [B, T, D] (encoder-decoder: the decoder's); pooled heads [B, D]. */
  hiddenStates(batch: TokenBatch, pass: Pass): { readonly hidden: Tensor; readonly auxiliaryLoss?: Tensor }
  /** [..., V], or the head's classes. */
  logits(hidden: Tensor): Tensor
  /** f32 [B, T] nats, 0 where targetIds is −1; its negative is the log-probability. Never materialises [B, T, V]. */
  tokenLosses(hidden: Tensor, batch: TokenBatch, options?: { readonly labelSmoothing?: number; readonly zLoss?: number }): Tensor
}

/** A parameter that holds its tensors. `value` must be in no tidy, or is taken out of it. */
export const createParameter = (options: {
  readonly name: string
  readonly value: Tensor
  readonly master?: Tensor | undefined
  readonly role: Parameter['role']
  readonly layerIndex?: number
}): Parameter => {
  const { name, role, layerIndex } = options
  let value = keep(options.value)
  let master = options.master === undefined ? undefined : keep(options.master)
  return {
    name,
    role,
    ...(layerIndex === undefined ? {} : { layerIndex }),
    get value() {
      return value
    },
    get master() {
      return master
    },
    assign(next) {
      const before = [value, master]
      value = keep(next.value)
      if (next.master !== undefined) master = keep(next.master)
      for (const x of before) if (x !== undefined && x !== value && x !== master) x.dispose()
    },
  }
}
