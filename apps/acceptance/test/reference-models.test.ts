// Tiny GPT-2 and Llama models on every backend against PyTorch: logits, hidden states, attentions, loss, every gradient, ten AdamW
// losses, greedy text; and a LoRA adapter. The reference backend runs the same in the transformer's own tests.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bytesSource } from '@weft/sources'
import { adapterReferenceRun, referenceRun, type Deviation } from '@weft/transformer/testing'
import { describe, expect, test } from 'vitest'
import { startTfjs } from './start-tfjs.ts'
import { repositoryRoot } from './workspace.ts'

const fixtures = join(repositoryRoot, 'packages', 'transformer', 'test', 'fixtures')
const folder = (name: string) => ({ open: async (file: string) => bytesSource(file, readFileSync(join(fixtures, name, file))) })

const failures = (deviations: readonly Deviation[]) => deviations.filter(({ passes }) => !passes)

describe.each(['cpu', 'wasm'] as const)('tfjs %s', (name) => {
  test.each(['gpt2', 'llama-tied'])('%s equals PyTorch and leaves no buffer behind', async (model) => {
    const backend = await startTfjs(name)
    const before = backend.memory().buffers
    const deviations = await referenceRun({ ...folder(model), backend })
    expect(deviations.length).toBeGreaterThan(5)
    expect(failures(deviations)).toEqual([])
    expect(backend.memory().buffers).toBe(before)
  })

  test('a LoRA adapter equals peft', async () => {
    const backend = await startTfjs(name)
    expect(failures(await adapterReferenceRun({ ...folder('lora'), base: folder('llama-tied'), backend }))).toEqual([])
  })
})
