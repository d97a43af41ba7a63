import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { samplingLogProbs, validateSampling, type Sampling } from './sampling.ts'

interface Case {
  readonly name: string
  readonly parameters: Readonly<Record<string, number>>
  readonly result: readonly { readonly kept: readonly number[]; readonly logprobs: readonly number[] }[]
}

interface Reference {
  readonly rows: Readonly<Record<string, readonly number[]>>
  readonly tied_row: readonly number[]
  readonly history: readonly (readonly number[])[]
  readonly single: readonly Case[]
  readonly combined: { readonly cases: readonly Case[] }
}

const reference = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'test', 'fixtures', 'sampling.json'), 'utf8')) as Reference

const samplingOf = ({ parameters: p }: Case): Sampling => ({
  ...(p['temperature'] === undefined ? {} : { temperature: p['temperature'] }),
  ...(p['top_k'] === undefined ? {} : { topK: p['top_k'] }),
  ...(p['top_p'] === undefined ? {} : { topP: p['top_p'] }),
  ...(p['min_p'] === undefined ? {} : { minP: p['min_p'] }),
  ...(p['repetition_penalty'] === undefined ? {} : { repetitionPenalty: p['repetition_penalty'] }),
})

describe('the values of transformers', () => {
  test.each([...reference.single, ...reference.combined.cases].map((item) => ({ item, title: `${item.name} ${JSON.stringify(item.parameters)}` })))('$title', ({ item }) => {
    const rows = item.name === 'top_k_ties' ? [reference.tied_row] : Object.values(reference.rows)
    rows.forEach((logits, row) => {
      const logProbs = samplingLogProbs(logits, { sampling: samplingOf(item), history: reference.history[row]! })
      const { kept, logprobs } = item.result[row]!
      expect([...logProbs.keys()].filter((id) => logProbs[id]! > -Infinity)).toEqual(kept)
      kept.forEach((id, i) => expect(Math.abs(logProbs[id]! - logprobs[i]!)).toBeLessThan(1e-5))
    })
  })
})

test('temperature 0 is the likeliest token, the first of equals', () => {
  expect([...samplingLogProbs([1, 3, 3, 0], { sampling: { temperature: 0 } })]).toEqual([-Infinity, 0, -Infinity, -Infinity])
})

test.each<[Sampling, RegExp]>([
  [{ temperature: NaN }, /temperature must be a number ≥ 0, got NaN/],
  [{ temperature: -1 }, /temperature/],
  [{ topK: 0 }, /topK must be an integer ≥ 1/],
  [{ topP: 0 }, /topP must be in \(0, 1\]/],
  [{ minP: 2 }, /minP/],
  [{ repetitionPenalty: 0 }, /repetitionPenalty/],
  [{ seed: [1, 0.5] }, /seed must be an integer/],
])('%j is refused', (sampling, message) => {
  expect(() => validateSampling(sampling)).toThrow(message)
})
