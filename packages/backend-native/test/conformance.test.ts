// The whole kit on every instruction set that this processor has.
import { describeBackend } from '@weft/tensor/testing'
import { describe, it } from 'vitest'
import { createNativeBackend, type InstructionSet } from '../src/index.ts'

const reasonAgainst = (instructionSet: InstructionSet): string | undefined => {
  try {
    void createNativeBackend({ instructionSet, threads: 1 }).dispose()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

for (const instructionSet of ['avx512', 'avx2', 'baseline'] as const) {
  const reason = reasonAgainst(instructionSet)
  describe.skipIf(reason !== undefined)(`native ${instructionSet}${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
    describeBackend({ describe, it }, instructionSet, () => createNativeBackend({ instructionSet, threads: 2 }))
  })
}
