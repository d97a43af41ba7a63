// Taking blocks of quantized weights apart, from primitives alone: bytes are split with floor and multiply in f32, half-precision
// numbers and code books come out of tables, so that every backend gives the same bits. n blocks.
import { float16ToFloat32 } from '../dtype.ts'
import { execOne } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { add, cast, concat, floor, gather, lessThan, reshape, scalarLike, slice, sub, where } from '../primitives.ts'
import type { Tensor } from '../tensor.ts'
import { numbersOf } from './checks.ts'
import { scaled } from './scratch.ts'

let halfTable: Float32Array | undefined

/** f32 [65536]: the value of every half-precision bit pattern. */
export const halfTableOp = defineOp({
  name: 'halfTable',
  inputs: [],
  infer: () => [{ shape: [65536], dtype: 'f32' }],
  host: () => (halfTable ??= Float32Array.from({ length: 65536 }, (_, bits) => float16ToFloat32(bits))),
})

/** f32: the values of a code book, attribute `values`. */
export const codeBookOp = defineOp({
  name: 'codeBook',
  inputs: [],
  infer: (_, attrs) => [{ shape: [numbersOf(attrs, 'values').length], dtype: 'f32' }],
  host: (attrs) => Float32Array.from(numbersOf(attrs, 'values')),
})

/** Bytes `start` … of each block as f32 [n, count]. */
export const bytesOf = (blocks: Tensor, start: number, count: number): Tensor => cast(slice(blocks, [0, start], [blocks.shape[0]!, count]), 'f32')

/** The half-precision number at byte `start` of each block: f32 [n, 1]. */
export const halfAt = (blocks: Tensor, start: number): Tensor => {
  const bits = (byte: number): Tensor => cast(slice(blocks, [0, start + byte], [blocks.shape[0]!, 1]), 'i32')
  return gather(execOne(halfTableOp, [], {}, blocks.backend), add(bits(0), scaled(bits(1), 256)))
}

/** Each code's value in a code book. */
export const decoded = (codes: Tensor, values: readonly number[]): Tensor => gather(execOne(codeBookOp, [], { values }, codes.backend), cast(codes, 'i32'))

/** x >> bits for bytes held in f32. */
export const shiftRight = (x: Tensor, bits: number): Tensor => floor(scaled(x, 2 ** -bits))

/** The lowest bits of bytes held in f32. */
export const lowBits = (x: Tensor, bits: number): Tensor => sub(x, scaled(shiftRight(x, bits), 2 ** bits))

/** Bytes as signed numbers −128 … 127. */
export const signed = (x: Tensor): Tensor => sub(x, where(lessThan(scalarLike(x, 127), x), scalarLike(x, 256), scalarLike(x, 0)))

/** The 8 / bits parts of bytes held in f32, lowest first, end to end along an axis. */
export const splitBits = (x: Tensor, bits: number, axis: number): Tensor => {
  const parts = Array.from({ length: 8 / bits }, (_, i) => (i === 0 ? x : shiftRight(x, i * bits)))
  return concat(parts.map((part, i) => ((i + 1) * bits === 8 ? part : lowBits(part, bits))), axis)
}

/** The sixteen low halves of bytes, then the sixteen high halves: f32 [n, 32]. */
export const nibbles = (blocks: Tensor, start: number): Tensor => splitBits(bytesOf(blocks, start, 16), 4, 1)

/** 32 bits that lie in four bytes: f32 [n, 32], 0 or 1. */
export const bitsAt = (blocks: Tensor, start: number): Tensor => {
  const n = blocks.shape[0]!
  return reshape(splitBits(reshape(bytesOf(blocks, start, 4), [n, 4, 1]), 1, 2), [n, 32])
}
