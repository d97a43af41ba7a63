// Prints the bits of products of every quantized format with int8 activations, one row and many, on an instruction set.
import { createHash } from 'node:crypto'
import { read, tensor } from '@weft/tensor'
import { packQuantized, quantizedMatMul } from '@weft/tensor/ops'
import { createSamples, int8Sample, quantizedSample } from '@weft/tensor/testing'
import { createNativeBackend, type InstructionSet } from '../../src/index.ts'
import { formats } from '../quantized-cases.ts'

const backend = createNativeBackend({ threads: 2, instructionSet: process.argv[2] as InstructionSet })
const hash = createHash('sha256')
for (const format of formats) {
  const { values } = quantizedSample(createSamples(1), format, [40, 512])
  const weight = packQuantized({ format, shape: [40, 512], packed: tensor(backend, values, [values.length], { dtype: 'u8' }) })
  for (const rows of [1, 7, 20]) {
    const x = tensor(backend, int8Sample(createSamples(2), [rows, 512]).values, [rows, 512])
    hash.update(new Uint8Array((await read(quantizedMatMul(x, weight, { activations: 'int8' }))).buffer))
  }
}
process.stdout.write(hash.digest('hex'))
await backend.dispose()
