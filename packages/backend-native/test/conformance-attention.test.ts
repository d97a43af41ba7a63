// Attention, rope, the cache and their gradients on every instruction set.
import type { Backend } from '@weft/tensor'
import { conformanceCases } from '@weft/tensor/testing'
import { describe, it } from 'vitest'
import { createNativeBackend, type InstructionSet } from '../src/index.ts'
import { attention } from '../src/operations/attention.ts'
import { attentionCases } from './attention-cases.ts'

const cases = conformanceCases({ cases: attentionCases }).filter(({ op }) => op !== undefined && Object.hasOwn(attention, op))

/** The reference in f64 cannot mix its statistics with halves: the backward operation of halves is compared with its decomposition alone. */
const isMixed = (name: string): boolean => /^values\/attentionBackward\/(bf16|f16)/.test(name)

const onInstructionSet = (instructionSet: InstructionSet, threads: number) => (): Backend => createNativeBackend({ instructionSet, threads })

for (const [instructionSet, threads] of [['avx512', 2], ['avx2', 1], ['baseline', 3]] as const) {
  describe(`conformance of attention, ${instructionSet}, ${threads} threads`, () => {
    const create = onInstructionSet(instructionSet, threads)
    it.each(cases.filter(({ name }) => !isMixed(name)))('$name', ({ run }) => run(create))
  })
}
