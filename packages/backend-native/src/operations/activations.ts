// Entries of activations, dropout and their gradients.
import type { NativeOperations } from '../operation.ts'

export const activations: NativeOperations = {}
