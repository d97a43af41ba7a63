import { expect, test } from 'vitest'
import { trainedJson } from '../../test/fixtures.ts'
import { tokenizerFromJson } from '../formats/tokenizer-json.ts'
import { countTokens } from './count-tokens.ts'
import { encodeBatch, encodeDetailed, encodePair } from './encode-detailed.ts'
import { healPrompt } from './heal-prompt.ts'

const vocab = Object.fromEntries(['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'un', '##aff', '##able', 'dog', 's', '##s', '.', '你'].map((token, id) => [token, id]))
const bert = tokenizerFromJson({
  added_tokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]'].map((content) => ({ content, id: vocab[content], special: true, normalized: false })),
  truncation: { max_length: 5, strategy: 'LongestFirst', stride: 1, direction: 'Right' },
  padding: { strategy: { Fixed: 8 }, direction: 'Right', pad_id: 0, pad_type_id: 0, pad_token: '[PAD]' },
  normalizer: { type: 'BertNormalizer', lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: { type: 'WordPiece', vocab, unk_token: '[UNK]' },
})

test('everything about each token', () => {
  const text = 'Unaffable 😀 dogs.'
  const { tokens, offsets, codePointOffsets, ...rest } = encodeDetailed(bert, text)
  expect(tokens).toEqual(['[CLS]', 'un', '##aff', '##able', '[UNK]', 'dog', '##s', '.', '[SEP]'])
  expect(tokens.map((_, i) => text.slice(offsets[i * 2], offsets[i * 2 + 1]))).toEqual(['', 'Un', 'aff', 'able', '😀', 'dog', 's', '.', ''])
  expect([...codePointOffsets.subarray(8, 12)]).toEqual([10, 11, 12, 15])
  expect([...rest.wordIds]).toEqual([-1, 0, 0, 0, 1, 2, 2, 3, -1])
  expect([...rest.specialTokensMask]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 1])
  expect([...rest.tokenIds]).toEqual([...bert.encode(text)])
})

test('two texts', () => {
  const { tokens, typeIds, sequenceIds } = encodePair(bert, 'dog', 'dogs')
  expect(tokens).toEqual(['[CLS]', 'dog', '[SEP]', 'dog', '##s', '[SEP]'])
  expect([...typeIds]).toEqual([0, 0, 0, 1, 1, 1])
  expect([...sequenceIds]).toEqual([-1, 0, -1, 1, 1, -1])
})

test('truncation and padding as the file says, or as asked for', () => {
  const text = 'unaffable dogs'
  const own = encodeDetailed(bert, text, { truncation: true, padding: true })
  expect(own.tokens).toEqual(['[CLS]', 'un', '##aff', '##able', '[SEP]', '[PAD]', '[PAD]', '[PAD]'])
  expect([...own.attentionMask]).toEqual([1, 1, 1, 1, 1, 0, 0, 0])
  expect(own.overflowing.map((part) => part.tokens.filter((token) => token !== '[PAD]'))).toEqual([['[CLS]', '##able', 'dog', '##s', '[SEP]']])
  const batch = encodeBatch(bert, ['dog', 'dogs dogs', ['dog', 'dog']], { padding: { id: 0, token: '[PAD]', toMultipleOf: 4 } })
  expect(batch.map(({ tokens }) => tokens.length)).toEqual([8, 8, 8])
  expect(() => encodeDetailed(bert, text, { truncation: { maxLength: 1 } })).toThrow(/truncation\.maxLength: expected an integer from 2/)
  expect(() => encodeDetailed(bert, text, { truncation: { maxLength: 4, stride: 2 } })).toThrow(/truncation\.stride: expected less than 2/)
  expect(() => encodeDetailed(tokenizerFromJson(trainedJson()), text, { padding: true })).toThrow(/padding: the tokenizer\.json has none/)
})

test('an empty text', () => {
  expect(encodeDetailed(bert, '').tokens).toEqual(['[CLS]', '[SEP]'])
  expect(encodeDetailed(bert, '', { addSpecialTokens: false }).tokens).toEqual([])
})

test('a byte-level tokenizer is described with the same ids as it encodes', () => {
  const tokenizer = tokenizerFromJson(trainedJson('cl100k'))
  const text = "The king's 😀 naïve\n\n  café<|endoftext|>"
  const encoding = encodeDetailed(tokenizer, text)
  expect([...encoding.tokenIds]).toEqual([...tokenizer.encode(text)])
  expect(countTokens(tokenizer, text)).toBe(encoding.tokenIds.length)
  expect(countTokens(bert, 'dogs')).toBe(4)
  expect(countTokens({ ...bert }, 'dogs')).toBe(4)
})

test('a prompt is healed by taking its last token back', () => {
  const tokenizer = tokenizerFromJson(trainedJson())
  const { tokenIds, takenBytes, candidateIds } = healPrompt(tokenizer, 'the k')
  expect(tokenizer.decode(tokenIds)).toBe('the')
  expect(new TextDecoder().decode(takenBytes)).toBe(' k')
  expect(Array.from(candidateIds, (id) => tokenizer.decode([id])).every((token) => token.startsWith(' k'))).toBe(true)
  expect(candidateIds.length).toBeGreaterThan(1)
  expect(healPrompt(tokenizer, 'the<|endoftext|>').takenBytes).toHaveLength(0)
  expect(healPrompt(tokenizer, '').tokenIds).toHaveLength(0)
})
