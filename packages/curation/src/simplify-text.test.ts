import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fixture } from '../test/reference.ts'
import { endsWithTerminalPunctuation, isSimplifiedMark, isTerminalPunctuation } from './punctuation.ts'
import { simplifyText } from './simplify-text.ts'

const reference = fixture('simplify-text.json') as { punctuation: string; terminalPunctuation: string[]; cases: { text: string; simplified: string }[] }

test.each(reference.cases)('$text', ({ text, simplified }) => {
  expect(simplifyText(text)).toBe(simplified)
})

test('the sets of marks are the reference’s', () => {
  const all = Array.from({ length: 0x20000 }, (_, i) => i)
  expect(all.filter(isSimplifiedMark)).toEqual([...reference.punctuation].map((mark) => mark.codePointAt(0)!).sort((a, b) => a - b))
  expect(all.filter(isTerminalPunctuation)).toEqual(reference.terminalPunctuation.map((mark) => mark.codePointAt(0)!).sort((a, b) => a - b))
})

test('one accent anywhere changes the way, not the result', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'aB1.,5 \t’“—!x٫٣') }), (text) => {
      // The accent takes the slow path; its letter is cut off again.
      expect(simplifyText(`${text} é`)).toBe(`${simplifyText(text)} e`.trim())
    }),
  )
})

test('terminal punctuation at the very end', () => {
  expect(['a.', 'a!', '𐩖', 'a. ', 'a', ''].map(endsWithTerminalPunctuation)).toEqual([true, true, true, false, false, false])
})
