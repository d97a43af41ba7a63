// Norms, activations, dropout, lookups and losses on every instruction set that this processor has.
import type { Backend } from '@weft/tensor'
import { conformanceCases } from '@weft/tensor/testing'
import { describe, it } from 'vitest'
import { createNativeBackend, type InstructionSet } from '../src/index.ts'
import { activations } from '../src/operations/activations.ts'
import { lookups } from '../src/operations/lookups.ts'
import { losses } from '../src/operations/losses.ts'
import { norms } from '../src/operations/normalization.ts'
import { layerCases } from './layer-cases.ts'
import { lossCases } from './loss-cases.ts'
import { normCases } from './norm-cases.ts'

const operations = { ...activations, ...lookups, ...losses, ...norms }
const cases = conformanceCases({ cases: [...normCases, ...layerCases, ...lossCases] }).filter(({ op }) => op !== undefined && Object.hasOwn(operations, op))

/** The reference in f64 cannot mix its statistics with halves: backward operations of halves are compared with their decomposition alone. */
const isMixed = (name: string): boolean => /^values\/\w+Backward\/.*(bf16|f16)/.test(name)

const onInstructionSet = (instructionSet: InstructionSet, threads: number) => (): Backend => createNativeBackend({ instructionSet, threads })

for (const [instructionSet, threads] of [['avx512', 2], ['avx2', 1], ['baseline', 3]] as const) {
  describe(`conformance of layers, ${instructionSet}, ${threads} threads`, () => {
    const create = onInstructionSet(instructionSet, threads)
    it.each(cases.filter(({ name }) => !isMixed(name)))('$name', ({ run }) => run(create))
  })
}
