// Models out of GGUF files: the same numbers as from safetensors, quantized matrices in place, errors that name the field.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { needsShared } from '@weft/fixtures'
import { fileSource } from '@weft/sources/node'
import { memory, noGrad, read, tensor, tidy, type Backend, type Operand } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { dequantize, type QuantizedFormat } from '@weft/tensor/ops'
import { openGguf, type WeightsFile } from '@weft/weights'
import { expect, test } from 'vitest'
import { generate, loadModel, modelFiles, type Model } from '../src/index.ts'
import { separateHalves } from '../src/quantized-weights.ts'

const stories = needsShared('data/stories260k-gguf')
const expectedFile = needsShared('data/stories260k/expected.json')

interface Expected {
  readonly generation: readonly { readonly prompt_ids: readonly number[]; readonly output_ids?: readonly number[] }[]
  readonly likelihood: readonly { readonly ids: readonly number[]; readonly mean_nll: number; readonly nll: readonly number[] }[]
}

const open = async (name: string): Promise<WeightsFile> => openGguf(await fileSource(join(stories.path, name)))

const load = async (backend: Backend, name: string, dtype: 'f32' | 'quantized', activations: 'float' | 'int8' = 'float'): Promise<Model> => {
  const weights = await open(name)
  try {
    return await loadModel({ weights, backend, dtype, activations })
  } finally {
    await weights.close()
  }
}

const logitsOf = async (model: Model, ids: readonly number[]): Promise<Float32Array> => {
  using logits = noGrad(() => tidy(() => model.forward({ tokenIds: tensor(model.backend, Int32Array.from(ids), [1, ids.length]) }).logits))
  return (await read(logits)) as Float32Array
}

const largestDifference = (a: Float32Array, b: Float32Array): number => a.reduce((worst, x, i) => Math.max(worst, Math.abs(x - b[i]!)), 0)

test.skipIf(stories.missing || expectedFile.missing)(`f32 gives the published likelihoods${stories.note}`, async () => {
  const { likelihood } = JSON.parse(readFileSync(expectedFile.path, 'utf8')) as Expected
  const model = await load(createCpuBackend(), 'stories260K.f32.gguf', 'f32')
  for (const { ids, ...rest } of likelihood) {
    const nll = (Object.values(rest).find(Array.isArray) ?? []) as readonly number[]
    const logits = await logitsOf(model, ids)
    const { vocabSize } = model.config
    const losses = ids.slice(1).map((id, i) => {
      const row = logits.subarray(i * vocabSize, (i + 1) * vocabSize)
      const peak = row.reduce((a, b) => Math.max(a, b), -Infinity)
      return Math.log(row.reduce((sum, x) => sum + Math.exp(x - peak), 0)) + peak - row[id]!
    })
    expect(nll.length).toBe(losses.length)
    losses.forEach((loss, i) => expect(loss).toBeCloseTo(nll[i]!, 3))
  }
  model.dispose()
})

test.skipIf(stories.missing)(`quantized in place computes what the widened matrices do${stories.note}`, async () => {
  const backend = createCpuBackend()
  const before = memory(backend).buffers
  const [wide, narrow, rounded] = [await load(backend, 'stories260K.q8_0.gguf', 'f32'), await load(backend, 'stories260K.q8_0.gguf', 'quantized'), await load(backend, 'stories260K.q8_0.gguf', 'quantized', 'int8')]
  const ids = [1, 403, 407, 261, 378, 5, 77]
  const expected = await logitsOf(wide, ids)
  expect(largestDifference(await logitsOf(narrow, ids), expected)).toBeLessThan(1e-4)
  expect(largestDifference(await logitsOf(rounded, ids), expected)).toBeLessThan(0.3) // of logits up to 15
  // Three matrices of a layer are one, and the embedding is the head too: nothing of them is held as f32.
  expect([...narrow.parameters().keys()].filter((name) => name.includes('qkv') || name.includes('token'))).toEqual([])
  const texts: number[][] = []
  for (const model of [wide, narrow]) {
    const row: number[] = []
    for await (const event of generate({ model, tokenIds: Uint32Array.of(1), maxNewTokens: 12, sampling: { temperature: 0 } })) if (event.kind === 'token') row.push(event.tokenId)
    texts.push(row)
  }
  expect(texts[1]).toEqual(texts[0])
  expect(() => modelFiles({ model: narrow })).toThrow(/quantized; load it with dtype 'f32'/)
  for (const model of [wide, narrow, rounded]) model.dispose()
  expect(memory(backend).buffers).toBe(before)
})

