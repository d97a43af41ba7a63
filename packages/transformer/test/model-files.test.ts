import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesSource } from '@weft/sources'
import { fileSource } from '@weft/sources/node'
import { createCpuBackend } from '@weft/tensor/cpu'
import { chatMlTemplate, compileChatTemplate } from '@weft/tokenizer'
import { openSafetensors, writeSafetensors, type PlainDtype } from '@weft/weights'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createModel, loadModel, modelConfig, modelFiles, parseModelConfig } from '../src/index.ts'
import { loadPretrained, saveModel } from '../src/node.ts'
import { difference, fixturePath, logitsOf, onCpu, tinyConfig, tinyModel, tinyTokenizer } from './support.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-transformer-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const rows = [[1, 2, 3, 4], [9, 8, 7, 0]]

describe.each(['gpt2', 'llama-tied'])('%s, as transformers wrote it', (name) => {
  test('the same tensors come out as went in', () =>
    onCpu(async (backend) => {
      const { model } = await loadPretrained(fixturePath(name), { backend })
      await saveModel(folder, { model })
      model.dispose()
      const [before, after] = [await openSafetensors(await fileSource(join(fixturePath(name), 'model.safetensors'))), await openSafetensors(await fileSource(join(folder, 'model.safetensors')))]
      expect([...after.tensors.keys()].sort()).toEqual([...before.tensors.keys()].sort())
      for (const [tensor, info] of before.tensors) {
        expect(after.tensors.get(tensor)).toEqual(info)
        expect(await after.read(tensor)).toEqual(await before.read(tensor))
      }
      await before.close()
      await after.close()
      expect(parseModelConfig(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as never)).toEqual(
        parseModelConfig(JSON.parse(await readFile(join(fixturePath(name), 'config.json'), 'utf8')) as never),
      )
    }))

  test('peak memory while loading is the model and two tensors', async () => {
    const backend = createCpuBackend()
    const { model } = await loadPretrained(fixturePath(name), { backend })
    const sizes = [...model.parameters().values()].map(({ value }) => value.size * 4).sort((a, b) => b - a)
    const total = sizes.reduce((sum, size) => sum + size, 0)
    const { peakBytes } = backend.memory()
    expect(peakBytes).toBeGreaterThanOrEqual(total)
    expect(peakBytes).toBeLessThanOrEqual(total + sizes[0]! + sizes[1]! + 64) // 64: the rotary frequencies
  })
})

test.each(['gpt2', 'llama'] as const)('a %s with tokenizer and template survives the folder', (family) =>
  onCpu(async (backend) => {
    const tokenizer = await tinyTokenizer()
    const model = tinyModel(backend, family, { vocabSize: 300, tieEmbeddings: false })
    const chatTemplate = compileChatTemplate(chatMlTemplate)
    await saveModel(folder, { model, tokenizer, chatTemplate })
    expect((await readdir(folder)).sort()).toEqual(['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'])
    const loaded = await loadPretrained(folder, { backend })
    expect(loaded.config).toEqual({ ...model.config, beginId: tokenizer.beginId, endIds: [...tokenizer.endIds] })
    expect(await logitsOf(loaded.model, rows)).toEqual(await logitsOf(model, rows))
    expect(loaded.tokenizer!.encode('the cat <s> 日本')).toEqual(tokenizer.encode('the cat <s> 日本'))
    expect([loaded.tokenizer!.beginId, loaded.tokenizer!.endIds]).toEqual([tokenizer.beginId, tokenizer.endIds])
    expect(loaded.chatTemplate!.source).toBe(chatTemplate.source)
    model.dispose()
    loaded.model.dispose()
  }))

test('biases of Llama, heads narrower than the model, bf16', () =>
  onCpu(async (backend) => {
    const model = createModel(tinyConfig('llama', { biases: { attention: true, feedForward: true }, headDim: 6 }), { backend, seed: 1 })
    await saveModel(folder, { model })
    const { model: exact } = await loadPretrained(folder, { backend })
    const { model: narrow } = await loadPretrained(folder, { backend, dtype: 'bf16' })
    expect(await logitsOf(exact, rows)).toEqual(await logitsOf(model, rows))
    expect([...narrow.parameters().values()].every(({ value }) => value.dtype === 'bf16')).toBe(true)
    expect(difference(await logitsOf(narrow, rows), await logitsOf(model, rows))).toBeLessThanOrEqual(0.5)
    await saveModel(folder, { model: narrow })
    const { model: again } = await loadPretrained(folder, { backend, dtype: 'bf16' })
    expect(await logitsOf(again, rows)).toEqual(await logitsOf(narrow, rows))
    for (const x of [model, exact, narrow, again]) x.dispose()
  }))

/** A weights file in memory, of the model's tensors as `change` leaves them. */
const weightsWith = async (change: (tensors: Map<string, { dtype: PlainDtype; shape: readonly number[]; bytes: Uint8Array }>) => void) => {
  const file = await openSafetensors(await fileSource(join(fixturePath('gpt2'), 'model.safetensors')))
  const tensors = new Map<string, { dtype: PlainDtype; shape: readonly number[]; bytes: Uint8Array }>()
  for (const [name, { dtype, shape }] of file.tensors) tensors.set(name, { dtype: dtype as PlainDtype, shape, bytes: await file.read(name) })
  await file.close()
  change(tensors)
  const chunks: Uint8Array[] = []
  const sink = { write: async (bytes: Uint8Array) => void chunks.push(bytes.slice()), commit: async () => undefined, abort: async () => undefined }
  await writeSafetensors([...tensors].map(([name, { dtype, shape, bytes }]) => ({ name, dtype, shape, read: async () => bytes })), sink)
  return openSafetensors(bytesSource('changed.safetensors', new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer())))
}

