// What runs where tensors are out of reach (webgl, webgpu, tfjs-node), tried on the two backends of tfjs that run here.
import { describeBackend } from '@weft/tensor/testing'
import { describe, it } from 'vitest'
import { createTfjsBackend } from '../src/index.ts'
import { tf } from './start-tfjs.ts'

describeBackend({ describe, it }, 'tfjs cpu, kernels of tfjs alone', () => createTfjsBackend({ tf, backendName: 'cpu', ownLoops: false }))
describeBackend({ describe, it }, 'tfjs wasm, kernels of tfjs alone', () => createTfjsBackend({ tf, backendName: 'wasm', ownLoops: false }))