/** Its layout of packed blocks has every bit turned; only its own `dequantize` knows. */
const createPackingBackend = (): Backend => {
  const [backend, inside]: readonly [Backend, Backend] = [createCpuBackend(), createCpuBackend()]
  const turned = (x: Operand<unknown>): Uint8Array => (backend.readSync!(x) as Uint8Array).map((byte) => byte ^ 255)
  const kernels: Backend['kernels'] = {
    ...backend.kernels,
    packQuantized: ({ inputs: [x] }) => [backend.upload(turned(x as Operand<unknown>), (x as Operand<unknown>).shape, 'u8')],
    dequantize: ({ inputs: [x], attrs, outputs: [output] }) => {
      const values = tidy(() => dequantize({ format: attrs['format'] as QuantizedFormat, shape: attrs['shape'] as number[], packed: tensor(inside, turned(x as Operand<unknown>), [(x as Operand<unknown>).shape[0]!]) }))
      const bits = inside.readSync!({ data: values.storage('test').data, shape: values.shape, dtype: 'f32' })
      return [backend.upload(bits, output!.shape, 'f32')]
    },
  }
  return Object.assign(Object.create(backend) as Backend, { kernels })
}

test.skipIf(stories.missing)(`a backend with a layout of its own is given its own layout${stories.note}`, async () => {
  const ids = [1, 403, 407, 261]
  const [own, plain] = [await load(createPackingBackend(), 'stories260K.q8_0.gguf', 'f32'), await load(createCpuBackend(), 'stories260K.q8_0.gguf', 'f32')]
  expect(await logitsOf(own, ids)).toEqual(await logitsOf(plain, ids))
})

test('rows of a head whose pairs stand side by side come apart', () => {
  expect([...separateHalves(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7), 8, 1)]).toEqual([0, 2, 4, 6, 1, 3, 5, 7])
  expect([...separateHalves(Uint8Array.of(0, 0, 1, 1, 2, 2, 3, 3), 4, 1)]).toEqual([0, 0, 2, 2, 1, 1, 3, 3])
  expect([...separateHalves(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7), 8, 2)]).toEqual([0, 2, 1, 3, 4, 6, 5, 7])
})

const changed = async (change: (file: { metadata: Map<string, unknown>; tensors: Map<string, unknown> }) => void): Promise<WeightsFile> => {
  const file = await open('stories260K.f32.gguf')
  const copy = { ...file, metadata: new Map(file.metadata), tensors: new Map(file.tensors) }
  change(copy)
  return copy
}

test.skipIf(stories.missing)(`what the model cannot be is named${stories.note}`, async () => {
  const backend = createCpuBackend()
  const problem = async (change: Parameters<typeof changed>[0]): Promise<string> => {
    const weights = await changed(change)
    return loadModel({ weights, backend })
      .then(() => 'loaded', (error: Error) => error.message)
      .finally(() => weights.close())
  }
  expect(await problem(({ metadata }) => metadata.set('general.architecture', 'rwkv6'))).toMatch(/general.architecture "rwkv6" is not supported; only gpt2, llama/)
  expect(await problem(({ metadata }) => metadata.set('llama.attention.clamp', 5))).toMatch(/unknown field that may change the numbers: attention.clamp = 5/)
  expect(await problem(({ metadata }) => metadata.set('llama.rope.scaling.type', 'yarn'))).toMatch(/rope.scaling.type "yarn" is not supported/)
  expect(await problem(({ metadata }) => metadata.delete('llama.block_count'))).toMatch(/block_count must be a number, got nothing/)
  expect(await problem(({ tensors }) => tensors.delete('blk.2.ffn_up.weight'))).toMatch(/has no tensor blk.2.ffn_up.weight/)
  expect(await problem(({ tensors }) => tensors.set('rope_freqs.weight', tensors.get('output_norm.weight')))).toMatch(/rope_freqs.weight/)
  expect(await problem(({ tensors }) => tensors.delete('token_embd.weight'))).toMatch(/token_embd.weight/)
  expect(memory(backend).buffers).toBe(0)
})
