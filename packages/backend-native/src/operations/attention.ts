// Entries of attention, rope, the cache, and their gradients.
import type { NativeOperations } from '../operation.ts'

export const attention: NativeOperations = {}
