import { describe, expect, test } from 'vitest'
import { tokenizerFromTiktoken, type TokenizerFromTiktokenOptions } from './tiktoken.ts'
import { tokenizerFromJson } from './tokenizer-json.ts'
import { tokenizerToJson } from './tokenizer-json-writer.ts'

const line = (bytes: readonly number[], rank: number): string => `${btoa(String.fromCharCode(...bytes))} ${rank}`
const bytes = Array.from({ length: 256 }, (_, byte) => line([byte], byte))
const word = (text: string): number[] => [...new TextEncoder().encode(text)]
const ranks = [...bytes, line(word('he'), 256), line(word('ll'), 257), line(word('hell'), 258), line(word(' hello'), 259)].join('\n')

const load = (changes: Partial<TokenizerFromTiktokenOptions> = {}) =>
  tokenizerFromTiktoken({ ranks, pattern: 'gpt2', specialTokens: { '<|endoftext|>': 260 }, source: 'a.tiktoken', ...changes })

test('ranks say what merges first; a piece that is a token is taken whole', () => {
  const tokenizer = load()
  expect([...tokenizer.encode('hello')]).toEqual([258, 0x6f])
  expect([...tokenizer.encode(' hello')]).toEqual([259]) // no merge leads there
  expect([...tokenizer.encode('<|endoftext|>')]).toEqual([260])
  expect(tokenizer.endIds).toEqual([260])
  expect(tokenizer.decode([258, 0x6f, 260])).toBe('hello<|endoftext|>')
})

test('bytes, a Map of special tokens, an own pattern', () => {
  const tokenizer = load({ ranks: new TextEncoder().encode(`${ranks}\r\n`), specialTokens: new Map([['__proto__', 300]]), pattern: /\S+|\s+/u })
  expect([...tokenizer.encode(' hello__proto__')]).toEqual([32, 258, 0x6f, 300])
  expect(tokenizer.vocabSize).toBe(301)
})

test('written as tokenizer.json it gives the same ids', () => {
  const tokenizer = load({ pattern: 'cl100k' })
  const again = tokenizerFromJson(JSON.stringify(tokenizerToJson(tokenizer)))
  for (const text of ['hello hello', ' hellhe', '<|endoftext|>', 'κόσμε', 'llll']) expect(again.encode(text)).toEqual(tokenizer.encode(text))
})

describe('bad files', () => {
  test.each<[string, string, RegExp]>([
    ['no base64', `${ranks}\n!! 261`, /a\.tiktoken, line 261: expected base64, a space and a rank, got "!! 261"/],
    ['cut off', ranks.slice(0, -6), /line 260: expected base64/],
    ['a rank twice', `${ranks}\n${line(word('zz'), 12)}`, /line 261: the rank 12 is there twice/],
    ['a token twice', `${ranks}\n${line(word('he'), 400)}`, /line 261: the token aGU= is there twice/],
    ['a huge rank', `${ranks}\n${line(word('zz'), 1e9)}`, /line 261: expected a rank below/],
    ['a byte is missing', ranks.replace(/^.* 65\n/m, ''), /a\.tiktoken: expected a token for every byte, none for 65/],
    ['empty', '', /none for 0/],
  ])('%s', (_, text, message) => {
    expect(() => load({ ranks: text })).toThrow(expect.objectContaining({ kind: 'format', message: expect.stringMatching(message) as string }))
  })

  test('a special token with the id of another', () => {
    expect(() => load({ specialTokens: { '<s>': 12 } })).toThrow(/specialTokens: expected an id for "<s>" .* got 12/)
  })
})
