import { describe, it } from 'vitest'
import { describeBackend } from '@weft/tensor/testing'
import { createToyBackend } from '../examples/toy-backend.ts'

describeBackend({ describe, it }, 'the toy of the guide', createToyBackend)
