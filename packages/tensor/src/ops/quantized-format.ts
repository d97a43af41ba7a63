// The arithmetic of GGUF's block formats, as ggml decodes them, from primitives alone: bytes are split with floor and multiply in
// f32, and half-precision scales come out of a table, so that every backend gives the same bits. n blocks.
import { UnsupportedError } from '@weft/contracts'
import { float16ToFloat32 } from '../dtype.ts'
import { execOne } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { add, cast, concat, floor, gather, lessThan, mul, reshape, scalarLike, slice, sub, where } from '../primitives.ts'
import type { Tensor } from '../tensor.ts'
import { scaled, shifted } from './scratch.ts'
import type { QuantizedFormat } from './weight.ts'

export interface BlockLayout {
  readonly valuesPerBlock: number
  readonly bytesPerBlock: number
  /** u8 [n, bytesPerBlock] → f32 [n, valuesPerBlock]. */
  decode(blocks: Tensor): Tensor
}

let halfTable: Float32Array | undefined

/** f32 [65536]: the value of every half-precision bit pattern. */
export const halfTableOp = defineOp({
  name: 'halfTable',
  inputs: [],
  infer: () => [{ shape: [65536], dtype: 'f32' }],
  host: () => (halfTable ??= Float32Array.from({ length: 65536 }, (_, bits) => float16ToFloat32(bits))),
})

/** Bytes `start` … of each block as f32 [n, count]. */
const bytesOf = (blocks: Tensor, start: number, count: number): Tensor => cast(slice(blocks, [0, start], [blocks.shape[0]!, count]), 'f32')

/** The half-precision number at byte `start` of each block: f32 [n, 1]. */
const halfAt = (blocks: Tensor, start: number): Tensor => {
  const bits = (byte: number): Tensor => cast(slice(blocks, [0, start + byte], [blocks.shape[0]!, 1]), 'i32')
  return gather(execOne(halfTableOp, [], {}, blocks.backend), add(bits(0), scaled(bits(1), 256)))
}

/** x >> bits for bytes held in f32. */
const shiftRight = (x: Tensor, bits: number): Tensor => floor(scaled(x, 2 ** -bits))

/** The lowest bits of bytes held in f32. */
const lowBits = (x: Tensor, bits: number): Tensor => sub(x, scaled(shiftRight(x, bits), 2 ** bits))

/** Bytes as signed numbers −128 … 127. */
const signed = (x: Tensor): Tensor => sub(x, where(lessThan(scalarLike(x, 127), x), scalarLike(x, 256), scalarLike(x, 0)))

/** The sixteen low halves, then the sixteen high halves of each block: f32 [n, 32]. */
const nibbles = (blocks: Tensor, start: number): Tensor => {
  const bytes = bytesOf(blocks, start, 16)
  return concat([lowBits(bytes, 4), shiftRight(bytes, 4)], 1)
}

const decodeQ8 = (blocks: Tensor): Tensor => mul(signed(bytesOf(blocks, 2, 32)), halfAt(blocks, 0))

const decodeQ4 = (blocks: Tensor): Tensor => mul(shifted(nibbles(blocks, 2), -8), halfAt(blocks, 0))

const decodeQ4WithMinimum = (blocks: Tensor): Tensor => add(mul(nibbles(blocks, 4), halfAt(blocks, 0)), halfAt(blocks, 2))

/**
 * 256 values in 8 sub-blocks of 32: value = scale · d · nibble − minimum · dMin. Six-bit scales and minima lie in 12 bytes: the
 * first four of each in bytes 0–3 and 4–7, the others in nibbles of 8–11 with their top two bits in the top of bytes 0–7.
 */
const decodeQ4K = (blocks: Tensor): Tensor => {
  const n = blocks.shape[0]!
  const packed = bytesOf(blocks, 4, 12)
  const group = (start: number): Tensor => slice(packed, [0, start], [n, 4])
  const six = (low: Tensor, top: Tensor): Tensor => add(low, scaled(shiftRight(top, 6), 16))
  const scales = concat([lowBits(group(0), 6), six(lowBits(group(8), 4), group(0))], 1)
  const minima = concat([lowBits(group(4), 6), six(shiftRight(group(8), 4), group(4))], 1)
  // 32 bytes hold two sub-blocks: the low halves one, the high halves the next.
  const bytes = reshape(bytesOf(blocks, 16, 128), [n, 4, 1, 32])
  const quants = reshape(concat([lowBits(bytes, 4), shiftRight(bytes, 4)], 2), [n, 8, 32])
  const perBlock = (x: Tensor, factor: Tensor): Tensor => reshape(mul(x, factor), [n, 8, 1])
  return reshape(sub(mul(quants, perBlock(scales, halfAt(blocks, 0))), perBlock(minima, halfAt(blocks, 2))), [n, 256])
}

/**
 * 256 values in 16 sub-blocks of 16: value = d · scale · (q − 32), q of six bits: four in `low`, two in `high`. Each half of the
 * block has 64 low bytes (two rows of 32, low halves first) and 32 high bytes (two bits for each of the four rows of 32 values).
 */
const decodeQ6K = (blocks: Tensor): Tensor => {
  const n = blocks.shape[0]!
  const low = reshape(bytesOf(blocks, 0, 128), [n, 2, 2, 32])
  const high = reshape(bytesOf(blocks, 128, 64), [n, 2, 1, 32])
  const lowRows = concat([lowBits(low, 4), shiftRight(low, 4)], 2)
  const highRows = concat([lowBits(high, 2), lowBits(shiftRight(high, 2), 2), lowBits(shiftRight(high, 4), 2), shiftRight(high, 6)], 2)
  const quants = shifted(add(lowRows, scaled(highRows, 16)), -32)
  const scales = mul(signed(bytesOf(blocks, 192, 16)), halfAt(blocks, 208))
  return reshape(mul(reshape(quants, [n, 16, 16]), reshape(scales, [n, 16, 1])), [n, 256])
}

const layouts: Readonly<Record<QuantizedFormat, BlockLayout>> = {
  q8_0: { valuesPerBlock: 32, bytesPerBlock: 34, decode: decodeQ8 },
  q4_0: { valuesPerBlock: 32, bytesPerBlock: 18, decode: decodeQ4 },
  q4_1: { valuesPerBlock: 32, bytesPerBlock: 20, decode: decodeQ4WithMinimum },
  q4_k: { valuesPerBlock: 256, bytesPerBlock: 144, decode: decodeQ4K },
  q6_k: { valuesPerBlock: 256, bytesPerBlock: 210, decode: decodeQ6K },
}

/** @throws UnsupportedError for a format that is not here. */
export const blockLayout = (op: string, format: string): BlockLayout => {
  if (!Object.hasOwn(layouts, format)) throw new UnsupportedError(`${op}: expected a format of ${Object.keys(layouts).join(', ')}, got ${JSON.stringify(format)}; dequantize it when it is loaded`)
  return layouts[format as QuantizedFormat]
}
