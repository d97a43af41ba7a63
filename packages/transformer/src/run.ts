// What every layer of one forward pass looks at: weights by name, adapters, the pass, and where the tokens stand.
import { childKey, type Backend, type Parameter, type Pass, type Tensor } from '@weft/tensor'
import { dropout, type QuantizedTensor } from '@weft/tensor/ops'
import type { Adapter } from './adapter.ts'
import type { KvCache } from './kv-cache.ts'
import type { ModelConfig } from './model-config.ts'

/** A decoder's parts; views with other adapters share all but the last. */
export interface DecoderParts {
  readonly config: ModelConfig
  readonly backend: Backend
  readonly parameters: ReadonlyMap<string, Parameter>
  /** Matrices that stay in low-bit blocks, by the name of the parameter whose place they take; several stand row after row. */
  readonly quantized: ReadonlyMap<string, readonly QuantizedTensor[]>
  /** How these meet activations outside of training; see `quantizedMatMul`. */
  readonly activations: 'float' | 'int8'
  /** [headDim / 2]; absent without rotary positions. */
  readonly frequencies: Tensor | undefined
  readonly adapters: readonly Adapter[]
}

/** Where the T new tokens of B rows stand, and what they may see. */
export interface Placement {
  readonly rows: number
  readonly length: number
  /** Position of the first token of every row, where `positions` says nothing else. */
  readonly offset: number
  /** i32 [B, T] for rotation or the learned table. */
  readonly positions?: Tensor
  /** i32 [B, T], both or none: the order of tokens for attention, −1 = invisible. */
  readonly queryPositions?: Tensor
  readonly keyPositions?: Tensor
  readonly segments?: Tensor
  readonly kvCache?: KvCache
  /** With a cache: where each row's new tokens begin in it. */
  readonly at?: readonly number[]
}

export interface Run extends DecoderParts {
  readonly placement: Placement
  readonly pass: Pass | undefined
  readonly captureAttentions: boolean
}

/** @throws TypeError in our own mistakes alone: loading checks that every parameter is there. */
export const weight = (parts: DecoderParts, name: string): Tensor => {
  const parameter = parts.parameters.get(name)
  if (parameter === undefined) throw new TypeError(`no parameter ${name}`)
  return parameter.value
}

export const weightIfAny = (parts: DecoderParts, name: string): Tensor | undefined => parts.parameters.get(name)?.value

/** Dropout in a training pass, with a key that the place names. */
export const drop = (run: Run, x: Tensor, rate: number, place: string): Tensor =>
  run.pass?.training === true && rate > 0 ? dropout(x, { rate, key: childKey(run.pass.key, place) }) : x
