import { expect, test } from 'vitest'
import { literalMatcher } from './matcher.ts'
import { compilePattern } from './pattern-syntax.ts'

const matches = (pattern: string, text: string): string[] => Array.from(text.matchAll(compilePattern(pattern, 'here')), ([match]) => match)

test.each([
  [String.raw`\s+`, 'a\u0085\u00a0b\ufeffc', ['\u0085\u00a0']],
  [String.raw`\S+`, 'a\u0085b\ufeffc', ['a', 'b\ufeffc']],
  [String.raw`\d+`, '12٣²', ['12٣']],
  [String.raw`\w+`, 'aé_1²-b', ['aé_1²', 'b']],
  [String.raw`[\w-]+`, 'a-b c', ['a-b', 'c']],
  [String.raw`(?i:'s|k)`, "'S 'ſ K \u212a x", ["'S", "'ſ", 'K', '\u212a']],
  ['(?i)ab|[c-d]', 'AB Ab C d', ['AB', 'Ab', 'C', 'd']],
  ['a(?i:b)c', 'aBc aBC', ['aBc']],
  ['a?+a', 'a aa', ['aa']],
  [String.raw`\p{L}++x|.`, 'abx', ['a', 'b', 'x']],
  ['(?>a|ab)c', 'abc ac', ['ac']],
  ['a{,2}b', 'aaab', ['aab']],
  ['^a$', 'a\nba\na', ['a', 'a']],
  ['.+', 'a\nb', ['a', 'b']],
  [String.raw`\p{Han}+`, 'ab中文', ['中文']],
  [String.raw`[\p{L}&&[^\p{Lu}]]+`, 'abCd', ['ab', 'd']],
  [String.raw`[^\s[ab]]`, 'a bc', ['c']],
  [String.raw`\p{^L}`, 'a1', ['1']],
  [String.raw`[]a-]+`, 'x]-a', [']-a']],
  [String.raw`\x41|\x{1F600}|\u00e9`, 'A😀é', ['A', '😀', 'é']],
  [String.raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_{|}~]+`, 'a[\\]&&--b', ['[\\]&&--']],
  [String.raw`(?<![a-z])b(?=c)`, 'abc bc', ['b']],
  [String.raw`\bfoo\b`, 'éfoo foo', ['foo']],
  [String.raw`\Aa|b\z`, 'ab ab', ['a', 'b']],
])('%s', (pattern, text, expected) => {
  expect(matches(pattern, text)).toEqual(expected)
})

test.each([
  ['(?x:a b)', 'this kind of group'],
  [String.raw`(a)\1`, String.raw`\1`],
  ['a)', 'an unmatched )'],
  ['(a', 'a ( without its )'],
  ['[a', 'a [ without its ]'],
  ['*a', 'a * with nothing before it'],
  ['[[:alpha:]]', 'a POSIX class'],
  [String.raw`\p{Nonsense}`, 'the property Nonsense'],
  [String.raw`\K`, String.raw`\K`],
  ['a\\', 'a \\ at the end'],
])('%s is refused, with the place', (pattern, what) => {
  expect(() => compilePattern(pattern, 'pre_tokenizer.pattern')).toThrow(`pre_tokenizer.pattern: ${what}`)
})

test('a literal is taken as it is', () => {
  expect(literalMatcher('.b(')('a.b(c) 😀.b(')).toEqual([1, 4, 9, 12])
})
