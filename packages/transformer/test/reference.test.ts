import { createCpuBackend } from '@weft/tensor/cpu'
import { needsShared } from '@weft/fixtures'
import { describe, expect, test } from 'vitest'
import { adapterReferenceRun, referenceRun, type Deviation } from '../src/testing.ts'
import { fixturePath, folderAt } from './support.ts'

/** What is not within its tolerance; all of it where too little was compared. */
const failing = (deviations: readonly Deviation[]): readonly Deviation[] => deviations.filter(({ passes }) => !passes || deviations.length < 7)

describe.each(['gpt2', 'llama-tied'])('%s as in PyTorch', (name) => {
  test.each([
    ['config.json', 'f32'],
    ['config.legacy.json', 'f64'],
  ] as const)('%s in %s', async (config, dtype) => {
    const backend = createCpuBackend()
    expect(failing(await referenceRun({ backend, config, dtype, ...folderAt(fixturePath(name)) }))).toEqual([])
    expect(backend.memory().buffers).toBe(0)
  })
})

const llama3 = needsShared('golden/models/llama')
test.skipIf(llama3.missing)(`llama with an untied head and llama3 rope scaling as in PyTorch${llama3.note}`, async () => {
  expect(failing(await referenceRun({ backend: createCpuBackend(), ...folderAt(llama3.path) }))).toEqual([])
})

test('LoRA on two projections as in PEFT', async () => {
  const backend = createCpuBackend()
  expect(failing(await adapterReferenceRun({ backend, base: folderAt(fixturePath('llama-tied')), ...folderAt(fixturePath('lora')) }))).toEqual([])
  expect(backend.memory().buffers).toBe(0)
})

const loraAll = needsShared('golden/peft/lora-all')
test.skipIf(loraAll.missing)(`rank-stabilised LoRA on every projection as in PEFT${loraAll.note}`, async () => {
  expect(failing(await adapterReferenceRun({ backend: createCpuBackend(), base: folderAt(fixturePath('llama-tied')), ...folderAt(loraAll.path) }))).toEqual([])
})

test('a wrong weight is noticed', async () => {
  const folder = folderAt(fixturePath('gpt2'))
  const { open } = folderAt(fixturePath('gpt2'))
  const damaged = {
    open: async (file: string) => {
      const source = await open(file)
      if (file !== 'model.safetensors') return source
      return {
        ...source,
        read: async (offset: number, length: number, into?: Uint8Array) => {
          const bytes = await source.read(offset, length, into)
          if (length === 32 * 4) bytes.fill(0) // every vector of the model's width: norms and biases
          return bytes
        },
      }
    },
  }
  const wrong = await referenceRun({ backend: createCpuBackend(), ...folder, ...damaged })
  expect(failing(wrong).map(({ quantity }) => quantity)).toContain('logits')
})
