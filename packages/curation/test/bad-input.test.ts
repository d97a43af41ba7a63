// Text that nobody meant to be text: every step gives a verdict, in linear time (a quadratic rule would run into the time limit here), and
// what is kept can still be written as JSON.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TextDocument } from '@weft/contracts'
import { auditBias, balance, counterfactualAugment, curate, reweigh } from '../src/index.ts'
import {
  blocklist, c4Quality, exactDeduplicate, fineWebQuality, fixUnicode, gopherQuality, gopherRepetition, minHashDeduplicate, redactPersonalData, sample,
} from '../src/steps.ts'

/** Every step, with limits that let most texts through to the next. */
const lenientSteps = () => [
  fixUnicode(),
  redactPersonalData(),
  gopherQuality({ minWords: 0, maxWords: 1e9, minAverageWordLength: 0, maxAverageWordLength: 1e9, maxHashRatio: 9, maxEllipsisRatio: 9, maxBulletLines: 1, minAlphabeticWords: 0, minStopWords: 0 }),
  c4Quality({ minSentences: 0, minWordsPerLine: 0, maxWordLength: 1e9, terminalPunctuation: false, curlyBracket: false }),
  fineWebQuality({ minEndingLines: 0, maxShortLines: 1, maxDuplicateLineCharacters: 1, maxLineBreaksPerWord: 1e9 }),
  blocklist(),
  gopherRepetition({ maxDuplicateLines: 1, maxDuplicateParagraphs: 1, maxTopNgrams: { 2: 1e9 }, maxDuplicateNgrams: { 5: 1, 10: 1 } }),
  exactDeduplicate({ compare: 'simplified' }),
  sample({ fraction: 1 }),
  minHashDeduplicate(),
  reweigh(),
  balance(),
  counterfactualAugment(),
]

const run = async (documents: readonly TextDocument[]): Promise<string[]> => {
  const outcomes: string[] = []
  for await (const { document, decision } of curate({ documents, steps: lenientSteps() })) {
    expect(() => JSON.stringify(document)).not.toThrow()
    outcomes.push(decision.kept ? 'kept' : decision.rule)
  }
  return outcomes
}

const patterns = ['a', 'a-', '1-', '1 ', '1.', 'a@', '.', 'a.', '@', '[1', '(1', '{', 'a.b@', '+1 ', 'AB12', 'é', '\ud800', '😀', '-', "a'b", '[', 'http://', 'call ', '\u0301', ' ', '\t', '\r', 'Ã', ':', 'her ', 'he ', '\0', 'the cat ']

describe('one long line', () => {
  test.each(patterns)('of %j', async (unit) => {
    const outcomes = await run([{ id: 'long', text: unit.repeat(Math.ceil(100_000 / unit.length)) }])
    expect(outcomes.length).toBeGreaterThan(0)
  })
})

test('any bytes read as text, empty documents, lone surrogates', async () => {
  const bytes = fc.uint8Array({ maxLength: 400 }).map((raw) => new TextDecoder('latin1').decode(raw))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(bytes, fc.string({ unit: 'binary' }), fc.constant('')), { maxLength: 6 }), async (texts) => {
      const documents = texts.map((text, i) => ({ id: String(i), text }))
      const outcomes = await run(documents)
      expect(outcomes.length).toBeGreaterThanOrEqual(texts.length)
      const audit = await auditBias(documents)
      expect(JSON.parse(JSON.stringify(audit))).toEqual(audit)
    }),
    { numRuns: 60 },
  )
})
