// Sample calls of quantized weights that lead into every branch of the kernels: groups of rows that are full or not, one block and
// several, one row of activations up to many tiles of them, chunks of columns, halves, nothing at all.
import type { QuantizedFormat } from '@weft/tensor/ops'
import { int8Sample, quantizedSample, type OpCase, type Samples, type SampleTensor, type Tolerance } from '@weft/tensor/testing'
import { opOf, rounded, tolerances, type FloatDType } from './samples.ts'

export const formats: readonly QuantizedFormat[] = ['q8_0', 'q4_0', 'q4_1', 'q5_0', 'q5_1', 'q2_k', 'q3_k', 'q4_k', 'q5_k', 'q6_k', 'iq4_nl', 'iq4_xs', 'mxfp4']

export const blockOf = (format: QuantizedFormat): number => (format.endsWith('_k') || format === 'iq4_xs' ? 256 : 32)

interface Product {
  readonly format: QuantizedFormat
  readonly rows: number
  readonly outputs: number
  readonly width: number
  readonly dtype?: FloatDType
  readonly tolerance?: Tolerance
}

const product = ({ format, rows, outputs, width, dtype = 'f32', tolerance }: Product, activations: 'float' | 'int8'): OpCase => {
  const x = (s: Samples): SampleTensor => (activations === 'int8' ? int8Sample(s, [rows, width]) : s.normal([rows, width]))
  return {
    op: opOf('quantizedMatMul'),
    name: `${format}: ${rows} × ${width} by ${outputs}, ${dtype}, ${activations}`,
    make: (s) => ({ inputs: [dtype === 'f32' ? x(s) : rounded(s, x(s), dtype), quantizedSample(s, format, [outputs, width])], attrs: { format, shape: [outputs, width], activations } }),
    gradients: activations === 'float' && dtype === 'f32' && rows > 0 && rows < 5 && outputs > 0,
    ...(rows > 1 ? { rows: ['x'] } : {}),
    tolerance: tolerance ?? (dtype === 'f32' ? { rtol: 1e-5, atol: 1e-4 } : tolerances[dtype]),
  }
}

const small = formats.flatMap((format) => {
  const block = blockOf(format)
  return [
    { format, rows: 1, outputs: 1, width: block },
    { format, rows: 1, outputs: 50, width: 3 * block },
    { format, rows: 2, outputs: 16, width: block },
    { format, rows: 4, outputs: 32, width: 2 * block },
    { format, rows: 23, outputs: 47, width: 3 * block },
  ]
})

/** Sums of thousands of numbers of some hundred. */
const wide: Tolerance = { rtol: 1e-5, atol: 2e-3 }

const special: readonly Product[] = [
  { format: 'q4_1', rows: 77, outputs: 18, width: 4352, tolerance: wide },
  { format: 'q6_k', rows: 77, outputs: 40, width: 4352, tolerance: wide },
  { format: 'q4_1', rows: 9, outputs: 1040, width: 64 },
  { format: 'q8_0', rows: 1, outputs: 1039, width: 96 },
  { format: 'q8_0', rows: 0, outputs: 20, width: 64 },
  { format: 'q4_0', rows: 3, outputs: 0, width: 64 },
  { format: 'q5_k', rows: 3, outputs: 5, width: 0 },
]

const bySize = [...small, ...special].flatMap((one) => (['float', 'int8'] as const).map((activations) => product(one, activations)))

/** Halves of int8 samples may round to another int8 value, so there are none. */
const inHalves = (['bf16', 'f16'] as const).flatMap((dtype) => [1, 7].map((rows) => product({ format: 'q4_1', rows, outputs: 37, width: 96, dtype }, 'float')))

export const quantizedCases: readonly OpCase[] = [...bySize, ...inHalves]
