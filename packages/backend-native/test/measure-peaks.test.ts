// The limits that benches compare with: there, in the order that instruction sets have, and refused for senseless amounts of work.
import { type Kernel } from '@weft/tensor'
import { afterEach, expect, it } from 'vitest'
import { measurePeaks } from '../src/bench.ts'
import { createNativeBackend, type InstructionSet, type NativeBackend, type NativeBuffer } from '../src/index.ts'

const open: NativeBackend[] = []
const start = (instructionSet?: InstructionSet): NativeBackend => {
  const backend = createNativeBackend({ threads: 1, instructionSet })
  open.push(backend)
  return backend
}

afterEach(async () => {
  for (const backend of open.splice(0)) await backend.dispose()
})

it.each(['avx512', 'avx2', 'baseline'] as const)('%s: every limit is a rate, or 0 where there is no instruction for it', async (instructionSet) => {
  const backend = start(instructionSet)
  const peaks = await measurePeaks(backend)
  expect(peaks.fmaGflops).toBeGreaterThan(0)
  expect(peaks.readGBps).toBeGreaterThan(0)
  for (const rate of [peaks.bf16Gflops, peaks.int8Gops]) {
    expect(Number.isFinite(rate)).toBe(true)
    if (backend.instructionSet !== 'avx512') expect(rate).toBe(0)
  }
  expect(backend.memory().buffers).toBe(0)
})

it.each([
  ['measureFma', { iterations: 0 }, 'measureFma: expected 1 to 2^40 iterations, got 0'],
  ['measureInt8', { iterations: -5 }, 'measureInt8: expected 1 to 2^40 iterations, got -5'],
  ['measureRead', { bytes: 10 }, 'measureRead: expected 1 MB to 64 GB, got 10 bytes'],
])('%s refuses %o', async (name, attrs, message) => {
  const backend = start()
  const output = { shape: [1], dtype: 'f32' } as const
  const [data] = (backend.kernels[name] as Kernel<NativeBuffer>)({ inputs: [], donated: [], attrs, outputs: [output] })
  await expect(backend.read({ ...output, data: data! })).rejects.toThrow(message)
})
