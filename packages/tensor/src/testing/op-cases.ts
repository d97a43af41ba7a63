// Sample calls of every named operation, for the conformance kit. Backward operations are called by the gradients of their forward ones.
import { attentionCases } from './attention-cases.ts'
import { layerCases } from './layer-cases.ts'
import { lossCases } from './loss-cases.ts'
import type { OpCase } from './op-case.ts'
import { quantizedCases } from './quantized-cases.ts'
import { tokenCases } from './token-cases.ts'

export const opCases: readonly OpCase[] = [...layerCases, ...attentionCases, ...lossCases, ...tokenCases, ...quantizedCases]
