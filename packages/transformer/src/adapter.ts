// What an adapter is to a model: low-rank updates of some of its projections, with parameters of their own.
import type { Parameter } from '@weft/tensor'
import type { LoraConfig } from './lora.ts'

/** y += scale · B(A(dropout(x))), for some or all rows of a projection's output. */
export interface LowRankUpdate {
  /** The module's name in the family's files, for example `model.layers.0.self_attn.q_proj`. */
  readonly module: string
  /** The weight that it updates, for example `layers.0.attention.qkv`. */
  readonly projection: string
  readonly rows?: { readonly start: number; readonly count: number }
  /** Whether the family's files store the weight [in, out]. */
  readonly isTransposed: boolean
  /** [rank, in] */
  readonly a: Parameter
  /** [out, rank] */
  readonly b: Parameter
  readonly scale: number
}

/** Changes what a model computes, never the model. Dispose it to free its parameters. */
export interface Adapter {
  readonly kind: 'lora'
  readonly config: LoraConfig
  /** Named as in PEFT's files. */
  parameters(): ReadonlyMap<string, Parameter>
  /** By the name of the projection. */
  readonly updates: ReadonlyMap<string, readonly LowRankUpdate[]>
  dispose(): void
  [Symbol.dispose](): void
}
