// Entries of matrix products: matMul, linear, expertLinear and their gradients.
import { choice, list, number, type NativeOperations } from '../operation.ts'

const layout = choice('layout', ['outIn', 'inOut'])
/** In the order of `Activation` in native/kernels/gemm.h. */
const activation = choice('activation', ['none', 'gelu', 'geluTanh', 'silu', 'relu'])

export const products: NativeOperations = {
  matMul: { attributes: [number('transposeA'), number('transposeB')] },
  linear: { attributes: [layout, activation] },
  linearBackward: { attributes: [list('needs'), layout, activation] },
  expertLinear: {},
  expertLinearBackward: { attributes: [list('needs')] },
}
