import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countedMatcher } from './counted-matcher.ts'
import { namedPatterns } from './known-patterns.ts'
import { regexMatcher } from './matcher.ts'
import { patternMatcher } from './pattern-matcher.ts'
import { compilePattern } from './pattern-syntax.ts'
import { parsePattern } from './pattern-tree.ts'

const patterns = [
  ...Object.values(namedPatterns),
  '(?:ab|a)+b?', '(a+)+c|x', '(?>a+|b)c', 'a++b?|[ab]{2,3}?c', '(?<=ab)c|(?<!a)b', '^a|b$|\\bc\\b', '[^a\\s]*?b', '(?i:ss?)', '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+', '[\\p{Han}\\p{Hiragana}]+|.', '(?:a|b|(?:c ?)+)+', 'x*',
]
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'x', 's', 'S', ' ', '\n', 'é', '漢', 'か', '😀', '1', "'"), maxLength: 24 })

test.each(patterns)('the matcher that counts finds what the regular expression finds: %s', (pattern) => {
  const regex = compilePattern(pattern, 'pattern')
  const plain = regexMatcher(regex)
  const counted = countedMatcher(parsePattern(regex.source), 'pattern')
  fc.assert(
    fc.property(text, (value) => {
      expect(counted(value)).toEqual(plain(value))
    }),
    { numRuns: 400 },
  )
})

describe('a pattern that would backtrack for ever', () => {
  test.each(['(a+)+$', '(?:a|a)*b', '(\\w+\\s?)+;', '(a*)*b'])('%s is refused, with the place, on the text that shows it', (pattern) => {
    const matcher = patternMatcher(pattern, 'pre_tokenizer.pattern.Regex')
    expect(matcher('b;').length).toBeGreaterThanOrEqual(0)
    expect(() => matcher(`${'a'.repeat(60)}!`)).toThrow(expect.objectContaining({ kind: 'unsupported', message: expect.stringMatching(/^pre_tokenizer\.pattern\.Regex: the pattern .* takes too many steps/) as string }))
  })

  test('so is one that needs the square of the length, on a long run', () => {
    expect(() => patternMatcher('\\s+$', 'pattern')(`${' '.repeat(200_000)}x`)).toThrow(/too many steps/)
  })
})

test('a long run is no trouble for a pattern without', () => {
  expect(patternMatcher('\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+|\\S+', 'pattern')(`${' '.repeat(300_000)}x`)).toEqual([0, 299_999, 299_999, 300_000, 300_000, 300_001])
})
