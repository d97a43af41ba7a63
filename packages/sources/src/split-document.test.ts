import { needsShared, readText } from '@weft/fixtures'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nextSentenceEnd } from './sentence-ends.ts'
import { splitDocument, textSplitter, type SplitOptions } from './split-document.ts'

const sentences = (text: string): string[] => {
  const found: string[] = []
  let start = 0
  for (let end = nextSentenceEnd(text, 0); end >= 0; end = nextSentenceEnd(text, end)) {
    found.push(text.slice(start, end).trim())
    start = end
  }
  return [...found, text.slice(start).trim()]
}
const split = (text: string, options: SplitOptions) => [...splitDocument({ id: 'd', text }, options)].map((document) => document.text)

describe('sentences', () => {
  test.each([
    [['One.', 'Two!', 'Three?', 'Four']],
    [['Mr. Smith met Dr. J. R. Jones on Jan. 5 at No. 10.', 'They talked.']],
    [['The U.S. Senate met.', 'It did.']],
    [['He said "stop."', 'She did (at once.)', 'Good.']],
    [['It costs approx. half of 3.14 dollars… or so.', 'Well.']],
    [['What?!', 'Yes...', 'No.']],
    [['He came from the U.S. and left.', 'Then quiet.']],
  ])('%j', (expected) => expect(sentences(expected.join(' '))).toEqual(expected))

  test('without spaces, and at blank lines', () => {
    expect(sentences('我来了。你呢？「好。」他说')).toEqual(['我来了。', '你呢？', '「好。」', '他说'])
    expect(sentences('A heading\n\nthen text')).toEqual(['A heading', 'then text'])
  })
})

const words = fc.constantFrom('one', 'Two', 'three.', 'Four!', 'Mr.', '\n\n', '\n', '...', '"Yes."', '我来了。', '𝄞', ')', '  ', 'a'.repeat(90))
const texts = fc.array(words, { maxLength: 200 }).map((parts) => parts.join(' '))
const options = fc.record({ splitAt: fc.constantFrom('paragraph' as const, 'sentence' as const), targetCharacters: fc.integer({ min: 1, max: 60 }) })

test('nothing but white space is lost, in order, and no character is cut in two', () => {
  fc.assert(
    fc.property(texts, options, (text, o) => {
      const pieces = split(text, o)
      expect(pieces.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''))
      for (const piece of pieces) {
        expect(piece).not.toMatch(/\p{Cs}/u)
        expect(piece).toBe(piece.trim())
        expect(piece).not.toBe('')
        expect(piece.length).toBeLessThanOrEqual(8 * o.targetCharacters + 2)
      }
    }),
  )
})

test('the cuts do not depend on how the text arrives', () => {
  fc.assert(
    fc.property(texts, options, fc.integer({ min: 1, max: 30 }), (text, o, size) => {
      const splitter = textSplitter(o)
      const pieces: string[] = []
      for (let at = 0; at < text.length; at += size) pieces.push(...splitter.push(text.slice(at, at + size)))
      pieces.push(...splitter.end())
      expect(pieces).toEqual(split(text, o))
    }),
    { numRuns: 500 },
  )
})

test('ids count, all else of the document stays', () => {
  expect([...splitDocument({ id: 'd', text: 'One two. Three four. Five.', source: 's', metadata: { a: 1 } }, { splitAt: 'sentence', targetCharacters: 9 })]).toEqual([
    { id: 'd#1', text: 'One two.', source: 's', metadata: { a: 1 } },
    { id: 'd#2', text: 'Three four.', source: 's', metadata: { a: 1 } },
    { id: 'd#3', text: 'Five.', source: 's', metadata: { a: 1 } },
  ])
  expect(() => split('a', { splitAt: 'sentence', targetCharacters: 0 })).toThrow(/targetCharacters: expected a positive integer, got 0/)
  expect(() => split('a', { splitAt: 'word' as 'sentence' })).toThrow(/splitAt: expected/)
})

test.each(['.', ')', '\n', ' ', 'a', '. ', '"', '。'])('4 MB of %j are cut in linear time, in parts and at once', (unit) => {
  const splitter = textSplitter({ splitAt: 'sentence' })
  let characters = 0
  for (let i = 0; i < 16; i++) for (const piece of splitter.push(unit.repeat(250_000 / unit.length))) characters += piece.length
  for (const piece of splitter.end()) characters += piece.length
  const least = unit.trim() === '' ? 0 : 3_960_000 // less the white space at the cuts
  expect(characters).toBeGreaterThanOrEqual(least)
  expect(characters).toBeLessThanOrEqual(unit.trim() === '' ? 0 : 4_000_000)
  const atOnce = split(unit.repeat(4_000_000 / unit.length), { splitAt: 'sentence' }).reduce((sum, piece) => sum + piece.length, 0)
  expect(atOnce).toBe(characters)
})

const speech = needsShared('data/us-speeches/1961-Kennedy.txt')
test.skipIf(speech.missing)(`a speech becomes documents of whole sentences of some 1500 characters${speech.note}`, () => {
  const pieces = split(readText(speech.path).replace(/\s+/g, ' '), { splitAt: 'sentence' })
  expect(pieces.length).toBeGreaterThan(15)
  for (const piece of pieces) expect(piece).toMatch(/[.!?…]["'”’)\]]*$/)
  for (const piece of pieces.slice(0, -1)) expect(Math.abs(piece.length - 1500)).toBeLessThan(500)
})
