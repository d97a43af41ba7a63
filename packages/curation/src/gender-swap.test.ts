import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judge } from '../test/reference.ts'
import { counterfactualAugment, swapGender } from './counterfactual-augment.ts'
import { genderPairs } from './lexicon/gender-pairs.ts'
import { applyEdits } from './step.ts'

describe('swapGender', () => {
  test.each([
    ['He gave her his book.', 'She gave him her book.'],
    ['HER mother said: "She saw him."', 'HIS father said: "He saw her."'],
    ['It is hers, not his.', 'It is his, not hers.'],
    ['A friend of his is here; he met her yesterday.', 'A friend of hers is here; she met him yesterday.'],
    ['She let him go; he saw her leaving her house.', 'He let her go; she saw him leaving his house.'],
    ['It made her happy and did him justice.', 'It made him happy and did her justice.'],
    ['She told him that her newly painted house is his.', 'He told her that his newly painted house is hers.'],
    ["The King's daughter-in-law is an actress; Mr. Smith's sons aren't kings.", "The Queen's son-in-law is an actor; Mrs. Smith's daughters aren't queens."],
    ['He washed himself, and she herself.', 'She washed herself, and he himself.'],
    ['her 3 children, his "best friend"', 'his 3 children, her "best friend"'],
    ['Sheila, hero-worship, the shed, mankind', 'Sheila, heroine-worship, the shed, mankind'],
    ['hEr and sHE stay; \ud800 too', 'hEr and sHE stay; \ud800 too'],
  ])('%s', (text, expected) => {
    expect(swapGender(text)).toBe(expected)
    expect(swapGender(expected)).toBe(text)
  })

  const common = 'the a of and to in gave told saw let made called went book books home house own happy quickly leaving being first one never when she\'s mother . , ! \n\n “ " ( 3'.split(' ')
  const word = fc.constantFrom(...common, ...'he she him her his hers himself herself Mr Mrs HIS Her Him HERS'.split(' '), ...genderPairs.flat())

  test('twice is the text itself, whatever the words', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(word, fc.constantFrom(' ', ' ', ' ', '', '\n', '-')), { maxLength: 30 }), (words) => {
        const text = words.flat().join('')
        expect(swapGender(swapGender(text))).toBe(text)
      }),
      { numRuns: 2000 },
    )
  })

  test('what cannot be swapped back stays, unless told otherwise', () => {
    expect(swapGender('She gave him books.')).toBe('He gave her books.')
    expect(swapGender('She gave his books away.')).toBe('He gave his books away.')
    expect(swapGender('She gave his books away.', { reversible: false })).toBe('He gave her books away.')
    expect(swapGender('Ms. Lee', { reversible: false })).toBe('Mr. Lee')
  })

  test('names and pairs of one’s own', () => {
    expect(swapGender('Mary met John; mary did not.', { names: [['Mary', 'John']] })).toBe('John met Mary; mary did not.')
    expect(swapGender('The hen and he.', { pairs: [['hen', 'rooster']] })).toBe('The rooster and he.')
  })

  test.each([
    [[['a', 'b'], ['c', 'a']], /"a" again/],
    [[['her', 'b']], /"her" again/],
    [[['two words', 'b']], /expected single words, got "two words"/],
  ] as [[string, string][], RegExp][])('pairs that cannot be swapped back: %j', (pairs, message) => {
    expect(() => swapGender('', { pairs })).toThrow(message)
  })
})

describe('counterfactualAugment', () => {
  const document = { id: '7', text: 'She is a doctor.', source: 'a.txt', metadata: { year: 1990 } }

  test('both: the original and a copy with its own id', async () => {
    const verdict = await judge(counterfactualAugment(), document)
    expect('keep' in verdict && verdict.keep).toEqual([document, { ...document, id: '7#swapped', text: 'He is a doctor.' }])
    expect('keep' in verdict && applyEdits(document.text, verdict.edits!)).toBe('He is a doctor.')
  })

  test('replace: the copy alone', async () => {
    const verdict = await judge(counterfactualAugment({ mode: 'replace' }), document)
    expect('keep' in verdict && verdict.keep).toEqual([{ ...document, text: 'He is a doctor.' }])
  })

  test('documents without gendered words pass', async () => {
    expect(await judge(counterfactualAugment(), 'The doctor is here.')).toEqual({ keep: [{ id: 'x', text: 'The doctor is here.' }] })
  })

  test('mistakes are named', () => {
    expect(() => counterfactualAugment({ mode: 'all' as 'both' })).toThrow(/expected "both" or "replace", got "all"/)
    expect(() => counterfactualAugment({ idSuffix: '' })).toThrow(/expected some text/)
  })
})
