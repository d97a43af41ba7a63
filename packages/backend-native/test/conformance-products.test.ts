// Matrix products through the kit, for every instruction set; with one thread, with two, and with more than there are cores.
import { conformanceCases } from '@weft/tensor/testing'
import { afterAll, describe, it } from 'vitest'
import { createNativeBackend, type InstructionSet, type NativeBackend } from '../src/index.ts'
import { products } from '../src/operations/products.ts'
import { productCases } from './product-cases.ts'

const cases = conformanceCases({ cases: productCases }).filter(({ op }) => op !== undefined && (op in products || op === 'product'))

const settings: readonly (readonly [InstructionSet, number])[] = [['avx512', 2], ['avx2', 1], ['baseline', 3]]

describe.each(settings)('products, %s, threads: %i', (instructionSet, threads) => {
  let backend: NativeBackend | undefined
  const create = (): NativeBackend => (backend = createNativeBackend({ instructionSet, threads }))
  afterAll(() => backend?.dispose())
  it.each(cases)('$name', ({ run }) => run(create))
})
