// The kit's cases of optimizer steps, global norm and addInto, on every instruction set.
import { conformanceCases } from '@weft/tensor/testing'
import { afterAll, describe, it } from 'vitest'
import { createNativeBackend, type NativeBackend } from '../src/index.ts'
import { optimizers } from '../src/operations/optimizers.ts'

const cases = conformanceCases().filter(({ op }) => op !== undefined && Object.hasOwn(optimizers, op))

for (const [instructionSet, threads] of [['avx512', 2], ['avx2', 1], ['baseline', 3]] as const) {
  describe(`conformance of optimizers, ${instructionSet}, ${threads} threads`, () => {
    let backend: NativeBackend | undefined
    const create = (): NativeBackend => (backend = createNativeBackend({ instructionSet, threads }))
    afterAll(() => backend?.dispose())
    it.each(cases)('$name', ({ run }) => run(create))
  })
}
