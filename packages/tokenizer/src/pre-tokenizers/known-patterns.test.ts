import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { knownSplitter, namedPatterns, splitDigits } from './known-patterns.ts'
import { newerThanReference } from '../text/unicode-differences.ts'
import { regexMatcher } from './matcher.ts'
import { patternSplitter } from './pattern-splitter.ts'
import { compilePattern } from './pattern-syntax.ts'
import { wellFormed } from '../text/well-formed.ts'
import { createPieceList, pushPiece, type Splitter } from './pieces.ts'

const split = (splitter: Splitter, text: string): string[] => {
  const bytes = new TextEncoder().encode(text)
  const input = createPieceList()
  const output = createPieceList()
  pushPiece(input, 0, bytes.length)
  splitter(text, bytes, input, output)
  return Array.from({ length: output.count }, (_, i) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(output.spans[i * 2], output.spans[i * 2 + 1])))
}

const W = '\\p{White_Space}'
const contraction = "'(?:[sSſ]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])"
const tail = `[${W}]+(?![^${W}])|[${W}]+`
const U = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]'
const L = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]'

/** The patterns once more, written for JavaScript by hand. */
const references = {
  [namedPatterns.gpt2]: `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${W}\\p{L}\\p{N}]+|${tail}`,
  [namedPatterns.cl100k]: `${contraction}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^${W}\\p{L}\\p{N}]+[\\r\\n]*|[${W}]*[\\r\\n]+|${tail}`,
  [namedPatterns.cl100k.replace('{1,3}', '')]: `${contraction}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^${W}\\p{L}\\p{N}]+[\\r\\n]*|[${W}]*[\\r\\n]+|${tail}`,
  [namedPatterns.o200k]:
    `[^\\r\\n\\p{L}\\p{N}]?${U}*${L}+(?:${contraction})?|[^\\r\\n\\p{L}\\p{N}]?${U}+${L}*(?:${contraction})?|` +
    `\\p{N}{1,3}| ?[^${W}\\p{L}\\p{N}]+[\\r\\n\\/]*|[${W}]*[\\r\\n]+|${tail}`,
}

/** Text in which the borders of the patterns' classes are common: quotes, all kinds of space, case, marks, digits, wide characters. */
const newer = new RegExp(`[${newerThanReference}]`, 'gv')
const trickyText = fc
  .array(
    fc.oneof(
      fc.constantFrom(' ', '  ', '\n', '\r\n', '\t', '\u0085', '\u00a0', '\u3000', '\ufeff', '\u200b', '/', "'", "'s", "'LL", "'ſ", "'re", '!', '…', '😀'),
      fc.constantFrom('a', 'Z', 'ß', 'ǅ', 'ʰ', '中', 'あ', '\u0301', '\u20dd', 'é', 'Ω', '1', '²', 'Ⅷ', '٣', '𝟘', '𐐀', '𐐨', '_', '\0'),
      fc.string({ unit: 'binary', maxLength: 3 }),
    ),
    { maxLength: 24 },
  )
  .map((parts) => wellFormed(parts.join('')))

describe.each(Object.entries(references))('%s', (pattern, reference) => {
  const scanner = knownSplitter(pattern)!
  const regex = new RegExp(reference, 'gu')

  test('the scanner gives the pieces of the regular expression', () => {
    expect(scanner).toBeDefined()
    fc.assert(
      fc.property(trickyText, (anyText) => {
        const text = anyText.replace(newer, '') // the scanner does not take them for letters
        expect(split(scanner, text)).toEqual(text.match(regex) ?? [])
      }),
      { numRuns: 4000 },
    )
  })

  test('so does the pattern as it is compiled from the file', () => {
    const compiled = patternSplitter(regexMatcher(compilePattern(pattern, 'pattern')), 'Isolated', false)
    fc.assert(
      fc.property(trickyText, (text) => {
        expect(split(compiled, text)).toEqual(split(scanner, text))
      }),
      { numRuns: 1000 },
    )
  })
})

test('patterns that are written differently but mean the same have the same scanner', () => {
  const r50k = String.raw`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
  expect(knownSplitter(r50k)).toBe(knownSplitter(namedPatterns.gpt2))
  expect(knownSplitter('\\s+')).toBeUndefined()
})

test('digits alone or in runs', () => {
  expect(split(splitDigits(true), 'ab12²c ٣')).toEqual(['ab', '1', '2', '²', 'c ', '٣'])
  expect(split(splitDigits(false), 'ab12²c ٣')).toEqual(['ab', '12²', 'c ', '٣'])
})