describe('weights and configuration that disagree', () => {
  const load = async (change: Parameters<typeof weightsWith>[0]): Promise<string> => {
    await onCpu(async (backend) => {
      const config = parseModelConfig(JSON.parse(await readFile(join(fixturePath('gpt2'), 'config.json'), 'utf8')) as never)
      const model = await loadModel({ weights: await weightsWith(change), config, backend })
      model.dispose()
    })
    return 'loaded'
  }

  test('a missing tensor is named, with the nearest', () =>
    expect(load((tensors) => {
      tensors.set('transformer.h.1.attn.c_atn.weight', tensors.get('transformer.h.1.attn.c_attn.weight')!)
      tensors.delete('transformer.h.1.attn.c_attn.weight')
    })).rejects.toThrow(/changed.safetensors: has no tensor transformer.h.1.attn.c_attn.weight; the nearest name is transformer.h.1.attn.c_atn.weight/))

  test('a tensor too many is named', () =>
    expect(load((tensors) => tensors.set('transformer.h.3.ln_1.weight', tensors.get('transformer.h.0.ln_1.weight')!))).rejects.toThrow(/does not have: transformer.h.3.ln_1.weight/))

  test('another shape is named', () =>
    expect(load((tensors) => {
      const { dtype, bytes } = tensors.get('transformer.wpe.weight')!
      tensors.set('transformer.wpe.weight', { dtype, bytes, shape: [32, 64] })
    })).rejects.toThrow(/transformer.wpe.weight is \[32, 64\] where the configuration asks for \[64, 32\]/))

  test('names without the prefix, mask buffers and a head that is tied are fine', () =>
    expect(load((tensors) => {
      for (const [name, tensor] of Array.from(tensors)) {
        tensors.delete(name)
        tensors.set(name.replace('transformer.', ''), tensor)
      }
      tensors.set('h.0.attn.bias', { dtype: 'U8', shape: [4], bytes: new Uint8Array(4) })
      tensors.set('lm_head.weight', tensors.get('wte.weight')!)
    })).resolves.toBe('loaded'))
})

describe('broken folders', () => {
  const broken = async (backend = createCpuBackend()) => loadPretrained(folder, { backend })

  test('say what is missing', async () => {
    await expect(loadPretrained(join(folder, 'nothing'), { backend: createCpuBackend() })).rejects.toThrow(/expected a folder with config.json/)
    await expect(broken()).rejects.toThrow(/expected config.json, it is not there/)
    await writeFile(join(folder, 'config.json'), '{ "model_type": "gpt2", ')
    await expect(broken()).rejects.toThrow(/config.json: expected JSON/)
    await writeFile(join(folder, 'config.json'), await readFile(join(fixturePath('gpt2'), 'config.json')))
    await expect(broken()).rejects.toThrow(/expected model.safetensors/)
  })

  test('a truncated weights file leaves nothing on the backend', () =>
    onCpu(async (backend) => {
      for (const file of ['config.json', 'model.safetensors']) await writeFile(join(folder, file), await readFile(join(fixturePath('gpt2'), file)))
      await truncate(join(folder, 'model.safetensors'), 100_000)
      await expect(loadPretrained(folder, { backend })).rejects.toMatchObject({ kind: 'format' })
    }))

  test('an abort while loading leaves nothing on the backend', () =>
    onCpu(async (backend) => {
      const controller = new AbortController()
      let reads = 0
      const wrap = (source: Awaited<ReturnType<typeof fileSource>>) => ({
        ...source,
        read: (offset: number, length: number, into?: Uint8Array) => {
          if (++reads === 8) controller.abort(new Error('enough'))
          return source.read(offset, length, into)
        },
      })
      await expect(loadPretrained(fixturePath('gpt2'), { backend, wrap, signal: controller.signal })).rejects.toThrow('enough')
    }))
})

const python = (() => {
  try {
    execFileSync('python3', ['-c', 'import torch, transformers'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

test.skipIf(!python)(`transformers opens what was saved here${python ? '' : ' (skipped: python3 has no transformers)'}`, { timeout: 120_000 }, () =>
  onCpu(async (backend) => {
    const tokenizer = await tinyTokenizer()
    for (const family of ['gpt2', 'llama'] as const) {
      const model = createModel(modelConfig(tinyConfig(family, { vocabSize: 300 })), { backend, seed: 2 })
      const path = join(folder, family)
      await saveModel(path, { model, tokenizer, chatTemplate: compileChatTemplate(chatMlTemplate) })
      const script = `
import json, sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
model = AutoModelForCausalLM.from_pretrained(sys.argv[1]); tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
ids = tokenizer("the cat sat", return_tensors="pt").input_ids
print(json.dumps({"ids": ids[0].tolist(), "logits": model(ids).logits[0].flatten().tolist(), "chat": tokenizer.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False)}))`
      const seen = JSON.parse(execFileSync('python3', ['-c', script, path], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })) as { ids: number[]; logits: number[]; chat: string }
      expect(seen.ids).toEqual([...tokenizer.encode('the cat sat')])
      expect(difference(await logitsOf(model, [seen.ids]), seen.logits)).toBeLessThanOrEqual(1e-4)
      expect(seen.chat).toContain('hi')
      model.dispose()
    }
  }))

test('files are made lazily: nothing is read until they are written', () =>
  onCpu((backend) => {
    const model = tinyModel(backend, 'gpt2')
    const files = modelFiles({ model })
    expect(Object.keys(files)).toEqual(['config.json', 'generation_config.json', 'model.safetensors'])
    expect(typeof files['model.safetensors']).toBe('function')
    model.dispose()
  }))
