// Entries of matrix products: matMul, linear, expertLinear and their gradients.
import { number, type NativeOperations } from '../operation.ts'

export const products: NativeOperations = {
  matMul: { attributes: [number('transposeA'), number('transposeB')] },
}
