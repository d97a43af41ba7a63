import type { LanguageModel, Tokenizer } from '@weft/contracts'
import { createCpuBackend } from '@weft/tensor/cpu'
import { chatMlTemplate, compileChatTemplate } from '@weft/tokenizer'
import { beforeAll, describe, expect, test } from 'vitest'
import { generate, languageModel, samplingLogProbs, type LanguageModelOptions, type Model } from '../src/index.ts'
import { collect, logitsOf, onCpu, tinyModel, tinyTokenizer } from './support.ts'

const backend = createCpuBackend()
let tokenizer: Tokenizer
let model: Model

beforeAll(async () => {
  tokenizer = await tinyTokenizer()
  model = tinyModel(backend, 'llama', { vocabSize: 300, contextLength: 32 })
})

const make = (more: Partial<LanguageModelOptions> = {}): LanguageModel => languageModel({ model, tokenizer, ...more })

/** Σ ln p of the last `count` tokens, one whole pass. */
const logProbOf = async (ids: readonly number[], count: number): Promise<number> => {
  const logits = await logitsOf(model, [ids.slice(0, -1)])
  let sum = 0
  for (let i = ids.length - count; i < ids.length; i++) sum += samplingLogProbs(logits.slice((i - 1) * 300, i * 300), { sampling: {} })[ids[i]!]!
  return sum
}

const encode = (text: string): number[] => [...tokenizer.encode(text, { addSpecialTokens: false })]

describe('logLikelihood', () => {
  const requests = () => [
    { context: 'the cat sat on the', continuation: ' mat' },
    { context: 'the cat sat on the', continuation: ' log and a dog' },
    { context: 'the cat sat on the \u00a0\n', continuation: 'dog' },
    { context: '', continuation: 'the dog' },
    { context: 'a', continuation: ' cat' },
    { context: 'the dog sat', continuation: '' },
  ]

  test('is the sum over the continuation, tokenized with its context', async () => {
    const results = (await collect(make().logLikelihood(requests()))).sort((a, b) => a.index - b.index)
    expect(results.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5])
    const context = encode('the cat sat on the')
    const wholes = [encode('the cat sat on the mat'), encode('the cat sat on the log and a dog'), encode('the cat sat on the \u00a0\ndog'), [tokenizer.beginId!, ...encode('the dog')], encode('a cat')]
    const befores = [context.length, context.length, context.length, 1, encode('a').length]
    for (const [i, whole] of wholes.entries()) {
      const count = whole.length - befores[i]!
      expect(results[i]).toMatchObject({ tokenCount: count, truncatedTokens: 0 })
      expect(Math.abs(results[i]!.logProb - (await logProbOf(whole, count)))).toBeLessThan(1e-4)
    }
    expect(results[5]).toEqual({ index: 5, logProb: 0, isGreedy: true, tokenCount: 0, truncatedTokens: 0 })
  })

  test('does not depend on batch or order', async () => {
    const byIndex = async (lm: LanguageModel, list: ReturnType<typeof requests>) => (await collect(lm.logLikelihood(list))).sort((a, b) => a.index - b.index)
    const all = await byIndex(make(), requests())
    for (const maxBatchTokens of [1, 7, 30]) {
      const small = await byIndex(make({ maxBatchTokens }), requests())
      small.forEach((result, i) => expect(Math.abs(result.logProb - all[i]!.logProb)).toBeLessThan(1e-4))
    }
    const reversed = await byIndex(make(), requests().reverse())
    reversed.forEach((result, i) => expect(Math.abs(result.logProb - all[5 - i]!.logProb)).toBeLessThan(1e-4))
  })

  test('isGreedy is whether greedy decoding says the same', async () => {
    const context = encode('the cat')
    let greedy: number[] = []
    for await (const event of generate({ model, tokenIds: Uint32Array.from(context), sampling: { temperature: 0 }, maxNewTokens: 3, stopIds: [] })) if (event.kind === 'finish') greedy = [...event.tokenIds]
    // A tokenizer whose ids are the text: any greedy ids can be written, also where the real one would split them otherwise.
    const literal: Tokenizer = { ...tokenizer, encode: (text) => Uint32Array.from(text.split(' ').filter((part) => part !== ''), Number), tokenBytes: (id) => tokenizer.tokenBytes(id) }
    const lm = languageModel({ model, tokenizer: literal })
    const write = (ids: readonly number[]): string => ids.join(' ')
    const other = [...greedy.slice(0, 2), (greedy[2]! + 1) % 290]
    const results = await collect(lm.logLikelihood([greedy, other].map((ids) => ({ context: write(context), continuation: ` ${write(ids)}` }))))
    expect(results.sort((a, b) => a.index - b.index).map(({ isGreedy }) => isGreedy)).toEqual([true, false])
  })

  test('too long: cut from the left and counted; a continuation beyond the context is scored in windows', async () => {
    const long = 'the cat sat on the mat and '.repeat(8)
    const whole = encode(`${long}dog`)
    const [result] = await collect(make().logLikelihood([{ context: long, continuation: 'dog' }]))
    const count = whole.length - encode(long.trimEnd()).length
    expect(result).toMatchObject({ tokenCount: count, truncatedTokens: whole.length - 33 })
    expect(Math.abs(result!.logProb - (await logProbOf(whole.slice(-33), count)))).toBeLessThan(1e-4)
    const [huge] = await collect(make().logLikelihood([{ context: 'a', continuation: ` ${long}` }]))
    expect(huge!.tokenCount).toBeGreaterThan(32)
    expect(huge!.logProb).toBeLessThan(0)
  })
})

