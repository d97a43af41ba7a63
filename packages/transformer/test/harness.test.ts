// A small trained model scored as lm-evaluation-harness scored it, item by item.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LanguageModel, Tokenizer } from '@weft/contracts'
import { needsShared, readText } from '@weft/fixtures'
import { createCpuBackend } from '@weft/tensor/cpu'
import { openWeights } from '@weft/weights/node'
import { describe, expect, test } from 'vitest'
import { languageModel, loadModel, parseModelConfig } from '../src/index.ts'
import { collect } from './support.ts'

const stories = needsShared('data/stories260k')
const scores = needsShared('golden/evaluation/stories260k')
const missing = stories.missing || scores.missing

/** llama2.c's tokenizer: a space in front, one token a code point or its bytes, then the best-scored pair merged until none is left. */
const llama2cTokenizer = (path: string): Tokenizer => {
  const bytes = readFileSync(path)
  const tokens: { score: number; text: string }[] = []
  for (let offset = 4; offset < bytes.length; ) {
    const length = bytes.readInt32LE(offset + 4)
    tokens.push({ score: bytes.readFloatLE(offset), text: bytes.toString('latin1', offset + 8, offset + 8 + length) })
    offset += 8 + length
  }
  const idOf = new Map(tokens.map(({ text }, id) => [text, id]))
  const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
  const encode = (text: string): Uint32Array => {
    const ids = text === '' ? [] : [...` ${text}`].flatMap((point) => idOf.get(latin1(point)) ?? [...Buffer.from(point, 'utf8')].map((byte) => byte + 3))
    for (;;) {
      let [best, at, merged] = [-Infinity, -1, -1]
      for (let i = 0; i + 1 < ids.length; i++) {
        const id = idOf.get(tokens[ids[i]!]!.text + tokens[ids[i + 1]!]!.text)
        if (id !== undefined && tokens[id]!.score > best) [best, at, merged] = [tokens[id]!.score, i, id]
      }
      if (at < 0) return Uint32Array.from(ids)
      ids.splice(at, 2, merged)
    }
  }
  const tokenBytes = (id: number): Uint8Array => (id >= 3 && id < 259 ? Uint8Array.of(id - 3) : new Uint8Array(Buffer.from(tokens[id]!.text, 'latin1')))
  return {
    vocabSize: tokens.length,
    specialTokens: new Map([['<s>', 1], ['</s>', 2]]),
    beginId: 1,
    endIds: [2],
    encode,
    tokenBytes,
    decode: (ids) => Buffer.concat([...ids].map(tokenBytes)).toString('utf8'),
  }
}

const open = async (contextLength: number): Promise<LanguageModel> => {
  const config = { ...parseModelConfig(JSON.parse(readText(join(stories.path, 'hf/config.json'))) as never), contextLength }
  const weights = await openWeights(join(stories.path, 'hf'))
  const model = await loadModel({ weights, config, backend: createCpuBackend() })
  await weights.close()
  return languageModel({ model, tokenizer: llama2cTokenizer(join(stories.path, 'tok512.bin')), maxBatchTokens: 2048 })
}

interface PairItem {
  readonly ctx: string | readonly string[]
  readonly cont: readonly string[]
  readonly ll: readonly number[]
  readonly greedy: readonly number[]
  readonly n_ctx: readonly number[]
  readonly n_cont: readonly number[]
}

interface RollingItem {
  readonly text: string
  readonly ll: number
  readonly tokens: number
}

const itemsOf = <T>(task: string, count: number): T[] => (JSON.parse(readText(join(scores.path, `${task}.json.gz`))) as { items: T[] }).items.slice(0, count)

const allowed = (expected: number): number => 2e-4 + 3e-7 * Math.abs(expected)

describe.skipIf(missing)(`the scores of lm-evaluation-harness${stories.note}${scores.note}`, () => {
  test.each([
    ['arc_easy', 512, 6],
    ['copa', 512, 10],
    ['blimp_anaphor_gender_agreement', 512, 10],
    ['winogrande', 512, 6],
    ['lambada_openai_max64', 64, 10],
  ] as const)('%s', async (task, contextLength, count) => {
    const items = itemsOf<PairItem>(task, count)
    const pairs = items.flatMap(({ ctx, cont, ll, greedy, n_ctx: contexts, n_cont: counts }) =>
      cont.map((continuation, i) => ({ context: typeof ctx === 'string' ? ctx : ctx[i]!, continuation, logProb: ll[i]!, isGreedy: greedy[i] === 1, whole: contexts[i]! + counts[i]!, tokenCount: counts[i]! })),
    )
    for (const result of await collect((await open(contextLength)).logLikelihood(pairs))) {
      const { logProb, isGreedy, whole, tokenCount } = pairs[result.index]!
      expect(result).toMatchObject({ isGreedy, tokenCount, truncatedTokens: Math.max(0, whole - contextLength - 1) })
      expect(Math.abs(result.logProb - logProb)).toBeLessThan(allowed(logProb))
    }
  })

  test.each([
    ['wikitext_short_128', 128, 1],
    ['tinystories', 512, 2],
  ] as const)('%s', async (task, contextLength, count) => {
    const items = itemsOf<RollingItem>(task, count)
    for (const { index, logProb, tokenCount } of await collect((await open(contextLength)).rollingLogLikelihood(items.map(({ text }) => text)))) {
      expect(tokenCount).toBe(items[index]!.tokens)
      expect(Math.abs(logProb - items[index]!.ll)).toBeLessThan(6e-4 + allowed(items[index]!.ll))
    }
  })

  test('the greedy text that its author prints', async () => {
    const { generation, documented_greedy_text: documented } = JSON.parse(readText(join(stories.path, 'expected.json'))) as {
      generation: { prompt: string; prompt_ids: number[]; greedy_ids: number[] }[]
      documented_greedy_text: string
    }
    const { prompt, prompt_ids: before, greedy_ids: ids } = generation[0]!
    const events = await collect((await open(512)).generate({ prompt, maxNewTokens: 120, temperature: 0 }))
    expect(events.flatMap((event) => (event.kind === 'token' ? [event.tokenId] : []))).toEqual(ids.slice(before.length, before.length + 120))
    const { text } = events.at(-1)!
    expect(documented.startsWith(text.trimStart())).toBe(true)
  })
})
