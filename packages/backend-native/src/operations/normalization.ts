// Entries of norms, softmax and their gradients.
import type { NativeOperations } from '../operation.ts'

export const normalization: NativeOperations = {}
