import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createWordTokenizer } from '../../test/word-tokenizer.ts'
import { trainNgramModel } from '../ngram.ts'
import { estimateDiscounts } from './discounts.ts'
import type { NgramModel } from './ngram-model.ts'
import { advance, distribution, likeliest, probability, startState } from './ngram-state.ts'

/**
 * Modified Kneser-Ney as the formulas say it, over maps of strings: slow, and sharing no code with the model but the discounts.
 */
const referenceModel = (texts: readonly (readonly number[])[], order: number, vocabSize: number) => {
  const start = 'S'
  const counts = Array.from({ length: order + 1 }, () => new Map<string, number>())
  const left = Array.from({ length: order + 1 }, () => new Map<string, Set<string>>())
  for (const text of texts) {
    const tokens = [start, ...text.map(String)]
    for (let end = 1; end < tokens.length; end++) {
      for (let n = 1; n <= Math.min(order, end + 1); n++) {
        const gram = tokens.slice(end + 1 - n, end + 1)
        const key = gram.join(' ')
        counts[n]!.set(key, (counts[n]!.get(key) ?? 0) + 1)
        if (end >= n) left[n]!.set(key, (left[n]!.get(key) ?? new Set()).add(tokens[end - n]!))
      }
    }
  }
  const adjusted = counts.map((level, n) => new Map([...level].map(([key, count]) => [key, n === order || key.startsWith(start) ? count : left[n]!.get(key)!.size])))
  const discounts = adjusted.map((level) => estimateDiscounts(level.values()))
  const discount = (n: number, count: number): number => (count === 0 ? 0 : discounts[n]![Math.min(count, 3) - 1]!)
  const p = (context: readonly string[], token: number): number => {
    const n = context.length + 1
    const shorter = n === 1 ? 1 / vocabSize : p(context.slice(1), token)
    const prefix = context.map((one) => `${one} `).join('')
    const following = [...adjusted[n]!].filter(([key]) => key.startsWith(prefix) && key.split(' ').length === n && !key.endsWith(start))
    const total = following.reduce((sum, [, count]) => sum + count, 0)
    if (total === 0) return shorter
    const count = adjusted[n]!.get(prefix + token) ?? 0
    const taken = following.reduce((sum, [, one]) => sum + discount(n, one), 0)
    return (count - discount(n, count)) / total + (taken / total) * shorter
  }
  return (history: readonly number[], token: number): number => p([start, ...history.map(String)].slice(-(order - 1) || Number.MAX_SAFE_INTEGER), token)
}

const letters = [...'abcdef']
const corpus = fc.array(fc.array(fc.constantFrom(...letters), { maxLength: 12 }), { minLength: 1, maxLength: 8 })
const stateAfter = (model: NgramModel, tokens: Iterable<number>) => {
  let state = startState(model)
  for (const token of tokens) state = advance(model, state, token)
  return state
}

describe('trainNgramModel', () => {
  test('probabilities equal the formulas, for every order, context and token', async () => {
    await fc.assert(
      fc.asyncProperty(corpus, fc.integer({ min: 1, max: 5 }), fc.array(fc.constantFrom(...letters, 'new'), { maxLength: 6 }), async (words, order, context) => {
        const tokenizer = createWordTokenizer(letters)
        const texts = words.map((text) => text.join(' '))
        const model = await trainNgramModel({ texts, tokenizer, order })
        const reference = referenceModel(texts.map((text) => [...tokenizer.encode(text), 0]), order, tokenizer.vocabSize)
        const history = [...tokenizer.encode(context.join(' '))]
        const state = stateAfter(model, history)
        const all = distribution(model, state)
        for (let token = 0; token < tokenizer.vocabSize; token++) {
          const expected = order === 1 ? reference([], token) : reference(history, token)
          expect(probability(model, state, token)).toBeCloseTo(expected, 12)
          expect(all[token]).toBeCloseTo(expected, 12)
        }
      }),
      { numRuns: 150 },
    )
  })

  test('every distribution sums to one, has no zero, and `likeliest` is its maximum', async () => {
    await fc.assert(
      fc.asyncProperty(corpus, fc.integer({ min: 1, max: 8 }), fc.array(fc.constantFrom(...letters), { maxLength: 9 }), async (words, order, context) => {
        const tokenizer = createWordTokenizer(letters, { hasEnd: words.length % 2 === 0 || words.flat().length === 0 })
        const model = await trainNgramModel({ texts: words.map((text) => text.join(' ')), tokenizer, order })
        const state = stateAfter(model, tokenizer.encode(context.join(' ')))
        const all = distribution(model, state)
        expect(all.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12)
        expect(Math.min(...all)).toBeGreaterThan(0)
        expect(all[likeliest(model, state)]).toBeCloseTo(Math.max(...all), 14)
      }),
      { numRuns: 150 },
    )
  })

  test('a tiny corpus by hand', async () => {
    // "a b", "a c": unigrams count left neighbours: a 1 (start), b 1, c 1, end 2; discounts fall back on ½, 1, 1½
    const tokenizer = createWordTokenizer(['a', 'b', 'c'])
    const model = await trainNgramModel({ texts: ['a b', 'a c'], tokenizer, order: 2 })
    const unigram = (count: number, discount: number): number => (count - discount) / 5 + ((3 * 0.5 + 1) / 5) * (1 / 5)
    expect(model.levels[0]!.discounts).toEqual([0.5, 1, 1.5])
    expect([...model.unigrams]).toEqual([unigram(2, 1), unigram(0, 0), unigram(1, 0.5), unigram(1, 0.5), unigram(1, 0.5)].map((p) => expect.closeTo(p, 14)))
    // after "a": b and c once each of two
    expect(probability(model, stateAfter(model, [2]), 3)).toBeCloseTo(0.25 + 0.5 * unigram(1, 0.5), 14)
  })

  test('a higher order tells more of repetitive text', async () => {
    const text = 'a b c d e f '.repeat(20) + 'a c b d f e '.repeat(20)
    const tokenizer = createWordTokenizer(letters)
    const loss = async (order: number): Promise<number> => {
      const model = await trainNgramModel({ texts: [text], tokenizer, order })
      let state = startState(model)
      let sum = 0
      for (const token of tokenizer.encode(text)) {
        sum -= Math.log(probability(model, state, token))
        state = advance(model, state, token)
      }
      return sum
    }
    const losses = [await loss(1), await loss(2), await loss(3)]
    expect(losses).toEqual([...losses].sort((a, b) => b - a))
  })

  test('mistakes are named', async () => {
    const tokenizer = createWordTokenizer(letters, { hasEnd: false })
    await expect(trainNgramModel({ texts: ['a'], tokenizer, order: 9 })).rejects.toThrow('n-gram model: order: expected an integer from 1 to 8, got 9')
    await expect(trainNgramModel({ texts: ['', ' '], tokenizer })).rejects.toThrow('texts: expected at least one token, got none')
    await expect(trainNgramModel({ texts: ['a'], tokenizer, signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
  })
})

test('discounts by the formula, and where it fails', () => {
  // n1 = 4, n2 = 3, n3 = 2, n4 = 1: Y = 4/10
  expect(estimateDiscounts([1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 0, 9])).toEqual([1 - (0.8 * 3) / 4, 2 - (1.2 * 2) / 3, 3 - (1.6 * 1) / 2].map((d) => expect.closeTo(d, 14)))
  expect(estimateDiscounts([1, 1])).toEqual([0.5, 1, 1.5])
})
