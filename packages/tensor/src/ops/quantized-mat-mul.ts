// Products with block-quantized weights. The decompositions unpack at most 16 MB of f32 at a time and read GGUF's own layout; a
// backend that packs another way (`packQuantized`) brings kernels of its own for every operation here that reads the blocks.
// F rows (outputs), D values a row. The only gradient is the activation's, so that adapters train over a frozen quantized model.
import { ConfigError } from '@weft/contracts'
import type { Attrs, Meta } from '../backend.ts'
import type { DType } from '../dtype.ts'
import { ShapeError } from '../errors.ts'
import { execOne } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { abs, add, cast, concat, div, equal, floor, full, gather, matMul, max, mul, reshape, scalarLike, slice, where } from '../primitives.ts'
import { formatShape, sizeOf, type Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { tidy } from '../tidy.ts'
import { accumulationDType, lastSize, leadingSize, metaOf, numberOf, numbersOf, requireDType, requireFloat, requireShape } from './checks.ts'
import { blockLayout } from './quantized-format.ts'
import { inSteps, scaled, shifted } from './scratch.ts'
import type { QuantizedTensor } from './weight.ts'

/** f32 values unpacked at a time: 16 MB. */
const maxUnpacked = 2 ** 22

const formatOf = (attrs: Attrs): string => attrs['format'] as string

/** Bytes of one row; checks the format and that rows are whole blocks. */
const rowBytes = (op: string, format: string, shape: Shape): number => {
  const { valuesPerBlock, bytesPerBlock } = blockLayout(op, format)
  const width = shape.at(-1)
  if (width === undefined || width % valuesPerBlock !== 0) throw new ShapeError(`${op}: ${format} needs rows of a multiple of ${valuesPerBlock} values, got ${formatShape(shape)}`)
  return (width / valuesPerBlock) * bytesPerBlock
}

const checkPacked = (op: string, packed: Meta, attrs: Attrs): void => {
  requireDType(op, 'packed', packed, 'u8')
  const shape = numbersOf(attrs, 'shape')
  const expected = leadingSize(shape) * rowBytes(op, formatOf(attrs), shape)
  if (sizeOf(packed.shape) !== expected) throw new ShapeError(`${op}: ${formatOf(attrs)} of ${formatShape(shape)} is ${expected} bytes, got ${sizeOf(packed.shape)}`)
}

/** Packed rows [N, bytes] → f32 [N, D]. */
const unpackRows = (rows: Tensor, format: string, width: number): Tensor => {
  const { decode, bytesPerBlock } = blockLayout('dequantize', format)
  return tidy(() => reshape(decode(reshape(rows, [rows.size / bytesPerBlock, bytesPerBlock])), [rows.shape[0]!, width]))
}

/** Calls `use` with successive blocks of the weight's rows (attributes start and count: of those alone), unpacked to `dtype`. */
const forRowBlocks = (packed: Tensor, attrs: Attrs, dtype: DType, use: (weight: Tensor, start: number) => Tensor): Tensor[] => {
  const shape = numbersOf(attrs, 'shape')
  const [rows, width] = [leadingSize(shape), shape.at(-1)!]
  const first = (attrs['start'] as number | undefined) ?? 0
  const end = first + ((attrs['count'] as number | undefined) ?? rows)
  const bytes = rowBytes('quantizedMatMul', formatOf(attrs), shape)
  const table = reshape(packed, [rows, bytes])
  const step = Math.max(1, Math.floor(maxUnpacked / Math.max(width, 1)))
  const results: Tensor[] = []
  for (let start = first; start < end; start += step) {
    const count = Math.min(step, end - start)
    results.push(tidy(() => use(cast(unpackRows(slice(table, [start, 0], [count, bytes]), formatOf(attrs), width), dtype), start)))
  }
  return results
}

/**
 * `[packed u8]` in GGUF's layout → `[packed u8]` in the layout that this backend's kernels read; attributes format, shape. It
 * consumes its input; by default nothing changes.
 */
export const packQuantizedOp = defineOp({
  name: 'packQuantized',
  inputs: ['packed'],
  donates: ['packed'],
  infer: ([packed], attrs) => {
    checkPacked('packQuantized', metaOf(packed), attrs)
    return [{ shape: metaOf(packed).shape, dtype: 'u8' }]
  },
  decompose: ({ inputs: [packed] }) => [packed as Tensor],
})

/** Attributes format, shape, and which of the leading rows: `start`, `count` → f32 [count, D]. */
export const dequantizeOp = defineOp({
  name: 'dequantize',
  inputs: ['packed'],
  infer: ([packed], attrs) => {
    checkPacked('dequantize', metaOf(packed), attrs)
    const shape = numbersOf(attrs, 'shape')
    const [start, count] = [numberOf(attrs, 'start'), numberOf(attrs, 'count')]
    if (!(start >= 0 && count >= 0 && start + count <= leadingSize(shape))) throw new ShapeError(`dequantize: rows ${start} … ${start + count} do not lie in ${formatShape(shape)}`)
    return [{ shape: [count, shape.at(-1)!], dtype: 'f32' }]
  },
  decompose: ({ inputs: [packed], attrs, outputs: [output] }) => {
    const blocks = forRowBlocks(packed as Tensor, attrs, 'f32', (weight) => weight)
    return [blocks.length === 0 ? full((packed as Tensor).backend, output!.shape, 0) : blocks.length === 1 ? blocks[0]! : concat(blocks, 0)]
  },
  saves: {},
  vjp: () => [undefined],
})

/** The activation's gradient [..., D], the only one. */
export const quantizedMatMulBackwardOp = defineOp({
  name: 'quantizedMatMulBackward',
  inputs: ['packed', 'gradient'],
  infer: ([packed, gradient], attrs) => {
    checkPacked('quantizedMatMulBackward', metaOf(packed), attrs)
    return [{ shape: [...metaOf(gradient).shape.slice(0, -1), numbersOf(attrs, 'shape').at(-1)!], dtype: metaOf(gradient).dtype }]
  },
  decompose: ({ inputs, attrs, outputs: [output] }) => {
    const [packed, gradient] = inputs as readonly [Tensor, Tensor]
    const wide = accumulationDType(gradient.dtype)
    const rows = cast(reshape(gradient, [leadingSize(gradient.shape), gradient.shape.at(-1)!]), wide)
    const parts = forRowBlocks(packed, attrs, wide, (weight, start) => matMul(slice(rows, [0, start], [rows.shape[0]!, weight.shape[0]!]), weight))
    if (parts.length === 0) return [full(gradient.backend, output!.shape, 0, { dtype: output!.dtype })]
    return [cast(reshape(parts.reduce((total, part) => inSteps(total, (x) => add(x, part))), output!.shape), output!.dtype)]
  },
})

/** Values a block of int8 activations. */
const activationBlock = 32

/** Rounds activations [N, D] to int8 multiples of max|x| / 127 in each block of 32 of a row: what an int8 kernel sees. */
const roundedToInt8 = (rows: Tensor): Tensor =>
  tidy(() => {
    const blocks = reshape(rows, [rows.size / activationBlock, activationBlock])
    const step = scaled(max(abs(blocks), { axes: [1], keepDims: true }), 1 / 127)
    const isZero = equal(step, scalarLike(step, 0))
    const quants = floor(shifted(div(blocks, where(isZero, scalarLike(step, 1), step)), 0.5))
    return reshape(mul(quants, step), rows.shape)
  })

/** x [..., D], packed, attributes format, shape [F, D], activations (`float` or `int8`) → [..., F]. */
export const quantizedMatMulOp = defineOp({
  name: 'quantizedMatMul',
  inputs: ['x', 'packed'],
  infer: ([x, packed], attrs) => {
    const input = metaOf(x)
    requireFloat('quantizedMatMul', 'x', input)
    checkPacked('quantizedMatMul', metaOf(packed), attrs)
    const [rows, width] = matrixShape('quantizedMatMul', numbersOf(attrs, 'shape'))
    if (lastSize('quantizedMatMul', 'x', input) !== width) requireShape('quantizedMatMul', 'x', input, [...input.shape.slice(0, -1), width], '[..., D]')
    return [{ shape: [...input.shape.slice(0, -1), rows], dtype: input.dtype }]
  },
  decompose: ({ inputs, attrs, outputs: [output] }) => {
    const [x, packed] = inputs as readonly [Tensor, Tensor]
    const wide = accumulationDType(x.dtype)
    const rows = cast(reshape(x, [leadingSize(x.shape), x.shape.at(-1)!]), wide)
    const activations = attrs['activations'] === 'int8' ? roundedToInt8(rows) : rows
    const parts = forRowBlocks(packed, attrs, wide, (weight) => matMul(activations, weight, { transposeB: true }))
    return [parts.length === 0 ? full(x.backend, output!.shape, 0, { dtype: output!.dtype }) : cast(reshape(concat(parts, 1), output!.shape), output!.dtype)]
  },
  saves: { inputs: ['packed'] },
  vjp: ({ saved: { packed }, gradients: [g], attrs }) => [execOne(quantizedMatMulBackwardOp, [packed, g!], attrs), undefined],
})

const matrixShape = (op: string, shape: Shape): readonly [number, number] => {
  if (shape.length !== 2) throw new ShapeError(`${op}: expected a weight of shape [F, D], got ${formatShape(shape)}`)
  return [shape[0]!, shape[1]!]
}

/** ids i32 [...], packed, attributes format, shape [V, D] → f32 [..., D]; an id outside of the table yields zeros. */
export const quantizedEmbeddingOp = defineOp({
  name: 'quantizedEmbedding',
  inputs: ['packed', 'ids'],
  infer: ([packed, ids], attrs) => {
    checkPacked('quantizedEmbedding', metaOf(packed), attrs)
    requireDType('quantizedEmbedding', 'ids', metaOf(ids), 'i32')
    return [{ shape: [...metaOf(ids).shape, matrixShape('quantizedEmbedding', numbersOf(attrs, 'shape'))[1]], dtype: 'f32' }]
  },
  decompose: ({ inputs, attrs, outputs: [output] }) => {
    const [packed, ids] = inputs as readonly [Tensor, Tensor]
    const [rows, width] = matrixShape('quantizedEmbedding', numbersOf(attrs, 'shape'))
    const bytes = rowBytes('quantizedEmbedding', formatOf(attrs), [rows, width])
    const chosen = gather(reshape(packed, [rows, bytes]), reshape(ids, [ids.size]), 0)
    return [reshape(unpackRows(chosen, formatOf(attrs), width), output!.shape)]
  },
  saves: {},
  vjp: () => [undefined, undefined],
})

const attrsOf = ({ format, shape }: QuantizedTensor): Attrs => ({ format, shape })

/**
 * Hands blocks in GGUF's layout to the backend, which may put them in a layout of its own: no second copy. Consumes `packed`.
 *
 * @throws UnsupportedError for an unknown format, ShapeError where bytes and shape do not fit.
 */
export const packQuantized = (weight: QuantizedTensor): QuantizedTensor => ({
  ...weight,
  packed: execOne(packQuantizedOp, [weight.packed], attrsOf(weight)),
})

/** All values as f32, in the weight's shape; bit-equal on every backend. */
export const dequantize = (weight: QuantizedTensor): Tensor => tidy(() => reshape(dequantizeRows(weight, 0, leadingSize(weight.shape)), weight.shape))

/** Some of the rows before the last axis: f32 [count, D]. */
export const dequantizeRows = (weight: QuantizedTensor, start: number, count: number): Tensor => execOne(dequantizeOp, [weight.packed], { ...attrsOf(weight), start, count })

/**
 * x · Wᵀ for a quantized W [F, D]; x [..., D] → [..., F].
 *
 * @param options.activations `float` (default): x as it is; `int8`: x rounded to int8 in blocks of 32, which integer kernels are
 *   fast at. Which of them is used never depends on the number of rows.
 */
export const quantizedMatMul = (x: Tensor, weight: QuantizedTensor, options: { readonly activations?: 'float' | 'int8' | undefined } = {}): Tensor => {
  const { activations = 'float' } = options
  if (activations !== 'float' && activations !== 'int8') throw new ConfigError(`quantizedMatMul: expected activations "float" or "int8", got ${JSON.stringify(activations)}`)
  return execOne(quantizedMatMulOp, [x, weight.packed], { ...attrsOf(weight), activations })
}

/** Rows of a quantized table [V, D] by ids i32 [...] → f32 [..., D]. */
export const quantizedEmbedding = (table: QuantizedTensor, ids: Tensor): Tensor => execOne(quantizedEmbeddingOp, [table.packed, ids], attrsOf(table))
