// SentencePiece's own ids and texts, for its own models.
import { needsShared, readJsonLines, readText } from '@weft/fixtures'
import type { Tokenizer } from '@weft/contracts'
import { isWeftError } from '@weft/contracts'
import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { decodeStream, tokenizerFromJson, tokenizerFromSentencePiece, tokenizerToJson } from '../src/index.ts'
import { writeSentencePieceModel, type SentencePieceModel } from '../src/formats/sentencepiece-model.ts'

type Decoded = true | string | { sha1: string; codePoints: number }
interface Row {
  readonly name?: string
  readonly text?: string
  readonly error?: string
  readonly ids: number[]
  readonly pieces?: string[]
  readonly decoded?: Decoded
}

const data = needsShared('data/sentencepiece')
const golden = needsShared('golden/tokenizers')
const open = (path: string): Tokenizer => tokenizerFromSentencePiece(new Uint8Array(readFileSync(needsShared(path).path)), { source: path })
const texts = golden.missing
  ? new Map<string, string>()
  : new Map((JSON.parse(readText(`${golden.path}/strings.json`)) as { name: string; text: string }[]).map(({ name, text }) => [name, text]))
const plain = { addSpecialTokens: false, allowSpecial: false }

const expectDecoded = (tokenizer: Tokenizer, row: Row, text: string): void => {
  if (row.decoded === undefined) return
  const decoded = tokenizer.decode(row.ids)
  if (typeof row.decoded === 'object') expect(createHash('sha1').update(decoded).digest('hex')).toBe(row.decoded.sha1)
  else expect([text, decoded]).toEqual([text, row.decoded === true ? text : row.decoded])
}

const check = (tokenizer: Tokenizer, rows: readonly Row[]): void => {
  for (const row of rows) {
    if (row.error !== undefined) continue
    const text = row.text ?? texts.get(row.name!)!
    expect([text.slice(0, 100), ...tokenizer.encode(text, plain)]).toEqual([text.slice(0, 100), ...row.ids])
    expectDecoded(tokenizer, row, text)
  }
}

describe.skipIf(data.missing || golden.missing)(`SentencePiece models${data.note}`, () => {
  test.each(['test_model', 'llama_tokenizer'])('%s', (name) => {
    const tokenizer = open(`data/sentencepiece/${name}.model`)
    check(tokenizer, readJsonLines(`${golden.path}/sentencepiece-${name}.jsonl.gz`) as Row[])
    check(tokenizer, readJsonLines(`${data.path}/${name}.expected.jsonl`) as Row[])
  })

  test.each(['sentencepiece-bpe-2000', 'sentencepiece-bpe-2000-llama-style', 'sentencepiece-unigram-2000'])('%s', (name) => {
    check(open(`golden/tokenizers/trained/${name}.model`), readJsonLines(`${golden.path}/trained/${name}.encodings.jsonl.gz`) as Row[])
  })

  test.each(['sentencepiece-bpe-2000', 'sentencepiece-bpe-2000-llama-style', 'sentencepiece-unigram-2000'])('%s, written as tokenizer.json', (name) => {
    const again = tokenizerFromJson(JSON.stringify(tokenizerToJson(open(`golden/tokenizers/trained/${name}.model`))))
    for (const { text, ids } of readJsonLines(`${golden.path}/trained/${name}.encodings.jsonl.gz`) as Required<Row>[]) {
      if (/<.?s>/.test(text)) continue // written out, a special token is one in a tokenizer.json
      expect([text, ...again.encode(text, plain)]).toEqual([text, ...ids])
    }
  })

  test.each(['llama_tokenizer', 'test_model'])('%s: a stream shows all of the text, and never takes back', (name) => {
    const tokenizer = open(`data/sentencepiece/${name}.model`)
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(300), fc.nat(tokenizer.vocabSize - 1)), { maxLength: 30 }), (ids) => {
        const stream = decodeStream(tokenizer)
        expect(ids.map((id) => stream.push(id)).join('') + stream.flush()).toBe(tokenizer.decode(ids))
      }),
    )
  })

  test('a file cut anywhere is an error with the byte, or a smaller model', () => {
    const bytes = new Uint8Array(readFileSync(`${golden.path}/trained/sentencepiece-bpe-2000-llama-style.model`))
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (length) => {
        try {
          tokenizerFromSentencePiece(bytes.subarray(0, length))
        } catch (error) {
          expect(isWeftError(error, 'format')).toBe(true)
        }
      }),
      { numRuns: 40 },
    )
  })

  test('flipped bytes are an error or another model, never a crash', () => {
    const bytes = new Uint8Array(readFileSync(`${golden.path}/trained/sentencepiece-bpe-2000-llama-style.model`))
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
        const broken = bytes.slice()
        for (const [at, byte] of changes) broken[at] = byte
        try {
          tokenizerFromSentencePiece(broken).encode('Some text.')
        } catch (error) {
          expect(isWeftError(error)).toBe(true)
        }
      }),
      { numRuns: 60 },
    )
  })
})

