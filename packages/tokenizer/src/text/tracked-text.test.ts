import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bertNormalizer } from '../normalizers/bert-normalizer.ts'
import { lowercase } from '../normalizers/letter-case.ts'
import { replace } from '../normalizers/replace.ts'
import { nmt, strip, stripAccents } from '../normalizers/strip.ts'
import { unicodeForm } from '../normalizers/unicode-form.ts'
import { literalMatcher } from '../pre-tokenizers/matcher.ts'
import { prepended, untouched, type Normalizer } from './tracked-text.ts'
import { wellFormed } from './well-formed.ts'

const normalizers: Record<string, Normalizer> = {
  NFC: unicodeForm('NFC'),
  NFD: unicodeForm('NFD'),
  NFKC: unicodeForm('NFKC'),
  NFKD: unicodeForm('NFKD'),
  lowercase,
  strip: strip(true, true),
  stripAccents,
  nmt,
  replace: replace(literalMatcher('a'), 'xyz'),
  remove: replace(literalMatcher(' '), ''),
  prepend: (input) => prepended(input, '▁'),
  bert: bertNormalizer({ cleanText: true, handleChineseChars: true, lowercase: true }),
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: fc.constantFrom('a', 'A', ' ', '\t', 'é', 'e\u0301', '\u0323', '\u0302', 'ﬁ', 'İ', 'Σ', '你', '가', '\u1100\u1161\u11a8', '😀', '\u0344', '\u0f73'), maxLength: 12 }),
)

test.each(Object.entries(normalizers))('%s gives the same text whether or not it tracks where that came from', (_, normalize) => {
  fc.assert(
    fc.property(text, (value) => {
      const clean = wellFormed(value)
      const tracked = normalize(untouched(clean, 0, true))
      expect(tracked.text).toBe(normalize(untouched(clean, 0, false)).text)
      expect(tracked.origins!.starts).toHaveLength(tracked.text.length)
      expect(tracked.origins!.ends).toHaveLength(tracked.text.length)
      for (let i = 0; i < tracked.text.length; i++) {
        expect(tracked.origins!.starts[i]).toBeLessThanOrEqual(tracked.origins!.ends[i]!)
        expect(tracked.origins!.ends[i]).toBeLessThanOrEqual(clean.length)
      }
    }),
    { numRuns: 500 },
  )
})

test('what is composed stands where its first part stood, what is inserted where the one before it stands', () => {
  const composed = unicodeForm('NFC')(untouched('xe\u0301y', 0, true))
  expect([...composed.origins!.starts]).toEqual([0, 1, 3])
  expect([...composed.origins!.ends]).toEqual([1, 2, 4])
  const decomposed = unicodeForm('NFKD')(untouched('ﬁé', 0, true))
  expect([...decomposed.origins!.starts]).toEqual([0, 0, 1, 1])
})
