// Entries of sampleToken, topK, argMax.
import type { NativeOperations } from '../operation.ts'

export const sampling: NativeOperations = {}
