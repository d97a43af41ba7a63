import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesSource } from '@weft/sources'
import { randomKey, tensor, type Backend } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { openSafetensors } from '@weft/weights'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createAdapter, loadAdapter, mergeAdapter, type Adapter, type CreateAdapterOptions, type Model } from '../src/index.ts'
import { loadPretrainedAdapter, saveAdapter } from '../src/node.ts'
import { difference, fixturePath, logitsOf, onCpu, tinyModel } from './support.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-adapter-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const rows = [[1, 2, 3, 4], [9, 8, 7, 0]]

/** An adapter that does something: B is no longer 0. */
const activeAdapter = (model: Model, backend: Backend, options: Partial<CreateAdapterOptions> = {}): Adapter => {
  const adapter = createAdapter(model, { kind: 'lora', rank: 2, seed: 1, ...options })
  let salt = 0
  for (const parameter of adapter.parameters().values()) {
    if (!parameter.name.includes('lora_B')) continue
    salt++
    const { shape, size } = parameter.value
    parameter.assign({ value: tensor(backend, Float32Array.from({ length: size }, (_, i) => Math.sin(i * 7 + salt) / 4), shape) })
  }
  return adapter
}

describe.each(['gpt2', 'llama'] as const)('%s', (family) => {
  test('a new adapter changes nothing; an active one does, and merging it gives the same', () =>
    onCpu(async (backend) => {
      const model = tinyModel(backend, family)
      const plain = await logitsOf(model, rows)
      const fresh = createAdapter(model, { kind: 'lora', rank: 2, seed: 1 })
      expect(await logitsOf(model.withAdapters([fresh]), rows)).toEqual(plain)
      for (const targetModules of ['all-linear', family === 'gpt2' ? ['c_attn'] : ['q_proj', 'v_proj'], family === 'gpt2' ? ['c_fc', 'mlp.c_proj'] : ['gate_proj', 'down_proj']] as const) {
        const adapter = activeAdapter(model, backend, { targetModules, rankStabilized: true })
        const adapted = await logitsOf(model.withAdapters([adapter]), rows)
        expect(adapted).not.toEqual(plain)
        const merged = mergeAdapter(model, adapter)
        expect(difference(await logitsOf(merged, rows), adapted)).toBeLessThanOrEqual(1e-4)
        merged.dispose()
        adapter.dispose()
      }
      expect(await logitsOf(model.withAdapters([]), rows)).toEqual(plain)
      fresh.dispose()
      model.dispose()
    }))

  test('two adapters add up', () =>
    onCpu(async (backend) => {
      const model = tinyModel(backend, family)
      const [a, b] = [activeAdapter(model, backend, { seed: 1 }), activeAdapter(model, backend, { seed: 2, rank: 3 })]
      const both = await logitsOf(model.withAdapters([a, b]), rows)
      const once = mergeAdapter(model, a)
      const twice = mergeAdapter(once, b)
      expect(difference(await logitsOf(twice, rows), both)).toBeLessThanOrEqual(1e-4)
      for (const x of [a, b, once, twice, model]) x.dispose()
    }))

  test('its files bring it back', () =>
    onCpu(async (backend) => {
      const model = tinyModel(backend, family)
      const adapter = activeAdapter(model, backend, { alpha: 5, rankStabilized: true, dropout: 0.1 })
      await saveAdapter(folder, { adapter, baseModel: 'models/base' })
      const json = JSON.parse(await readFile(join(folder, 'adapter_config.json'), 'utf8')) as Record<string, unknown>
      expect(json).toMatchObject({ peft_type: 'LORA', r: 2, lora_alpha: 5, lora_dropout: 0.1, use_rslora: true, fan_in_fan_out: family === 'gpt2', base_model_name_or_path: 'models/base' })
      const loaded = await loadPretrainedAdapter(folder, { model })
      expect([...loaded.parameters().keys()].sort()).toEqual([...adapter.parameters().keys()].sort())
      expect(await logitsOf(model.withAdapters([loaded]), rows)).toEqual(await logitsOf(model.withAdapters([adapter]), rows))
      for (const x of [adapter, loaded, model]) x.dispose()
    }))

  test('dropout of the adapter acts in training passes alone', () =>
    onCpu(async (backend) => {
      const model = tinyModel(backend, family)
      const adapter = activeAdapter(model, backend, { dropout: 0.5 })
      const view = model.withAdapters([adapter])
      const plain = await logitsOf(view, rows)
      expect(await logitsOf(view, rows, { pass: { key: randomKey(1), training: false } })).toEqual(plain)
      expect(await logitsOf(view, rows, { pass: { key: randomKey(1), training: true } })).not.toEqual(plain)
      adapter.dispose()
      model.dispose()
    }))
})

