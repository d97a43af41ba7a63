import { read } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { expect, test } from 'vitest'
import { createAdapter, createModel, type ModelConfigOptions } from '../src/index.ts'
import { adamWLosses, nextTokenBatch } from '../src/testing/training.ts'
import { onCpu, tinyConfig } from './support.ts'

// Text with something to learn: after k comes 3k + 1.
const ids = Int32Array.from({ length: 4 * 12 }, (_, i) => Array.from({ length: i % 12 }).reduce((x: number) => (3 * x + 1) % 37, 5 + Math.floor(i / 12)))
const batch = nextTokenBatch(ids, [4, 12])

test.each<[string, ModelConfigOptions]>([
  ['a GPT-2', tinyConfig('gpt2', { initializerRange: 0.02 })],
  ['a Llama', tinyConfig('llama', { initializerRange: 0.02 })],
  ['a Llama with biases, an untied head and one key head', tinyConfig('llama', { initializerRange: 0.02, tieEmbeddings: false, numKvHeads: 1, biases: { attention: true, feedForward: true } })],
])('%s from scratch starts at ln V and learns', (_, config) =>
  onCpu(async (backend) => {
    const model = createModel(config, { backend, seed: 1 })
    const losses = await adamWLosses(model, batch, { parameters: [...model.parameters().values()], steps: 30 })
    expect(Math.abs(losses[0]! - Math.log(40))).toBeLessThan(0.2)
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.3)
    model.dispose()
  }))

test('the same seed gives the same model, another seed another', async () => {
  const values = (seed: number) => read(createModel(tinyConfig('llama'), { backend: createCpuBackend(), seed }).parameters().get('layers.1.attention.qkv.weight')!.value)
  expect(await values(1)).toEqual(await values(1))
  expect(await values(1)).not.toEqual(await values(2))
})

test('GPT-2’s projections into the residual stream start narrower', async () => {
  const backend = createCpuBackend()
  const model = createModel(tinyConfig('gpt2', { dModel: 64, numLayers: 8, initializerRange: 0.02 }), { backend, seed: 1 })
  const deviation = async (name: string): Promise<number> => {
    const values = Float64Array.from(await read(model.parameters().get(name)!.value))
    return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length)
  }
  expect(await deviation('layers.0.attention.qkv.weight')).toBeCloseTo(0.02, 3)
  expect(await deviation('layers.0.attention.output.weight')).toBeCloseTo(0.02 / 4, 3)
})

test('an adapter learns while the base stays as it is', () =>
  onCpu(async (backend) => {
    const model = createModel(tinyConfig('llama'), { backend, seed: 1 })
    const before = [...model.baseParameters().values()].map(({ value }) => value)
    const adapter = createAdapter(model, { kind: 'lora', rank: 4, seed: 1 })
    const losses = await adamWLosses(model.withAdapters([adapter]), batch, { parameters: [...adapter.parameters().values()], steps: 20 })
    expect(losses.at(-1)!).toBeLessThan(losses[0]!)
    expect([...model.baseParameters().values()].map(({ value }) => value)).toEqual(before)
    adapter.dispose()
    model.dispose()
  }))
