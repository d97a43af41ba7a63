// Entries of matrix products: matMul, linear, expertLinear and their gradients.
import type { NativeOperations } from '../operation.ts'

export const products: NativeOperations = {}
