import { describe, it } from 'vitest'
import { createCpuBackend } from '../cpu.ts'
import { describeBackend } from './conformance.ts'

describeBackend({ describe, it }, 'cpu', createCpuBackend)
