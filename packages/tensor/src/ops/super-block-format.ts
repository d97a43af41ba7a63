// GGUF's blocks of 256 values in sub-blocks with scales of their own, as ggml decodes them. n blocks; j counts sub-blocks.
import { add, concat, mul, reshape, slice, sub } from '../primitives.ts'
import type { Tensor } from '../tensor.ts'
import { bytesOf, decoded, halfAt, lowBits, shiftRight, signed, splitBits } from './quantized-bytes.ts'
import { scaled, shifted } from './scratch.ts'

/** quants [n, 256] (any shape) by scales [n, count], less minima [n, count] where there are any: f32 [n, 256]. */
const bySubBlock = (quants: Tensor, scales: Tensor, minima?: Tensor): Tensor => {
  const [n, count] = scales.shape as [number, number]
  const perSubBlock = (x: Tensor): Tensor => reshape(x, [n, count, 1])
  const products = mul(reshape(quants, [n, count, 256 / count]), perSubBlock(scales))
  return reshape(minima === undefined ? products : sub(products, perSubBlock(minima)), [n, 256])
}

/** Bytes of `runs` rows of 32 whose parts of `bits` bits follow each other as rows: f32 [n, rows · 32]. */
const rowsOf32 = (blocks: Tensor, start: number, runs: number, bits: number): Tensor => {
  const n = blocks.shape[0]!
  return reshape(splitBits(reshape(bytesOf(blocks, start, runs * 32), [n, runs, 1, 32]), bits, 2), [n, (runs * 256) / bits])
}

/** 16 sub-blocks of 16: value = d · scale · q − dMin · minimum, q of two bits; a byte holds a scale and a minimum. */
export const decodeQ2K = (blocks: Tensor): Tensor => {
  const both = bytesOf(blocks, 0, 16)
  return bySubBlock(rowsOf32(blocks, 16, 2, 2), mul(lowBits(both, 4), halfAt(blocks, 80)), mul(shiftRight(both, 4), halfAt(blocks, 82)))
}

/**
 * 16 sub-blocks of 16: value = d · (scale − 32) · (q − 4), q of three bits: two in `low`, the top one in `mask`, whose bit j of byte l
 * belongs to value l of the j-th 32. Six-bit scales: low halves in bytes 0–7 (all low nibbles, then all high ones), top bits in 8–11.
 */
export const decodeQ3K = (blocks: Tensor): Tensor => {
  const n = blocks.shape[0]!
  const quants = shifted(add(rowsOf32(blocks, 32, 2, 2), scaled(rowsOf32(blocks, 0, 1, 1), 4)), -4)
  const low = splitBits(bytesOf(blocks, 96, 8), 4, 1)
  const top = reshape(splitBits(reshape(bytesOf(blocks, 104, 4), [n, 1, 4]), 2, 1), [n, 16])
  return bySubBlock(quants, mul(shifted(add(low, scaled(top, 16)), -32), halfAt(blocks, 108)))
}

/**
 * Eight scales and eight minima of six bits in 12 bytes, each [n, 8]: the first four of each in bytes 0–3 and 4–7, the others in nibbles
 * of 8–11 with their top two bits in the top of bytes 0–7.
 */
const sixBitPairs = (blocks: Tensor, start: number): readonly [scales: Tensor, minima: Tensor] => {
  const packed = bytesOf(blocks, start, 12)
  const group = (first: number): Tensor => slice(packed, [0, first], [packed.shape[0]!, 4])
  const six = (low: Tensor, top: Tensor): Tensor => add(low, scaled(shiftRight(top, 6), 16))
  return [concat([lowBits(group(0), 6), six(lowBits(group(8), 4), group(0))], 1), concat([lowBits(group(4), 6), six(shiftRight(group(8), 4), group(4))], 1)]
}

/** 8 sub-blocks of 32: value = d · scale · q − dMin · minimum. */
const decodeWithMinima = (blocks: Tensor, quants: Tensor): Tensor => {
  const [scales, minima] = sixBitPairs(blocks, 4)
  return bySubBlock(quants, mul(scales, halfAt(blocks, 0)), mul(minima, halfAt(blocks, 2)))
}

/** q of four bits: 32 bytes hold two sub-blocks, the low halves one, the high halves the next. */
export const decodeQ4K = (blocks: Tensor): Tensor => decodeWithMinima(blocks, rowsOf32(blocks, 16, 4, 4))

/** As q4_k with a fifth bit: bit j of byte l belongs to value l of sub-block j. */
export const decodeQ5K = (blocks: Tensor): Tensor => decodeWithMinima(blocks, add(rowsOf32(blocks, 48, 4, 4), scaled(rowsOf32(blocks, 16, 1, 1), 16)))

/**
 * 16 sub-blocks of 16: value = d · scale · (q − 32), q of six bits: four in `low`, two in `high`. Each half of the block has 64 low bytes
 * (two rows of 32, low halves first) and 32 high bytes (two bits for each of the four rows of 32 values).
 */
export const decodeQ6K = (blocks: Tensor): Tensor => {
  const n = blocks.shape[0]!
  const low = splitBits(reshape(bytesOf(blocks, 0, 128), [n, 2, 1, 64]), 4, 2)
  const quants = shifted(add(reshape(low, [n, 256]), scaled(rowsOf32(blocks, 128, 2, 2), 16)), -32)
  return bySubBlock(quants, mul(signed(bytesOf(blocks, 192, 16)), halfAt(blocks, 208)))
}

/** 8 sub-blocks of 32: value = d · (scale − 32) · code book[q]; six-bit scales: nibbles in bytes 4–7, their top bits, two each, in bytes 2–3. */
export const decodeIq4Xs = (blocks: Tensor, codeBook: readonly number[]): Tensor => {
  const n = blocks.shape[0]!
  const parts = (start: number, count: number, bits: number): Tensor => reshape(splitBits(reshape(bytesOf(blocks, start, count), [n, count, 1]), bits, 2), [n, 8])
  const scales = mul(shifted(add(parts(4, 4, 4), scaled(parts(2, 2, 2), 16)), -32), halfAt(blocks, 0))
  const codes = splitBits(reshape(bytesOf(blocks, 8, 128), [n, 8, 1, 16]), 4, 2)
  return bySubBlock(decoded(codes, codeBook), scales)
}
