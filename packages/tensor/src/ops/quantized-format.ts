// The arithmetic of GGUF's block formats, as ggml decodes them: the table of all formats, and those of 32 values a block. n blocks.
import { UnsupportedError } from '@weft/contracts'
import { add, mul } from '../primitives.ts'
import type { Tensor } from '../tensor.ts'
import { bitsAt, bytesOf, decoded, halfAt, nibbles, signed } from './quantized-bytes.ts'
import { scaled, shifted } from './scratch.ts'
import { decodeIq4Xs, decodeQ2K, decodeQ3K, decodeQ4K, decodeQ5K, decodeQ6K } from './super-block-format.ts'
import type { QuantizedFormat } from './weight.ts'

export interface BlockLayout {
  readonly valuesPerBlock: number
  readonly bytesPerBlock: number
  /** u8 [n, bytesPerBlock] → f32 [n, valuesPerBlock]. */
  decode(blocks: Tensor): Tensor
}

const decodeQ8 = (blocks: Tensor): Tensor => mul(signed(bytesOf(blocks, 2, 32)), halfAt(blocks, 0))

const decodeQ4 = (blocks: Tensor): Tensor => mul(shifted(nibbles(blocks, 2), -8), halfAt(blocks, 0))

const decodeQ4WithMinimum = (blocks: Tensor): Tensor => add(mul(nibbles(blocks, 4), halfAt(blocks, 0)), halfAt(blocks, 2))

const decodeQ5 = (blocks: Tensor): Tensor => mul(shifted(add(nibbles(blocks, 6), scaled(bitsAt(blocks, 2), 16)), -16), halfAt(blocks, 0))

const decodeQ5WithMinimum = (blocks: Tensor): Tensor => add(mul(add(nibbles(blocks, 8), scaled(bitsAt(blocks, 4), 16)), halfAt(blocks, 0)), halfAt(blocks, 2))

/** Spaced for normally distributed weights: ggml's table for its non-linear four-bit formats. */
const nonLinear = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]

/** Twice the values of a four-bit float (sign, two bits of exponent, one of mantissa). */
const float4 = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]

/** Half of 2^(e − 127) for each exponent byte, since `float4` has twice the values. */
const halfPowers = Array.from({ length: 256 }, (_, e) => 2 ** (e - 128))

const decodeMxfp4 = (blocks: Tensor): Tensor => mul(decoded(nibbles(blocks, 1), float4), decoded(bytesOf(blocks, 0, 1), halfPowers))

const layouts: Readonly<Record<QuantizedFormat, BlockLayout>> = {
  q8_0: { valuesPerBlock: 32, bytesPerBlock: 34, decode: decodeQ8 },
  q4_0: { valuesPerBlock: 32, bytesPerBlock: 18, decode: decodeQ4 },
  q4_1: { valuesPerBlock: 32, bytesPerBlock: 20, decode: decodeQ4WithMinimum },
  q5_0: { valuesPerBlock: 32, bytesPerBlock: 22, decode: decodeQ5 },
  q5_1: { valuesPerBlock: 32, bytesPerBlock: 24, decode: decodeQ5WithMinimum },
  q2_k: { valuesPerBlock: 256, bytesPerBlock: 84, decode: decodeQ2K },
  q3_k: { valuesPerBlock: 256, bytesPerBlock: 110, decode: decodeQ3K },
  q4_k: { valuesPerBlock: 256, bytesPerBlock: 144, decode: decodeQ4K },
  q5_k: { valuesPerBlock: 256, bytesPerBlock: 176, decode: decodeQ5K },
  q6_k: { valuesPerBlock: 256, bytesPerBlock: 210, decode: decodeQ6K },
  iq4_nl: { valuesPerBlock: 32, bytesPerBlock: 18, decode: (blocks) => mul(decoded(nibbles(blocks, 2), nonLinear), halfAt(blocks, 0)) },
  iq4_xs: { valuesPerBlock: 256, bytesPerBlock: 136, decode: (blocks) => decodeIq4Xs(blocks, nonLinear) },
  mxfp4: { valuesPerBlock: 32, bytesPerBlock: 17, decode: decodeMxfp4 },
}

/** Every format that Weft computes with. */
export const quantizedFormats = Object.keys(layouts) as readonly QuantizedFormat[]

/** @throws UnsupportedError for a format that is not here. */
export const blockLayout = (op: string, format: string): BlockLayout => {
  if (!Object.hasOwn(layouts, format)) throw new UnsupportedError(`${op}: expected a format of ${quantizedFormats.join(', ')}, got ${JSON.stringify(format)}; dequantize it when it is loaded`)
  return layouts[format as QuantizedFormat]
}
