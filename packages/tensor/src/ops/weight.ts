// What a matrix product may take as its weight: a plain tensor, or blocks of low-bit numbers as GGUF files hold them.
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'

/**
 * GGUF's block layouts. 32 values a block: with one scale (q8_0, q4_0, q5_0), scale and minimum (q4_1, q5_1), a code book and a scale
 * (iq4_nl) or an exponent (mxfp4); or 256 in sub-blocks (the others).
 */
export type QuantizedFormat = 'q8_0' | 'q4_0' | 'q4_1' | 'q5_0' | 'q5_1' | 'q2_k' | 'q3_k' | 'q4_k' | 'q5_k' | 'q6_k' | 'iq4_nl' | 'iq4_xs' | 'mxfp4'

export interface QuantizedTensor {
  readonly format: QuantizedFormat
  /** u8: what `packQuantized` gave, in the backend's own layout; before that the blocks row after row, which no other operation may be given. */
  readonly packed: Tensor
  /** Of the values; the last axis is a multiple of the block. */
  readonly shape: Shape
}

export type Weight = Tensor | QuantizedTensor

export const isQuantized = (weight: Weight): weight is QuantizedTensor => 'packed' in weight
