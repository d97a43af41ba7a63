import { describe, expect, test } from 'vitest'
import { golden } from '../../test/golden-metrics.ts'
import { chrF, type ChrFOptions } from './chr-f.ts'

const { hyps, refs, refs2 } = golden.mt

describe('sacrebleu 2.6.0', () => {
  for (const [name, expected] of Object.entries(golden.mt.chrf)) {
    if (name === 'chrF_eps') continue // the older smoothing is not offered
    test(name, () => {
      const { args } = expected
      const options: ChrFOptions = {
        ...(args['word_order'] === undefined ? {} : { wordOrder: args['word_order'] as number }),
        ...(args['beta'] === undefined ? {} : { beta: args['beta'] as number }),
        ...(args['lowercase'] === true ? { lowercase: true } : {}),
        ...(args['whitespace'] === true ? { whitespace: true } : {}),
      }
      for (const [withSecond, corpus, sentences] of [
        [false, expected.corpus_1ref, expected.sentence_1ref],
        [true, expected.corpus_2ref, expected.sentence_2ref],
      ] as const) {
        const references = refs.map((reference, index) => (withSecond ? [reference, refs2[index]!] : [reference]))
        expect(chrF({ predictions: hyps, references, ...options })).toBeCloseTo(corpus, 9)
        for (const [index, score] of sentences.entries()) {
          expect(chrF({ predictions: [hyps[index]!], references: [references[index]!], ...options })).toBeCloseTo(score, 9)
        }
      }
    })
  }
})

test('empty texts score 0', () => {
  expect(chrF({ predictions: [''], references: [['']] })).toBe(0)
  expect(chrF({ predictions: ['a'], references: [['']] })).toBe(0)
})
