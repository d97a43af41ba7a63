// Sample calls over block-quantized weights. The bytes are random but for the scales, which are ordinary half-precision numbers.
import { float32ToFloat16 } from '../dtype.ts'
import { blockLayout } from '../ops/quantized-format.ts'
import { dequantizeOp, packQuantizedOp, quantizedEmbeddingOp, quantizedMatMulOp } from '../ops/quantized-mat-mul.ts'
import type { QuantizedFormat } from '../ops/weight.ts'
import { caseOf, withoutGradients } from './case-of.ts'
import type { OpCase, Samples, SampleTensor } from './op-case.ts'

/** Where in a block the half-precision numbers stand. */
const halves: Readonly<Record<QuantizedFormat, readonly number[]>> = { q8_0: [0], q4_0: [0], q4_1: [0, 2], q4_k: [0, 2], q6_k: [208] }

/** Blocks for `values` numbers. */
const blocks = (s: Samples, format: QuantizedFormat, values: number): SampleTensor => {
  const { valuesPerBlock, bytesPerBlock } = blockLayout('sample', format)
  const count = values / valuesPerBlock
  const bytes = Uint8Array.from(s.bytes([count * bytesPerBlock], 256).values)
  for (let block = 0; block < count; block++) {
    for (const offset of halves[format]) {
      const bits = float32ToFloat16((s.next() - 0.5) * 0.02)
      bytes.set([bits & 255, bits >>> 8], block * bytesPerBlock + offset)
    }
  }
  return { values: bytes, shape: [bytes.length], dtype: 'u8' }
}

const formats = Object.keys(halves) as QuantizedFormat[]

export const quantizedCases: readonly OpCase[] = formats.flatMap((format) => {
  const shape = [3, 512]
  const weight = (s: Samples): SampleTensor => blocks(s, format, 3 * 512)
  return [
    caseOf(dequantizeOp, format, { format, shape, start: 0, count: 3 }, (s) => [weight(s)], { tolerance: { rtol: 0, atol: 0 } }),
    caseOf(dequantizeOp, `${format}, the middle row`, { format, shape, start: 1, count: 1 }, (s) => [weight(s)], { tolerance: { rtol: 0, atol: 0 } }),
    caseOf(quantizedMatMulOp, format, { format, shape, activations: 'float' }, (s) => [s.normal([2, 2, 512]), weight(s)], { rows: ['x'], tolerance: { rtol: 1e-5, atol: 5e-5 } }),
    caseOf(quantizedEmbeddingOp, format, { format, shape }, (s) => [weight(s), s.values([2, 2], [2, 0, 1, 3], 'i32')], withoutGradients),
    caseOf(packQuantizedOp, format, { format, shape }, (s) => [weight(s)], withoutGradients),
  ]
})