const tinyModel = (changes: Partial<SentencePieceModel> = {}): Uint8Array =>
  writeSentencePieceModel({
    pieces: [
      { piece: '<unk>', score: 0, type: 'unknown' },
      { piece: 'f', score: -3, type: 'normal' },
      { piece: 'i', score: -4, type: 'normal' },
      { piece: 'ine', score: -5, type: 'normal' },
      { piece: 'ne', score: 0, type: 'userDefined' },
      { piece: 'fi', score: -6, type: 'unused' },
      { piece: '▁', score: -2, type: 'normal' },
    ],
    algorithm: 'unigram',
    byteFallback: false,
    treatWhitespaceAsSuffix: false,
    unknownSurface: ' \u2047 ',
    normalizer: { name: 'identity', charsmap: new Uint8Array(0), addDummyPrefix: false, removeExtraWhitespaces: false, escapeWhitespaces: true },
    beginId: -1,
    endId: -1,
    padId: -1,
    ...changes,
  })

// Ids by sentencepiece 0.2.3
test('a user-defined symbol costs a tenth, unused pieces are not used', () => {
  expect([...tokenizerFromSentencePiece(tinyModel()).encode('fine')]).toEqual([1, 2, 4])
  expect([...tokenizerFromSentencePiece(tinyModel({ algorithm: 'bpe' })).encode('fine')]).toEqual([1, 2, 4])
})

test('spaces stand before or behind the words, as the model says', () => {
  const { encode, decode } = tokenizerFromSentencePiece(tinyModel({ normalizer: { name: '', charsmap: new Uint8Array(0), addDummyPrefix: true, removeExtraWhitespaces: true, escapeWhitespaces: true } }))
  expect([...encode('  f  i ')]).toEqual([6, 1, 6, 2])
  expect(decode([6, 1, 6, 2])).toBe('f i')
  const suffix = tokenizerFromSentencePiece(tinyModel({ treatWhitespaceAsSuffix: true, normalizer: { name: '', charsmap: new Uint8Array(0), addDummyPrefix: true, removeExtraWhitespaces: true, escapeWhitespaces: true } }))
  expect([...suffix.encode('f i')]).toEqual([1, 6, 2, 6])
})

test.each([
  ['no pieces', new Uint8Array(0), /without pieces/],
  ['a file of something else', new TextEncoder().encode('{"version": "1.0"}'), /byte 0: /],
  ['no unknown piece', tinyModel({ pieces: [{ piece: 'a', score: 0, type: 'normal' }] }), /expected a piece of the type unknown/],
  ['a piece twice', tinyModel({ pieces: [{ piece: '<unk>', score: 0, type: 'unknown' }, { piece: 'a', score: 0, type: 'normal' }, { piece: 'a', score: 1, type: 'normal' }] }), /"a" is there twice/],
  ['missing bytes', tinyModel({ byteFallback: true }), /expected a piece for every byte, none for <0x00>/],
])('%s is an error that says so', (_, bytes, message) => {
  expect(() => tokenizerFromSentencePiece(bytes)).toThrow(message)
})
