import { describe, it } from 'vitest'
import { createCpuBackend } from '../cpu.ts'
import { describeBackend } from './describe-backend.ts'

describeBackend({ describe, it }, 'cpu', createCpuBackend)
