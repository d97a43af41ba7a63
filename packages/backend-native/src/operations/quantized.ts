// Entries of quantized weights. The kernels read the layout of `packQuantized` alone, so they take all formats, or none would fit another.
import type { Meta, Slot } from '@weft/tensor'
import { choice, list, number, type NativeOperations } from '../operation.ts'

/** The order of QuantizedFormat in native/kernels/quantized-format.h. */
const formats = ['q8_0', 'q4_0', 'q4_1', 'q5_0', 'q5_1', 'q2_k', 'q3_k', 'q4_k', 'q5_k', 'q6_k', 'iq4_nl', 'iq4_xs', 'mxfp4']

/** Which weight it is: first among the attributes of all of them. */
const weight = [choice('format', formats), list('shape')]

const floats: ReadonlySet<string> = new Set(['f32', 'bf16', 'f16'])
const isFloat = (slot: Slot<Meta>): boolean => floats.has((slot as Meta).dtype)

export const quantized: NativeOperations = {
  packQuantized: { attributes: weight, reuses: [[0, 0]] },
  dequantize: { attributes: [...weight, number('start'), number('count')] },
  quantizedMatMul: { attributes: [...weight, choice('activations', ['float', 'int8'])], supports: ([x]) => isFloat(x) },
  quantizedMatMulBackward: { attributes: weight, supports: ([, gradient]) => isFloat(gradient) },
  quantizedEmbedding: { attributes: weight },
}
