// A model made here, opened by transformers in Python: the same logits, the same tokens, the chat template. And the reverse: what
// transformers saves, opened here. Needs a Python with torch and transformers (WEFT_PYTHON names it); else skipped with a line.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { read, tensor, tidy } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { chatMlTemplate, compileChatTemplate, trainTokenizer } from '@weft/tokenizer'
import type { Tokenizer } from '@weft/contracts'
import { createModel } from '@weft/transformer'
import { loadPretrained, saveModel } from '@weft/transformer/node'
import { afterAll, describe, expect, test } from 'vitest'

const python = process.env['WEFT_PYTHON'] ?? 'python3'
const isMissing = spawnSync(python, ['-c', 'import torch, transformers'], { stdio: 'ignore' }).status !== 0
const note = isMissing ? ` (skipped: ${python} has no torch and transformers; WEFT_PYTHON names another)` : ''

const scratch = mkdtempSync(join(tmpdir(), 'weft-transformers-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const text = 'The quick brown fox. It was 1865!'
const messages = [{ role: 'user', content: 'Who spoke?' }, { role: 'assistant', content: 'The fox.' }] as const

const script = `
import json, sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
folder, copy, text, messages = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
ids = tokenizer(text, add_special_tokens=False).input_ids
with torch.no_grad():
    logits = model(torch.tensor([ids])).logits[0, -1]
model.save_pretrained(copy)
tokenizer.save_pretrained(copy)
print(json.dumps({"ids": ids, "logits": logits.tolist(), "chat": tokenizer.apply_chat_template(messages, tokenize=False)}))
`

const trained = async (): Promise<Tokenizer> => {
  for await (const event of trainTokenizer({ algorithm: 'bpe', texts: [text.repeat(20)], vocabSize: 300, specialTokens: ['<|endoftext|>', '<|im_start|>', '<|im_end|>'] })) {
    if (event.kind === 'finished') return event.tokenizer
  }
  throw new Error('training ended without a tokenizer')
}

const lastLogits = async (model: Awaited<ReturnType<typeof loadPretrained>>['model'], ids: Uint32Array): Promise<number[]> => {
  const logits = tidy(() => model.forward({ tokenIds: tensor(model.backend, Int32Array.from(ids), [1, ids.length]) }).logits)
  const values = [...(await read(logits))]
  logits.dispose()
  return values.slice(-logits.shape.at(-1)!)
}

describe.each(['gpt2', 'llama'] as const)('%s', (family) => {
  test.skipIf(isMissing)(`goes to transformers and back${note}`, { timeout: 180_000 }, async () => {
    const tokenizer = await trained()
    const backend = createCpuBackend()
    const model = createModel({ family, vocabSize: tokenizer.vocabSize, contextLength: 64, dModel: 32, numLayers: 2, numHeads: 4 }, { backend, seed: 3 })
    const [folder, copy] = [join(scratch, family), join(scratch, `${family}-copy`)]
    const chatTemplate = compileChatTemplate(chatMlTemplate)
    await saveModel(folder, { model, tokenizer, chatTemplate })

    const { status, stdout, stderr } = spawnSync(python, ['-c', script, folder, copy, text, JSON.stringify(messages)], { encoding: 'utf8' })
    expect(status, stderr).toBe(0)
    const theirs = JSON.parse(stdout.trim().split('\n').at(-1)!) as { ids: number[]; logits: number[]; chat: string }

    const ids = tokenizer.encode(text, { addSpecialTokens: false })
    expect([...ids]).toEqual(theirs.ids)
    expect(theirs.chat).toBe(chatTemplate.render({ messages }))
    for (const ours of [await lastLogits(model, ids), await lastLogits((await loadPretrained(copy, { backend })).model, ids)]) {
      expect(Math.max(...ours.map((value, i) => Math.abs(value - theirs.logits[i]!)))).toBeLessThan(1e-4)
    }
  })
})