test('rollingLogLikelihood predicts every token once, in windows', async () => {
  const text = 'the cat sat on the mat and the dog sat on the log, '.repeat(3)
  const ids = encode(text)
  expect(ids.length).toBeGreaterThan(40)
  const results = (await collect(make().rollingLogLikelihood([text, '', 'a cat']))).sort((a, b) => a.index - b.index)
  const prefix = tokenizer.beginId!
  let expected = 0
  for (let done = 0; done < ids.length; done += 32) {
    const end = Math.min(done + 32, ids.length)
    const window = done === 0 ? [prefix, ...ids.slice(0, end)] : ids.slice(end - 33, end)
    expected += await logProbOf(window, end - done)
  }
  expect(results[0]!.tokenCount).toBe(ids.length)
  expect(Math.abs(results[0]!.logProb - expected)).toBeLessThan(1e-3)
  expect(results[1]).toEqual({ index: 1, logProb: 0, tokenCount: 0 })
  expect(Math.abs(results[2]!.logProb - (await logProbOf([prefix, ...encode('a cat')], encode('a cat').length)))).toBeLessThan(1e-4)
})

test('nextLogProbs is a distribution over the whole vocabulary', async () => {
  const results = (await collect(make({ maxBatchTokens: 12 }).nextLogProbs!(['the cat', 'a', 'the cat sat on the mat']))).sort((a, b) => a.index - b.index)
  for (const [i, prompt] of ['the cat', 'a', 'the cat sat on the mat'].entries()) {
    const { logProbs } = results[i]!
    expect(logProbs).toHaveLength(300)
    expect(logProbs.reduce((sum, logProb) => sum + Math.exp(logProb), 0)).toBeCloseTo(1, 4)
    const plain = samplingLogProbs((await logitsOf(model, [[...tokenizer.encode(prompt)]])).slice(-300), { sampling: {} })
    plain.forEach((logProb, id) => expect(Math.abs(logProb - logProbs[id]!)).toBeLessThan(1e-4))
  }
})

