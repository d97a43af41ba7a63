import { expect, test } from 'vitest'
import { createAddedTokenMatcher, type AddedToken } from './added-tokens.ts'

const token = (content: string, flags: Partial<AddedToken> = {}): AddedToken => ({
  id: 0,
  content,
  special: true,
  lstrip: false,
  rstrip: false,
  singleWord: false,
  normalized: false,
  ...flags,
})

const find = (text: string, ...tokens: AddedToken[]): string[] => createAddedTokenMatcher(tokens)(text).map(({ start, end }) => text.slice(start, end))

test('leftmost, then longest', () => {
  expect(find('aabab', token('ab'), token('aba'), token('b'))).toEqual(['aba', 'b'])
  expect(find('xyz', token('ab'))).toEqual([])
  expect(find('', token('a'))).toEqual([])
})

test('a beginning that fails does not hide what follows', () => {
  expect(find('<|<|end|>', token('<|end|>'))).toEqual(['<|end|>'])
  expect(find('aaab', token('aab'))).toEqual(['aab'])
})

test('lstrip and rstrip take white space along, but no other match', () => {
  expect(find('a \u0085<m>\u3000 b', token('<m>', { lstrip: true }))).toEqual([' \u0085<m>'])
  expect(find('a <m>\u3000 b', token('<m>', { rstrip: true }))).toEqual(['<m>\u3000 '])
  expect(find('<m>  <m>', token('<m>', { lstrip: true, rstrip: true }))).toEqual(['<m>  ', '<m>'])
})

test('a single word stands alone', () => {
  expect(find('the theme bathe the, é-the théthe the😀 the_', token('the', { singleWord: true }))).toEqual(['the', 'the', 'the', 'the'])
})
