import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fixture, golden, readGolden, readGoldenLines, referenceDocuments, sha1 } from '../../test/reference.ts'
import { isSpace } from '../python-text.ts'
import { englishSentences, splitIntoSentences } from './sentences.ts'
import { specialCases } from './special-cases.ts'
import { englishWords } from './tokenize.ts'

interface Row {
  readonly text: string
  readonly words: string[]
  readonly sentences: string[]
  readonly sentencesWithSpace: string[]
}

test.each((fixture('english-words.json.gz') as Row[]).map((row) => [row.text, row] as const))('%j', (text, row) => {
  expect(englishWords(text)).toEqual(row.words)
  expect(englishSentences(text)).toEqual(row.sentences)
  expect(splitIntoSentences(text)).toEqual(row.sentencesWithSpace)
})

describe.skipIf(golden.missing)(`the reference splitter${golden.note}`, () => {
  test('special cases are the same, parts and all', () => {
    const { specialCases: expected } = readGolden('spacy-english-rules.json.gz') as { specialCases: Record<string, string[]> }
    const spaces = ['\t', '\n', ' ', '\u00a0'] // white space is no word here
    const lengths = Object.entries(expected).filter(([text]) => !spaces.includes(text)).map(([text, parts]) => [text, parts.map((part) => part.length)])
    expect(Object.fromEntries(specialCases)).toEqual(Object.fromEntries(lengths))
  })

  test('words and sentences of all documents', () => {
    const texts = new Map(referenceDocuments().map(({ id, text }) => [id, text]))
    const rows = readGoldenLines<{ id: string; words: number; wordsSha1: string; sentences: number; sentencesSha1: string }>('document-words.jsonl.gz')
    const found = rows.map(({ id }) => {
      const words = englishWords(texts.get(id)!)
      const sentences = englishSentences(texts.get(id)!)
      return { id, words: words.length, wordsSha1: sha1(words.join('\n')), sentences: sentences.length, sentencesSha1: sha1(sentences.join('\n\n')) }
    })
    expect(found).toEqual(rows.map(({ id, words, wordsSha1, sentences, sentencesSha1 }) => ({ id, words, wordsSha1, sentences, sentencesSha1 })))
  })
})

const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...":)('.-—…$5aBé \n\ud800😀US°C@/s") }))

test('words hold every character that is no white space, in order', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const expected = Array.from({ length: text.length }, (_, i) => text[i]!).filter((unit) => !isSpace(unit.charCodeAt(0))).join('')
      expect(englishWords(text).join('')).toBe(expected)
    }),
  )
})

test('pieces between sentences give the text when joined', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(splitIntoSentences(text).join('')).toBe(text)
    }),
  )
})

test('an endless run without white space is one word', () => {
  expect(englishWords(`see ${'a-'.repeat(100_000)} there`)).toHaveLength(3)
})
