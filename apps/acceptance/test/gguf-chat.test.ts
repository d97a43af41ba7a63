// A chat model out of one GGUF file: weights, tokenizer and chat template come from it, and it answers.
import { needsShared } from '@weft/fixtures'
import { languageModel } from '@weft/transformer'
import { loadPretrained } from '@weft/transformer/node'
import { expect, test } from 'vitest'
import { startTfjs } from './start-tfjs.ts'

const file = needsShared('models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf')

test.skipIf(file.missing)(`SmolLM2 knows a capital${file.note}`, { timeout: 240_000 }, async () => {
  const backend = await startTfjs('wasm')
  const { model, tokenizer, chatTemplate } = await loadPretrained(file.path, { backend, dtype: 'f32' })
  const answering = languageModel({ model, tokenizer: tokenizer!, chatTemplate: chatTemplate! })
  const question = { role: 'user', content: 'What is the capital of France?' } as const
  let answer = ''
  for await (const event of answering.generate({ prompt: [question], maxNewTokens: 16, temperature: 0 })) if (event.kind === 'token') answer += event.text
  expect(answer).toBe('The capital of France is Paris.')
  answering.dispose?.()
  model.dispose()
})
