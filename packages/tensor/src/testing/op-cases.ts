// Sample calls of every named operation, for the conformance kit.
import { attentionCases } from './attention-cases.ts'
import { layerCases } from './layer-cases.ts'
import { lossCases } from './loss-cases.ts'
import type { OpCase } from './op-case.ts'

export const opCases: readonly OpCase[] = [...layerCases, ...attentionCases, ...lossCases]
