import { array, assert, constantFrom, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { golden } from '../../test/golden-metrics.ts'
import { tokenizeForBleu, type BleuTokenizer } from './bleu-tokenizers.ts'
import { bleu, type BleuOptions } from './bleu.ts'

const { hyps, refs, refs2 } = golden.mt
const one = refs.map((reference) => [reference])
const two = refs.map((reference, index) => [reference, refs2[index]!])

const optionsOf = (args: Record<string, unknown>): BleuOptions => ({
  ...(args['lowercase'] === true ? { lowercase: true } : {}),
  ...(args['tokenize'] === undefined ? {} : { tokenizer: args['tokenize'] as BleuTokenizer }),
  ...(args['smooth_method'] === undefined
    ? {}
    : { smoothing: args['smooth_method'] === 'add-k' ? 'addK' : (args['smooth_method'] as 'floor' | 'none') }),
  ...(args['max_ngram_order'] === undefined ? {} : { maxOrder: args['max_ngram_order'] as number }),
})

describe('sacrebleu 2.6.0', () => {
  for (const [name, expected] of Object.entries(golden.mt.bleu)) {
    if (name === 'lm_eval') continue
    test(name, () => {
      const options = optionsOf(expected.args)
      for (const [references, corpus, sentences] of [
        [one, expected.corpus_1ref, expected.sentence_1ref_effective_order],
        [two, expected.corpus_2ref, expected.sentence_2ref_effective_order],
      ] as const) {
        const result = bleu({ predictions: hyps, references, ...options })
        expect(result.score).toBeCloseTo(corpus.score, 9)
        expect(result.brevityPenalty).toBeCloseTo(corpus.bp, 12)
        expect([result.predictionLength, result.referenceLength]).toEqual([corpus.sys_len, corpus.ref_len])
        for (const [order, precision] of corpus.precisions.entries()) expect(result.precisions[order]).toBeCloseTo(precision, 9)
        for (const [index, score] of sentences.entries()) {
          const sentence = bleu({ predictions: [hyps[index]!], references: [references[index]!], ...options, effectiveOrder: true })
          expect(sentence.score).toBeCloseTo(score, 9)
        }
      }
    })
  }

  test('tokens', () => {
    for (const [tokenizer, tokens] of [
      ['13a', golden.mt.bleu['default']!.tokens_13a!],
      ['intl', golden.mt.bleu['intl']!.tokens_intl!],
    ] as const) {
      expect(hyps.map((line) => tokenizeForBleu(line, tokenizer).join(' '))).toEqual(tokens.slice(0, hyps.length))
    }
  })
})

test('a text against itself scores 100, against nothing in common 0, and word order alone changes the score', () => {
  const word = constantFrom('the', 'cat', 'sat', 'on', 'a', 'mat')
  assert(
    property(array(word, { minLength: 4, maxLength: 12 }), (words) => {
      const text = words.join(' ')
      expect(bleu({ predictions: [text], references: [[text]] }).score).toBeCloseTo(100, 9)
      expect(bleu({ predictions: [text], references: [['quite other words stand here']] }).score).toBe(0)
    }),
  )
})

test('wrong input is named', () => {
  expect(() => bleu({ predictions: ['a'], references: [] })).toThrow('bleu: expected lists of one length, got predictions 1, references 0')
  expect(() => bleu({ predictions: ['a'], references: [[]] })).toThrow('at least one reference')
})
