import { describeBackend } from '@weft/tensor/testing'
import { describe, it } from 'vitest'
import { createTfjsBackend } from '../src/index.ts'
import { ownKernelCases } from './own-kernel-cases.ts'
import { tf } from './start-tfjs.ts'

describeBackend({ describe, it }, 'tfjs cpu', () => createTfjsBackend({ tf, backendName: 'cpu' }), { cases: ownKernelCases })
