// Softmax, running sums, largest elements and sampling on every instruction set, on one thread and on more.
import { conformanceCases } from '@weft/tensor/testing'
import { describe, it } from 'vitest'
import { createNativeBackend, type InstructionSet } from '../src/index.ts'
import { softmaxes } from '../src/operations/normalization.ts'
import { sampling } from '../src/operations/sampling.ts'
import { tokenCases } from './token-cases.ts'

const operations = { ...softmaxes, ...sampling, cumSum: {} }
const cases = conformanceCases({ cases: tokenCases }).filter(({ op }) => op !== undefined && Object.hasOwn(operations, op))

const settings: readonly (readonly [InstructionSet, number])[] = [['avx512', 2], ['avx2', 1], ['baseline', 3]]

describe.each(settings)('conformance of tokens: %s, %i threads', (instructionSet, threads) => {
  const create = () => createNativeBackend({ instructionSet, threads })
  it.each(cases)('$name', ({ run }) => run(create))
})
