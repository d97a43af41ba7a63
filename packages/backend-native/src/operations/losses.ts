// Entries of cross entropies.
import type { NativeOperations } from '../operation.ts'

export const losses: NativeOperations = {}
