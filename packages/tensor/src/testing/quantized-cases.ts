// Sample calls over block-quantized weights, as each backend packs them. The bytes are random but for the scales, which are ordinary
// numbers. More rows than a kernel is likely to interleave, and some left over.
import { float32ToFloat16 } from '../dtype.ts'
import { blockLayout, quantizedFormats } from '../ops/quantized-format.ts'
import { dequantizeOp, packQuantizedOp, quantizedEmbeddingOp, quantizedMatMulOp } from '../ops/quantized-mat-mul.ts'
import type { QuantizedFormat } from '../ops/weight.ts'
import { sizeOf, type Shape } from '../shape.ts'
import { caseOf, withoutGradients } from './case-of.ts'
import type { OpCase, Samples, SampleTensor } from './op-case.ts'

/** Where in a block the half-precision numbers stand. */
const halves: Readonly<Record<QuantizedFormat, readonly number[]>> = {
  q8_0: [0], q4_0: [0], q4_1: [0, 2], q5_0: [0], q5_1: [0, 2], q2_k: [80, 82], q3_k: [108], q4_k: [0, 2], q5_k: [0, 2], q6_k: [208], iq4_nl: [0], iq4_xs: [0], mxfp4: [],
}

/** Random blocks of a weight, in GGUF's layout. */
const blocksOf = (s: Samples, format: QuantizedFormat, shape: Shape): SampleTensor => {
  const { valuesPerBlock, bytesPerBlock } = blockLayout('sample', format)
  const count = sizeOf(shape) / valuesPerBlock
  const spread = valuesPerBlock === 32 ? 0.02 : 0.002 // sub-blocks have scales of their own; weights shall stay below 8 or so
  const bytes = Uint8Array.from(s.bytes([count * bytesPerBlock], 256).values)
  for (let block = 0; block < count; block++) {
    for (const offset of halves[format]) {
      const bits = float32ToFloat16((s.next() - 0.5) * spread)
      bytes.set([bits & 255, bits >>> 8], block * bytesPerBlock + offset)
    }
    if (format === 'mxfp4') bytes[block * bytesPerBlock] = 120 + Math.floor(s.next() * 6) // powers of two
  }
  return { values: bytes, shape: [bytes.length], dtype: 'u8' }
}

/** A random weight as the backend packs it. */
export const quantizedSample = (s: Samples, format: QuantizedFormat, shape: Shape): SampleTensor => ({ ...blocksOf(s, format, shape), pack: { format, shape } })

/** Activations that no rounding error carries over the border between two int8 values: near whole multiples of a step of their block. */
export const int8Sample = (s: Samples, shape: Shape): SampleTensor => {
  const values = Float32Array.from({ length: sizeOf(shape) }, () => Math.floor(s.next() * 253) - 126 + (s.next() - 0.5) * 0.6)
  for (let block = 0; block < values.length; block += 32) {
    values[block + Math.floor(s.next() * 32)] = s.next() < 0.5 ? -127 : 127
    const step = 2 ** -6 * (0.5 + s.next())
    for (let i = block; i < block + 32; i++) values[i]! *= step
  }
  return { values, shape, dtype: 'f32' }
}

export const quantizedCases: readonly OpCase[] = quantizedFormats.flatMap((format) => {
  const shape = [19, 512]
  const weight = (s: Samples): SampleTensor => quantizedSample(s, format, shape)
  const exact = { tolerance: { rtol: 0, atol: 0 } }
  const product = { rows: ['x'], tolerance: { rtol: 1e-5, atol: 5e-5 } }
  return [
    caseOf(dequantizeOp, format, { format, shape, start: 0, count: 19 }, (s) => [weight(s)], exact),
    caseOf(dequantizeOp, `${format}, rows in the middle`, { format, shape, start: 3, count: 14 }, (s) => [weight(s)], exact),
    caseOf(quantizedMatMulOp, format, { format, shape, activations: 'float' }, (s) => [s.normal([2, 2, 512]), weight(s)], product),
    caseOf(quantizedMatMulOp, `${format}, int8 activations`, { format, shape, activations: 'int8' }, (s) => [int8Sample(s, [3, 3, 512]), weight(s)], { ...withoutGradients, ...product }),
    caseOf(quantizedEmbeddingOp, format, { format, shape }, (s) => [weight(s), s.values([2, 3], [2, 0, 18, 19, 15, -1], 'i32')], withoutGradients),
    // What comes out is the backend's own affair; the others read it.
    caseOf(packQuantizedOp, format, { format, shape }, (s) => [blocksOf(s, format, shape)], { ...withoutGradients, uncompared: [0] }),
  ]
})
