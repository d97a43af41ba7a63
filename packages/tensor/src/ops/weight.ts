// What a matrix product may take as its weight: a plain tensor, or blocks of low-bit numbers as GGUF files hold them.
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'

/** GGUF's block layouts: 32 values a block with one scale (q8_0, q4_0), scale and minimum (q4_1), or 256 in sub-blocks (q4_k, q6_k). */
export type QuantizedFormat = 'q8_0' | 'q4_0' | 'q4_1' | 'q4_k' | 'q6_k'

export interface QuantizedTensor {
  readonly format: QuantizedFormat
  /** u8: the blocks row after row; after `packQuantized` in the backend's own layout. */
  readonly packed: Tensor
  /** Of the values; the last axis is a multiple of the block. */
  readonly shape: Shape
}

export type Weight = Tensor | QuantizedTensor

export const isQuantized = (weight: Weight): weight is QuantizedTensor => 'packed' in weight
