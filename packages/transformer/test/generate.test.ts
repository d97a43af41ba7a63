import { memory } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { generate, samplingLogProbs, type GenerateEvent, type GenerateOptions, type Sampling } from '../src/index.ts'
import { collect, logitsOf, onCpu, tinyModel } from './support.ts'

const finishes = (events: readonly GenerateEvent[]) => events.filter((event) => event.kind === 'finish').sort((a, b) => a.row - b.row)

const texts = async (options: GenerateOptions): Promise<number[][]> => finishes(await collect(generate(options))).map(({ tokenIds }) => [...tokenIds])

const backend = createCpuBackend()
const model = tinyModel(backend, 'llama')
const prompts = [[1, 2, 3], [4], [5, 6, 7, 8, 9]].map((ids) => Uint32Array.from(ids))
const sampled: Sampling = { temperature: 0.9, topK: 20, topP: 0.95, minP: 0.01, repetitionPenalty: 1.2 }

describe.each<[string, Sampling]>([
  ['greedy', { temperature: 0 }],
  ['sampled', sampled],
])('%s', (_, sampling) => {
  test('a row of a batch = the row alone, with its seed', async () => {
    const together = await texts({ model, tokenIds: prompts, sampling: { ...sampling, seed: [3, 4, 5] }, maxNewTokens: [6, 9, 4], stopIds: [] })
    expect(together.map((ids) => ids.length)).toEqual([6, 9, 4])
    for (const [row, prompt] of prompts.entries()) {
      const [alone] = await texts({ model, tokenIds: prompt, sampling: { ...sampling, seed: 3 + row }, maxNewTokens: [6, 9, 4][row]!, stopIds: [] })
      expect(together[row]).toEqual(alone)
    }
  })

  test('log-probabilities are the model’s own, before temperature and cut-offs', async () => {
    const ids = [...prompts[0]!]
    for await (const event of generate({ model, tokenIds: prompts[0]!, sampling, maxNewTokens: 4, stopIds: [], topLogProbs: 3 })) {
      if (event.kind === 'finish') continue
      const plain = samplingLogProbs((await logitsOf(model, [ids])).slice(-40), { sampling: {} })
      expect(event.logProb).toBeCloseTo(plain[event.tokenId]!, 4)
      const best = [...plain.keys()].sort((a, b) => plain[b]! - plain[a]!).slice(0, 3)
      expect(event.topLogProbs!.map(({ tokenId }) => tokenId)).toEqual(best)
      expect(event.topLogProbs![0]!.logProb).toBeCloseTo(plain[best[0]!]!, 4)
      ids.push(event.tokenId)
    }
  })
})

test('what is drawn on the backend follows the distribution on the host', async () => {
  const allowed = samplingLogProbs((await logitsOf(model, [[1, 2, 3]])).slice(-40), { sampling: sampled, history: prompts[0]! })
  const draws = 600
  const rows = await texts({ model, tokenIds: Array.from({ length: draws }, () => prompts[0]!), sampling: sampled, maxNewTokens: 1, stopIds: [] })
  const counts = new Map<number, number>()
  for (const [id] of rows) counts.set(id!, (counts.get(id!) ?? 0) + 1)
  for (const id of counts.keys()) expect(allowed[id]).toBeGreaterThan(-Infinity)
  let chiSquare = 0
  let cells = 0
  allowed.forEach((logProb, id) => {
    const expected = draws * Math.exp(logProb)
    if (expected < 5) return
    chiSquare += ((counts.get(id) ?? 0) - expected) ** 2 / expected
    cells++
  })
  expect(cells).toBeGreaterThan(2)
  expect(chiSquare).toBeLessThan(3 * cells + 10) // far beyond the 0.1 % bound for these few cells
})

test('the same seed draws the same, another seed others', async () => {
  const draw = (seed: number) => texts({ model, tokenIds: prompts[0]!, sampling: { ...sampled, seed }, maxNewTokens: 12, stopIds: [] })
  expect(await draw(1)).toEqual(await draw(1))
  expect(await draw(1)).not.toEqual(await draw(2))
})

