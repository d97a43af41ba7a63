// Entries of embedding and its gradient, cumulative sums.
import type { NativeOperations } from '../operation.ts'

export const lookups: NativeOperations = {}
