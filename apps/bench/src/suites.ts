import type { Suite } from './suite.ts'
import { attention } from './suites/attention.ts'
import { curation } from './suites/curation.ts'
import { gemm } from './suites/gemm.ts'
import { generate } from './suites/generate.ts'
import { precision } from './suites/precision.ts'
import { size } from './suites/size.ts'
import { start } from './suites/start.ts'
import { tokenizer } from './suites/tokenizer.ts'
import { train } from './suites/train.ts'

export const suites: readonly Suite[] = [gemm, attention, train, precision, generate, tokenizer, curation, size, start]
