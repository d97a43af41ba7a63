// A process of its own that trains a model for some steps and prints the peak of its memory: one JSON argument in, one JSON line out.
import { createNativeBackend } from '@weft/backend-native'
import { createCpuBackend } from '@weft/tensor/cpu'
import { gptShapes } from './gpt-shapes.ts'
import { peakMemoryBytes } from './peak-memory.ts'
import { fixedBatches, startTrainingRun } from './training-run.ts'

export interface TrainingMemoryRequest {
  readonly backend: 'native' | 'reference'
  readonly shape: keyof typeof gptShapes
  readonly precision: 'f32' | 'bf16'
  readonly threads: number
  readonly steps: number
}

const request = JSON.parse(process.argv[2]!) as TrainingMemoryRequest
const shape = gptShapes[request.shape]
const backend = request.backend === 'native' ? createNativeBackend({ threads: request.threads }) : createCpuBackend()
const run = startTrainingRun({ backend, shape, batches: fixedBatches(shape), precision: request.precision, steps: request.steps })
await run.advance()
await run.dispose()
await backend.dispose()
process.stdout.write(`${JSON.stringify({ bytes: peakMemoryBytes() })}\n`)
