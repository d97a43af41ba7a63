// Sample calls of every named operation, for the conformance kit.
import type { OpCase } from './op-case.ts'

export const opCases: readonly OpCase[] = []
