import { readFileSync } from 'node:fs'
import { createRandomSource } from '@weft/contracts'
import { expect, test } from 'vitest'
import { tensor } from '@weft/tensor'
import { sampleToken, type SampleOptions } from '@weft/tensor/ops'
import { backend, expectClose, f32, i32, numbers, valuesOf } from '../../test/closeness.ts'

interface Kept {
  readonly kept: readonly number[]
  readonly logprobs: readonly number[]
}

interface Golden {
  readonly rows: Readonly<Record<string, readonly number[]>>
  readonly history: readonly (readonly number[])[]
  readonly tiedRow: readonly number[]
  readonly cases: readonly { readonly name: string; readonly parameters: Readonly<Record<string, number>>; readonly result: readonly Kept[] }[]
  readonly ties: { readonly result: readonly Kept[] }
}

const golden = JSON.parse(readFileSync(new URL('../../test/golden/sampling.json', import.meta.url), 'utf8')) as Golden
const rows = Object.values(golden.rows)

const optionsOf = (parameters: Readonly<Record<string, number>>): SampleOptions => ({
  temperature: parameters['temperature'] ?? 1,
  topK: parameters['top_k'],
  topP: parameters['top_p'],
  minP: parameters['min_p'],
  repetitionPenalty: parameters['repetition_penalty'],
})

const draws = 400

/** Evenly spread uniforms, drawn in one call; `logits` in each row. */
const draw = async (logits: readonly number[], options: SampleOptions, history?: readonly number[]): Promise<number[]> => {
  const repeated = (row: readonly number[]): number[] => Array.from({ length: draws }, () => row).flat()
  const { tokenIds } = sampleToken(
    {
      logits: f32(repeated(logits), [draws, logits.length]),
      uniforms: f32(Array.from({ length: draws }, (_, i) => (i + 0.5) / draws), [draws]),
      history: history === undefined ? undefined : i32(repeated(history), [draws, history.length]),
    },
    options,
  )
  return valuesOf(tokenIds)
}

/** Token u of the kept ones laid end to end; two where u is at a border. */
const expectedTokens = ({ kept, logprobs }: Kept, u: number): readonly number[] => {
  let below = 0
  const found: number[] = []
  kept.forEach((token, i) => {
    const above = below + Math.exp(logprobs[i]!)
    if (u > below - 2e-5 && u < above + 2e-5) found.push(token)
    below = above
  })
  return found
}

const requireKept = (tokens: readonly number[], kept: Kept): void => {
  tokens.forEach((token, i) => expect(expectedTokens(kept, (i + 0.5) / draws)).toContain(token))
}

test.each(golden.cases)('draws from what transformers keeps: $name $parameters', async ({ parameters, result }) => {
  for (const [r, kept] of result.entries()) requireKept(await draw(rows[r]!, optionsOf(parameters), golden.history[r]), kept)
})

test('top k keeps the ties of the k-th', async () => {
  const tokens = await draw(golden.tiedRow, { temperature: 1, topK: 2 })
  requireKept(tokens, golden.ties.result[0]!)
  expect(new Set(tokens)).toEqual(new Set([0, 1, 2, 3]))
})

test('log-probabilities are those of the raw logits', async () => {
  const { tokenIds, logProbs } = sampleToken({ logits: f32(rows.flat(), [4, 20]), uniforms: f32([0.1, 0.5, 0.7, 0.99], [4]), bias: f32(numbers(20, 1), [1, 20]) }, { temperature: 0.5, topK: 7 })
  const tokens = await valuesOf(tokenIds)
  const expected = rows.map((row, r) => row[tokens[r]!]! - Math.log(row.reduce((total, x) => total + Math.exp(x), 0)))
  expectClose(await valuesOf(logProbs), expected, { atol: 1e-5 })
})

test('temperature 0 takes the likeliest, after bias, mask and penalty', async () => {
  const uniforms = f32([0.99], [1])
  const logits = f32([1, 5, 4, 3], [1, 4])
  const pick = async (inputs: object, options: Partial<SampleOptions> = {}): Promise<number> => (await valuesOf(sampleToken({ logits, uniforms, ...inputs }, { temperature: 0, ...options }).tokenIds))[0]!
  expect(await pick({})).toBe(1)
  expect(await pick({ bias: f32([9, 0, 0, 0], [1, 4]) })).toBe(0)
  expect(await pick({ mask: tensor(backend, Uint8Array.of(0b1101, 0, 0, 0), [1, 4]) })).toBe(2)
  expect(await pick({ history: i32([1, -1, 2], [1, 3]) }, { repetitionPenalty: 2 })).toBe(3)
})

test('a forbidden token is never drawn, wherever u falls', async () => {
  const size = 1000
  const source = createRandomSource({ seed: 3 })
  const mask = Uint8Array.from({ length: 128 }, () => Math.floor(source.nextFloat() * 256) & Math.floor(source.nextFloat() * 256))
  mask.fill(0, 110) // nothing at the end of the vocabulary
  const { tokenIds } = sampleToken(
    { logits: f32(numbers(size * 64, 4, 8), [64, size]), mask: tensor(backend, mask, [1, 128]), uniforms: f32(Array.from({ length: 64 }, (_, i) => (i === 63 ? 1 - 2 ** -24 : source.nextFloat())), [64]) },
    { temperature: 1.3, topP: 0.999 },
  )
  for (const token of await valuesOf(tokenIds)) expect((mask[token >> 3]! >> (token & 7)) & 1).toBe(1)
})

test('a row draws the same alone and in a batch', async () => {
  const logits = numbers(5 * 300, 5, 4)
  const uniforms = numbers(5, 6, 0.5).map((x) => x + 0.5)
  const options = { temperature: 0.8, topK: 50, topP: 0.9, minP: 0.01 }
  const together = await valuesOf(sampleToken({ logits: f32(logits, [5, 300]), uniforms: f32(uniforms, [5]) }, options).tokenIds)
  for (let r = 0; r < 5; r++) {
    const [alone] = await valuesOf(sampleToken({ logits: f32(logits.slice(r * 300, r * 300 + 300), [1, 300]), uniforms: f32([uniforms[r]!], [1]) }, options).tokenIds)
    expect(alone).toBe(together[r])
  }
})

test('settings out of range are refused', () => {
  const inputs = { logits: f32([1, 2], [1, 2]), uniforms: f32([0], [1]) }
  expect(() => sampleToken(inputs, { temperature: -1 })).toThrow('sampleToken: expected temperature ≥ 0, got -1')
  expect(() => sampleToken(inputs, { temperature: 1, topP: 0 })).toThrow('sampleToken: expected topP in (0, 1], got 0')
  expect(() => sampleToken(inputs, { temperature: 1, topK: 1.5 })).toThrow(/topK an integer/)
  expect(() => sampleToken({ ...inputs, mask: tensor(backend, Uint8Array.of(3), [1, 1]) }, { temperature: 1 })).toThrow(/expected mask of shape/)
})
