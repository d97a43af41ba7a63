// What runs where tensors are out of reach (webgl, webgpu, tfjs-node), tried on the two backends of tfjs that run here: everything on
// wasm, and on cpu, whose kernels differ, the primitives that all else decomposes into.
import type { Backend } from '@weft/tensor'
import { conformanceCases, describeBackend } from '@weft/tensor/testing'
import { describe, it } from 'vitest'
import { createTfjsBackend } from '../src/index.ts'
import { tfjsKernels } from '../src/tfjs-kernels/table.ts'
import { tf } from './start-tfjs.ts'

const create = (backendName: string) => (): Promise<Backend> => createTfjsBackend({ tf, backendName, ownLoops: false })

describeBackend({ describe, it }, 'tfjs wasm, kernels of tfjs alone', create('wasm'))

describe('conformance of tfjs cpu, kernels of tfjs alone', () => {
  const onCpu = create('cpu')
  const cases = conformanceCases().filter(({ op }) => op === undefined || op in tfjsKernels)
  it.each(cases)('$name', ({ run }) => run(onCpu))
})