describe('generate', () => {
  test('streams what it ends with', async () => {
    const events = await collect(make().generate({ prompt: 'the cat', maxNewTokens: 12, temperature: 0, topLogProbs: 2 }))
    const end = events.at(-1)!
    expect(end).toMatchObject({ kind: 'finish', usage: { promptTokens: tokenizer.encode('the cat').length } })
    expect(events.slice(0, -1).map((event) => event.text).join('')).toBe(end.text)
    const tokens = events.filter((event) => event.kind === 'token')
    expect(tokens.map(({ topLogProbs }) => topLogProbs![0]!.tokenId)).toEqual(tokens.map(({ tokenId }) => tokenId))
  })

  test('a stop string ends the text before it, wherever the tokens are cut', async () => {
    const request = { prompt: 'the cat', maxNewTokens: 16, temperature: 1.5, seed: 4 }
    const whole = (await collect(make().generate(request))).at(-1)!
    expect(whole.text.length).toBeGreaterThan(6)
    const stop = whole.text.slice(3, 6)
    const events = await collect(make().generate({ ...request, stop: [stop] }))
    const end = events.at(-1)!
    expect(end).toMatchObject({ kind: 'finish', reason: 'stop', text: whole.text.slice(0, whole.text.indexOf(stop)) })
    expect(events.slice(0, -1).map((event) => event.text).join('')).toBe(end.text)
  })

  test('a chat goes on from its cached beginning with the same text as afresh', () =>
    onCpu(async (own) => {
      const small = tinyModel(own, 'llama', { vocabSize: 300, contextLength: 64 })
      const kept = own.memory().buffers
      const cached = languageModel({ model: small, tokenizer })
      const fresh = languageModel({ model: small, tokenizer, prefixCacheBytes: 0 })
      const run = async (lm: LanguageModel, prompt: string) => (await collect(lm.generate({ prompt, maxNewTokens: 6, temperature: 0, repetitionPenalty: 1.1 }))).at(-1)!.text
      let chat = 'the cat sat on the mat and '
      for (let turn = 0; turn < 3; turn++) {
        const answer = await run(cached, chat)
        expect(answer).toBe(await run(fresh, chat))
        chat = `the cat sat on the mat and the dog ${turn} `
      }
      expect(own.memory().buffers).toBeGreaterThan(kept)
      cached.dispose!()
      fresh.dispose!()
      expect(own.memory().buffers).toBe(kept)
      small.dispose()
    }))

  test('messages go through the chat template', async () => {
    const lm = make({ chatTemplate: compileChatTemplate(chatMlTemplate) })
    const rendered = '<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n'
    const asText = encode(rendered)
    expect(asText.length).toBeGreaterThan(32)
    await expect(collect(lm.generate({ prompt: [{ role: 'user', content: 'hi' }], maxNewTokens: 1 }))).rejects.toThrow(`prompt 0 has ${asText.length} tokens, the context holds 32`)
    await expect(collect(make().generate({ prompt: [{ role: 'user', content: 'hi' }] }))).rejects.toThrow(/has no chatTemplate/)
  })

  test('a format is refused before the first token', async () => {
    const error: unknown = await collect(make().generate({ prompt: 'a', format: { choices: ['b'] } })).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ kind: 'unsupported' })
  })

  test('many at once = one by one', async () => {
    const requests = [
      { prompt: 'the cat', maxNewTokens: 5, seed: 1 },
      { prompt: 'a dog and', maxNewTokens: 8, seed: 2 },
      { prompt: 'the', maxNewTokens: 5, temperature: 0 },
      { prompt: 'a cat', maxNewTokens: 5, seed: 1, stop: ['e', 'a'] },
    ]
    const many = (await collect(make().generateMany!(requests))).sort((a, b) => a.index - b.index)
    for (const [i, request] of requests.entries()) {
      const { kind: _, ...alone } = (await collect(make().generate(request))).at(-1)! as { kind: 'finish'; text: string }
      expect(many[i]).toEqual({ index: i, ...alone })
    }
  })
})

test('concurrent calls come out as if one after the other, and an abort concerns its own call alone', async () => {
  const lm = make()
  const request = { prompt: 'the cat', maxNewTokens: 6, seed: 3 }
  const alone = (await collect(lm.generate(request))).at(-1)!.text
  const controller = new AbortController()
  const reason = new Error('never mind')
  const aborted = collect(lm.generate({ ...request, maxNewTokens: 20 }, { signal: controller.signal }))
  const others = [collect(lm.generate(request)), collect(lm.generate(request))]
  controller.abort(reason)
  await expect(aborted).rejects.toBe(reason)
  for (const events of await Promise.all(others)) expect(events.at(-1)!.text).toBe(alone)
})

test('a model that scores leaves nothing behind', () =>
  onCpu(async (own) => {
    const small = tinyModel(own, 'gpt2', { vocabSize: 300, contextLength: 32 })
    const lm = languageModel({ model: small, tokenizer })
    expect(await collect(lm.logLikelihood([1, 2, 3].map((i) => ({ context: 'the cat sat on the', continuation: ` mat ${i}` }))))).toHaveLength(3)
    await collect(lm.rollingLogLikelihood(['the cat sat']))
    await collect(lm.generate({ prompt: 'the', maxNewTokens: 3 }))
    lm.dispose!()
    small.dispose()
  }))

test('a tokenizer of another model is refused', () => {
  const small = tinyModel(backend, 'gpt2')
  expect(() => languageModel({ model: small, tokenizer })).toThrow(/the tokenizer has 290 tokens, the model's vocabulary 40/)
})
