import type { Tokenizer } from '@weft/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { trainedJson } from '../../test/fixtures.ts'
import { encodeWithOffsets } from './encode-with-offsets.ts'
import { tokenizerFromJson } from '../formats/tokenizer-json.ts'

const tokenizer = tokenizerFromJson(trainedJson())
/** The same behind the plain interface, as a tokenizer from elsewhere. */
const foreign: Tokenizer = { ...tokenizer }

const covered = (from: Tokenizer, text: string, options = {}): string[] => {
  const { tokenIds, offsets } = encodeWithOffsets(from, text, options)
  return Array.from(tokenIds, (_, i) => text.slice(offsets[i * 2], offsets[i * 2 + 1]))
}

test.each([['own', tokenizer], ['foreign', foreign]] as const)('each token of the %s tokenizer covers its characters whole', (_, from) => {
  expect(covered(from, 'the κ<|endoftext|> the')).toEqual(['the', ' ', 'κ', 'κ', '<|endoftext|>', ' the'])
  expect(covered(from, '😀')).toEqual(['😀', '😀', '😀', '😀'])
  expect(covered(from, 'the king ', { trimSpaces: true })).toEqual(['the', 'king', ''])
})

test('offsets cover any text in order, and both ways of finding them agree', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const { tokenIds, offsets } = encodeWithOffsets(tokenizer, text)
      expect(tokenIds).toEqual(tokenizer.encode(text))
      expect(encodeWithOffsets(foreign, text)).toEqual({ tokenIds, offsets })
      let reached = 0
      for (let i = 0; i < tokenIds.length; i++) {
        expect(offsets[i * 2]).toBeLessThanOrEqual(reached)
        expect(offsets[i * 2 + 1]).toBeGreaterThanOrEqual(reached)
        reached = offsets[i * 2 + 1]!
      }
      expect(reached).toBe(text.length)
    }),
  )
})

test('where normalization joins characters, a token covers the first, as in the reference', () => {
  const nfc = tokenizerFromJson({ ...trainedJson(), normalizer: { type: 'NFC' } })
  expect(covered(nfc, 'ae\u0301b')).toEqual(['a', 'e', 'e', 'b'])
  expect(covered(nfc, 'x\u0302\u0323y')).toEqual(['x', '\u0302', '\u0302', '\u0323', '\u0323', 'y'])
  expect(covered(nfc, '<|endoftext|>u\u0308<|endoftext|>')).toEqual(['<|endoftext|>', 'u', 'u', '<|endoftext|>'])
})

test('a space that is put before the text has no place in it', () => {
  const prefixing = tokenizerFromJson({ ...trainedJson(), pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true } })
  expect(prefixing.decode(prefixing.encode('the king'))).toBe(' the king')
  expect(covered(prefixing, 'the king')).toEqual(['the', ' king'])
  expect(covered(prefixing, ' the')).toEqual([' the'])
})

test('tokens of the template cover nothing', () => {
  const processor = {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: 'e' } }, { Sequence: { id: 'A' } }, { SpecialToken: { id: 'e' } }],
    special_tokens: { e: { id: 'e', ids: [0] } },
  }
  const framed = tokenizerFromJson({ ...trainedJson(), post_processor: processor })
  for (const from of [framed, { ...framed }]) expect([...encodeWithOffsets(from, 'the').offsets]).toEqual([0, 0, 0, 3, 3, 3])
})

test('a foreign tokenizer that changes the text is refused', () => {
  const upper: Tokenizer = { ...tokenizer, encode: (text) => tokenizer.encode(text.toUpperCase()) }
  expect(() => encodeWithOffsets(upper, 'the')).toThrow(/token 0 .*expected its bytes at byte 0/)
})
