// Entries of optimizer steps over many tensors, global norm, addInto.
import type { NativeOperations } from '../operation.ts'

export const optimizers: NativeOperations = {}
