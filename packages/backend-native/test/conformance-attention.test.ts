// Attention, rope, the cache and their gradients against the reference backend, for every instruction set, on one thread and on two.
import { conformanceCases } from '@weft/tensor/testing'
import { afterAll, describe, it } from 'vitest'
import { createNativeBackend, type InstructionSet, type NativeBackend } from '../src/index.ts'
import { attention } from '../src/operations/attention.ts'

const cases = conformanceCases().filter(({ op }) => op !== undefined && op in attention)

for (const instructionSet of ['avx512', 'avx2', 'baseline'] as const satisfies readonly InstructionSet[]) {
  for (const threads of [1, 2]) {
    describe(`attention, ${instructionSet}, threads: ${threads}`, () => {
      let backend: NativeBackend | undefined
      const create = (): NativeBackend => (backend = createNativeBackend({ instructionSet, threads }))
      afterAll(() => backend?.dispose())
      it.each(cases)('$name', ({ run }) => run(create))
    })
  }
}
