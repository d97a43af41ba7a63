// Entries of quantized weights.
import type { NativeOperations } from '../operation.ts'

export const quantized: NativeOperations = {}
