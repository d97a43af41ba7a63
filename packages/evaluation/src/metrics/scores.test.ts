import { describe, expect, test } from 'vitest'
import { golden } from '../../test/golden-metrics.ts'
import { answerScores, exactMatch, normalizeAnswer, type ExactMatchOptions } from './answer-match.ts'
import { brier, calibrationBins, expectedCalibrationError } from './calibration.ts'
import { accuracy, f1, mcc } from './classification.ts'
import { accuracyNorm, bitsPerByte, likeliestChoice, perplexity, softmax } from './likelihood.ts'
import { passAtK } from './pass-at-k.ts'
import { countCharacters, countSpacedWords, splitSpaced, wordsOf } from './text-units.ts'

describe('lm-eval 0.4.13', () => {
  const { loglikelihoods, rolling_loglikelihoods, rolling_words, ...expected } = golden.lm_eval_aggregation

  test('perplexity and bits per byte', () => {
    expect(perplexity({ logProbs: loglikelihoods })).toBeCloseTo(expected.perplexity, 9)
    expect(perplexity({ logProbs: rolling_loglikelihoods, weights: rolling_words })).toBeCloseTo(expected.weighted_perplexity, 12)
    expect(bitsPerByte({ logProbs: rolling_loglikelihoods, byteCounts: rolling_words })).toBeCloseTo(expected.bits_per_byte, 12)
  })

  test('exact match', () => {
    const { pred, ref, scores } = golden.lm_eval_exact_match
    const options: Record<string, ExactMatchOptions> = {
      plain: {},
      ignore_case: { ignoreCase: true },
      ignore_punctuation: { ignorePunctuation: true },
      ignore_numbers: { ignoreNumbers: true },
      gsm8k: { ignoreCase: true, ignorePatterns: [/,/g, /\$/g, /.*#### /gs, /\.$/g] },
    }
    for (const [name, expectedScores] of Object.entries(scores)) {
      const found = pred.map((prediction, index) => exactMatch({ predictions: [prediction], references: [ref[index]!], ...options[name] }))
      expect(found, name).toEqual(expectedScores)
    }
  })
})

test('SQuAD: normal form, exact match, F1 (2.0)', () => {
  for (const row of golden.squad.rows) {
    expect(normalizeAnswer(row.pred)).toBe(row.norm_pred)
    expect(row.golds.map(normalizeAnswer)).toEqual(row.norm_golds)
    const scores = answerScores({ prediction: row.pred, references: row.golds })
    expect(scores.exactMatch).toBe(row.em)
    expect(scores.f1).toBeCloseTo(row.f1_v2, 12)
  }
})

test('scikit-learn 1.9.1: accuracy, F1, Matthews', () => {
  const { pred: predictions, binary, ...expected } = golden.classification
  const references = golden.calibration.gold
  expect(accuracy({ predictions, references })).toBeCloseTo(expected.accuracy, 12)
  expect(f1({ predictions, references })).toBeCloseTo(expected.f1_macro, 12)
  expect(f1({ predictions, references, average: 'micro' })).toBeCloseTo(expected.f1_micro, 12)
  expect(f1({ predictions, references, average: 'weighted' })).toBeCloseTo(expected.f1_weighted, 12)
  expect(mcc({ predictions, references })).toBeCloseTo(expected.mcc, 12)
  const isFirst = references.map((label) => (label === 0 ? 1 : 0))
  expect(f1({ predictions: binary.pred, references: isFirst, positive: 1 })).toBeCloseTo(binary.f1, 12)
  expect(mcc({ predictions: binary.pred, references: isFirst })).toBeCloseTo(binary.mcc, 12)
  expect(mcc({ predictions: [1, 1], references: [1, 1] })).toBe(0)
  expect(() => accuracy({ predictions: [1], references: [1, 2] })).toThrow(
    'accuracy: expected lists of one length, got predictions 1, references 2',
  )
})

test('Brier and calibration error, equal width and equal mass', () => {
  const { logits, gold: answers, probs, confidence: confidences, correct, ...expected } = golden.calibration
  for (const [index, row] of logits.entries()) {
    for (const [place, probability] of softmax(row).entries()) expect(probability).toBeCloseTo(probs[index]![place]!, 12)
  }
  expect(brier({ probabilities: probs, answers })).toBeCloseTo(expected.brier_multiclass_lm_eval, 12)
  for (const [binning, numBins, { ece, bins }] of [
    ['equalWidth', 10, expected.ece_equal_width_10],
    ['equalWidth', 15, expected.ece_equal_width_15],
    ['equalMass', 10, expected.ece_equal_mass_10],
    ['equalMass', 5, expected.ece_equal_mass_5],
  ] as const) {
    const options = { confidences, correct: correct.map(Boolean), numBins, binning }
    expect(expectedCalibrationError(options)).toBeCloseTo(ece, 12)
    const found = calibrationBins(options)
    expect(found.map((bin) => bin.numItems)).toEqual(bins.map((bin) => bin.n))
    for (const [index, bin] of bins.entries()) if (bin.n > 0) expect(found[index]!.confidence).toBeCloseTo(bin.conf!, 12)
  }
})

test('calibration with fewer items than bins', () => {
  expect(
    calibrationBins({ confidences: [0.1, 0.9], correct: [false, true], numBins: 4, binning: 'equalMass' }).map((bin) => bin.numItems),
  ).toEqual([1, 1, 0, 0])
  expect(expectedCalibrationError({ confidences: [0, 1], correct: [false, true] })).toBe(0)
})

test('pass@k', () => {
  for (const [numSamples, numCorrect, k, value] of golden.pass_at_k.cases) {
    if (k <= numSamples) expect(passAtK({ numSamples, numCorrect, k })).toBeCloseTo(value, 12)
  }
  expect(() => passAtK({ numSamples: 2, numCorrect: 3, k: 1 })).toThrow('passAtK')
})

test('choices: by sum, by character, by byte; the first of equals', () => {
  const logProbs = [-6, -8, -8.5]
  expect(likeliestChoice({ logProbs, choices: ['ab', 'abcd', 'ééé'] })).toBe(0)
  expect(likeliestChoice({ logProbs, choices: ['ab', 'abcd', 'ééé'], by: 'character' })).toBe(1)
  expect(likeliestChoice({ logProbs, choices: ['ab', 'abcd', 'ééé'], by: 'byte' })).toBe(2)
  expect(likeliestChoice({ logProbs: [-1, -1], choices: ['a', 'b'] })).toBe(0)
  // a character outside the basic plane counts once
  expect(accuracyNorm({ logProbs: [[-4, -1.5]], choices: [['🙂🙂', 'a']], answers: [1] })).toBe(1)
})

test('units of text, as Python counts them', () => {
  expect(countCharacters('a🙂e\u0301')).toBe(4)
  expect(countSpacedWords(' a  b\n')).toBe(4)
  expect(splitSpaced('\x1ca\x85b\ufeff ')).toEqual(['a', 'b\ufeff'])
  expect(wordsOf("Don't stop, 3 cafés!")).toEqual(["don't", 'stop', ',', '3', 'cafés', '!'])
  expect(wordsOf('今天 ok')).toEqual(['今', '天', 'ok'])
})