test.each([1, 8, 13, 32, 39])('ids from vocabSize %d on are never chosen', async (vocabSize) => {
  for (const temperature of [0, 3]) {
    const rows = await texts({ model, tokenIds: Array.from({ length: 20 }, (_, i) => Uint32Array.of(i)), sampling: { temperature }, maxNewTokens: 5, stopIds: [], vocabSize })
    expect(Math.max(...rows.flat())).toBeLessThan(vocabSize)
  }
})

test('a stop id ends its row alone and is reported', async () => {
  const [greedy] = await texts({ model, tokenIds: prompts[0]!, sampling: { temperature: 0 }, maxNewTokens: 8, stopIds: [] })
  const stop = greedy![2]!
  const events = await collect(generate({ model, tokenIds: [prompts[0]!, prompts[1]!], sampling: { temperature: 0 }, maxNewTokens: 8, stopIds: [stop] }))
  const [first] = finishes(events)
  expect(first).toMatchObject({ reason: 'stop', row: 0 })
  expect([...first!.tokenIds]).toEqual(greedy!.slice(0, greedy!.indexOf(stop) + 1))
  expect(finishes(events)).toHaveLength(2)
})

test('the context is the limit: one more token than it holds, since the last is never read', async () => {
  const [event] = finishes(await collect(generate({ model, tokenIds: prompts[0]!, sampling: { temperature: 0 }, stopIds: [] })))
  expect(event).toMatchObject({ reason: 'length' })
  expect(event!.tokenIds).toHaveLength(24 - 3 + 1)
})

test.each<[string, Partial<GenerateOptions>, RegExp]>([
  ['a long prompt', { tokenIds: new Uint32Array(30) }, /prompt 0 has 30 tokens, the context holds 24; cut at least 6 from its left/],
  ['an empty prompt', { tokenIds: new Uint32Array(0) }, /prompt 0 is empty/],
  ['no prompt', { tokenIds: [] }, /at least one prompt/],
  ['a foreign id', { tokenIds: Uint32Array.of(99) }, /token 99 of prompt 0 is outside the vocabulary of 40/],
  ['no new tokens', { maxNewTokens: 0 }, /maxNewTokens must be a positive integer, got 0/],
  ['a temperature that is none', { sampling: { temperature: NaN } }, /temperature/],
  ['too many seeds', { sampling: { seed: [1, 2] } }, /seed must be one number or 1/],
])('%s is refused', async (_, options, message) => {
  await expect(collect(generate({ model, tokenIds: prompts[0]!, ...options }))).rejects.toThrow(message)
})

test('break and abort free everything', () =>
  onCpu(async (own) => {
    const small = tinyModel(own, 'gpt2')
    const before = own.memory().buffers
    for await (const event of generate({ model: small, tokenIds: prompts })) if (event.kind === 'token') break
    expect(own.memory().buffers).toBe(before)
    const controller = new AbortController()
    const reason = new Error('enough')
    const reading = (async () => {
      for await (const event of generate({ model: small, tokenIds: prompts, stopIds: [], signal: controller.signal })) if (event.kind === 'token') controller.abort(reason)
    })()
    await expect(reading).rejects.toBe(reason)
    expect(own.memory().buffers).toBe(before)
    small.dispose()
  }))

test('the cache is written in place: no donation is missed, also when rows leave the batch', () =>
  onCpu(async (own) => {
    const small = tinyModel(own, 'llama')
    await collect(generate({ model: small, tokenIds: prompts, maxNewTokens: [2, 5, 9], stopIds: [] }))
    expect(memory(own).missedDonations).toBe(0)
    small.dispose()
  }))

test('any options, any prompts: the promised number of tokens, all of them in the vocabulary', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.nat(39), { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 3 }),
      fc.record({ temperature: fc.constantFrom(0, 0.3, 1, 5), topK: fc.integer({ min: 1, max: 50 }), topP: fc.constantFrom(0.1, 0.9, 1), minP: fc.constantFrom(0, 0.2, 1) }),
      fc.integer({ min: 1, max: 6 }),
      async (rows, sampling, maxNewTokens) => {
        const results = await texts({ model, tokenIds: rows.map((row) => Uint32Array.from(row)), sampling, maxNewTokens, stopIds: [] })
        expect(results.map((ids) => ids.length)).toEqual(rows.map((row) => Math.min(maxNewTokens, 25 - row.length)))
        expect(results.flat().every((id) => id >= 0 && id < 40)).toBe(true)
      },
    ),
    { numRuns: 15 },
  ))
