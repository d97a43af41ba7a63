// The kit's cases of matrix products, at every instruction set, with one thread, with two, and with more than there are cores.
import { conformanceCases } from '@weft/tensor/testing'
import { describe, it } from 'vitest'
import { createNativeBackend, type InstructionSet } from '../src/index.ts'

const operations = new Set(['matMul', 'linear', 'expertLinear'])
const cases = conformanceCases().filter(({ op }) => op !== undefined && operations.has(op))

const settings: readonly (readonly [InstructionSet, number])[] = [['avx512', 2], ['avx2', 1], ['baseline', 3]]

describe.each(settings)('conformance of products: %s, %i threads', (instructionSet, threads) => {
  const create = () => createNativeBackend({ instructionSet, threads })
  it.each(cases)('$name', ({ run }) => run(create))
})