const backend = createCpuBackend()
const model = tinyModel(backend, 'llama')

test.each<[Partial<CreateAdapterOptions>, RegExp]>([
  [{ rank: 0 }, /rank must be a positive integer, got 0/],
  [{ targetModules: ['c_attn'] }, /no linear layer is named c_attn; there are q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj/],
  [{ targetModules: [] }, /targetModules is empty/],
  [{ dropout: 1 }, /dropout must be in \[0, 1\)/],
  [{ seed: 0.5 }, /seed must be an integer/],
  [{ kind: 'dora' as 'lora' }, /kind "dora" is not supported/],
])('createAdapter refuses %j', (options, message) => {
  expect(() => createAdapter(model, { kind: 'lora', rank: 2, seed: 1, ...options })).toThrow(message)
})

test('an adapter of another model is refused', () => {
  const wide = tinyModel(backend, 'llama', { dModel: 32 })
  expect(() => model.withAdapters([createAdapter(wide, { kind: 'lora', rank: 2, seed: 1 })])).toThrow(/of the adapter is for a matrix \[32, 32\], the model has \[16, 16\]/)
})

describe('broken adapter files', () => {
  const config = async (change: Record<string, unknown>) => ({ ...(JSON.parse(await readFile(join(fixturePath('lora'), 'adapter_config.json'), 'utf8')) as object), ...change }) as never
  const weights = async () => openSafetensors(bytesSource('adapter_model.safetensors', await readFile(join(fixturePath('lora'), 'adapter_model.safetensors'))))

  test.each<[Record<string, unknown>, RegExp]>([
    [{ peft_type: 'IA3' }, /peft_type "IA3" is not supported; only "LORA"/],
    [{ use_dora: true }, /use_dora true is not supported/],
    [{ bias: 'all' }, /bias "all" is not supported/],
    [{ modules_to_save: ['lm_head'] }, /modules_to_save = \["lm_head"\]/],
    [{ init_lora_weights: 'pissa' }, /init_lora_weights "pissa" is not supported/],
    [{ alpha_pattern: { '.*q': 3 } }, /alpha_pattern ".\*q" is a regular expression/],
  ])('%j is refused by name', async (change, message) => {
    await expect(loadAdapter(model, { config: await config(change), weights: await weights() })).rejects.toThrow(message)
  })

  test('tensors that do not fit the model are named', () =>
    onCpu(async (own) => {
      const small = tinyModel(own, 'llama')
      await expect(loadAdapter(small, { config: await config({}), weights: await weights() })).rejects.toThrow(/self_attn.q_proj: lora_A \[4, 32\] and lora_B \[32, 4\] do not fit a layer from 16 to 16/)
      small.dispose()
    }))

  test('a partner that is missing is named', async () => {
    const file = await weights()
    const half = { ...file, tensors: new Map([...file.tensors].filter(([name]) => !name.endsWith('layers.0.self_attn.q_proj.lora_B.weight'))) }
    await expect(loadAdapter(model, { config: await config({}), weights: half })).rejects.toThrow(/has only one of lora_A and lora_B for model.layers.0.self_attn.q_proj/)
  })

  test('alpha by module', () =>
    onCpu(async (own) => {
      const small = tinyModel(own, 'llama')
      const adapter = activeAdapter(small, own, { targetModules: ['q_proj'], alpha: 4 })
      await saveAdapter(folder, { adapter })
      const path = join(folder, 'adapter_config.json')
      await writeFile(path, (await readFile(path, 'utf8')).replace('"alpha_pattern": {}', '"alpha_pattern": {"layers.1.self_attn.q_proj": 12}'))
      const loaded = await loadPretrainedAdapter(folder, { model: small })
      expect([...loaded.updates.values()].flat().map(({ scale }) => scale)).toEqual([2, 6])
      await saveAdapter(folder, { adapter: loaded })
      expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ alpha_pattern: { 'model.layers.1.self_attn.q_proj': 12 } })
      for (const x of [adapter, loaded, small]) x.dispose()
    }))

  test('an empty weights file', async () => {
    const json = new TextEncoder().encode('{}'.padEnd(8, ' '))
    const bytes = new Uint8Array(16)
    bytes[0] = 8
    bytes.set(json, 8)
    await expect(loadAdapter(model, { config: await config({}), weights: await openSafetensors(bytesSource('empty', bytes)) })).rejects.toThrow(/expected the tensors of an adapter, got none/)
  })
})
