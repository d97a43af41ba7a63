// The rules one by one, on texts made for them; the reference documents are in test/.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judge, ruleFor, textAfter } from '../test/reference.ts'
import { applyEdits } from './step.ts'
import { blocklist, c4Quality, fineWebQuality, gopherQuality, gopherRepetition } from './steps.ts'

const sentence = 'The people of the town have to be ready with what they need to live. '

describe('gopherQuality', () => {
  test('a plain text stays, and says nothing', async () => {
    expect(await judge(gopherQuality(), sentence.repeat(10))).toEqual({ keep: [{ id: 'x', text: sentence.repeat(10) }] })
  })

  test('the decision carries what was measured and the limit', async () => {
    expect(await judge(gopherQuality(), 'Too short.')).toEqual({ drop: { rule: 'gopher_short_doc', value: 2, threshold: 50 } })
    expect(await judge(gopherQuality({ minWords: 1, minStopWords: 0 }), 'one # two three')).toEqual({ drop: { rule: 'gopher_too_many_hashes', value: 0.25, threshold: 0.1 } })
  })

  test('options are checked', () => {
    expect(() => gopherQuality({ minWord: 3 } as object)).toThrow(/gopherQuality: unknown option minWord; known are minWords, /)
    expect(() => gopherQuality({ minWords: '3' as unknown as number })).toThrow('gopherQuality: minWords: expected a number, got "3"')
  })
})

describe('gopherRepetition', () => {
  test.each([
    ['I am your father.\n'.repeat(4), 'dup_line_frac'],
    ['I am your father.\n\n'.repeat(4), 'dup_para_frac'],
    ['I am Frank, I am Frank, I am Frank', 'top_2_gram'],
    ['I am Frank, you are Jhon. I am Frank. I am Frank you are Jhon', 'top_3_gram'],
    ['', 'empty'],
    ['A longer text in which nothing at all is ever said more than once stays as it is, because no part of those words covers much on its own; shorter ones go too easily.', undefined],
  ])('%j', async (text, rule) => {
    expect(await ruleFor(gopherRepetition(), text)).toBe(rule)
  })

  test('"ab c" and "a bc" are one n-gram joined, two when parted', async () => {
    const words = () => ['ab', 'c', 'x', 'a', 'bc']
    const tooMuch = { maxDuplicateLines: 1, maxTopNgrams: { 2: 0.5 }, maxDuplicateNgrams: { 2: 0.1 } }
    expect(await judge(gopherRepetition({ words, ...tooMuch }), 'ab c x a bc')).toEqual({ drop: { rule: 'duplicated_2_n_grams', value: 3 / 11, threshold: 0.1 } })
  })
})

describe('c4Quality', () => {
  const good = 'This line is good enough to stay.'
  const five = Array.from({ length: 5 }, () => good).join('\n')

  test('lines go, the rest stays, and the edits tell how', async () => {
    const text = `Menu\n${five}\n  We use cookies on this site.  \nThis one [12] has a note [citation needed] in it.\r\nJust two.\n`
    const verdict = await judge(c4Quality(), text)
    expect('keep' in verdict && verdict.keep[0]!.text).toBe(`${five}\nThis one  has a note  in it.`)
    expect('keep' in verdict && applyEdits(text, verdict.edits!)).toBe(`${five}\nThis one  has a note  in it.`)
  })

  test('what costs the document is shown', async () => {
    const text = `${five}\nfunction () { return 1 } is no text.`
    expect(await judge(c4Quality(), text)).toEqual({ drop: { rule: 'curly_bracket', value: 1, threshold: 0, span: [text.indexOf('{'), text.indexOf('{') + 1] } })
    expect(await ruleFor(c4Quality(), `${five}\nLorem ipsum dolor sit amet.`)).toBe('lorem_ipsum')
    expect(await judge(c4Quality(), good)).toEqual({ drop: { rule: 'too_few_sentences', value: 1, threshold: 5 } })
  })

  test('a bracket in a line that goes anyway costs nothing', async () => {
    expect(await textAfter(c4Quality(), `${five}\nif (x) { y`)).toBe(five)
  })

  test('edits rebuild the kept text of any lines', async () => {
    const line = fc.constantFrom(good, '', '  ', 'short', ' [1] Notes at the start stay here. ', 'It ends with a note. [2]', '\u2028', 'We use cookies a lot.', 'And so on...', '[3]', '"[4]"')
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.constantFrom('\n', '\r\n', '\x85'), fc.boolean(), async (lines, end, terminalPunctuation) => {
        const text = lines.join(end)
        const verdict = await judge(c4Quality({ minSentences: 0, minWordsPerLine: 0, terminalPunctuation }), text)
        if (!('keep' in verdict)) throw new Error('nothing here costs the document')
        expect(applyEdits(text, verdict.edits ?? [])).toBe(verdict.keep[0]!.text)
      }),
    )
  })
})

describe('fineWebQuality', () => {
  test.each([
    ['', 'empty'],
    ['no end mark here\nnor here', 'line_punct_ratio'],
    [`${'Short. \n'.repeat(1)}Also short.\nShort too.`, 'short_line_ratio'],
    [`${sentence.trim()}\n${sentence.trim()}\n`, 'char_dup_ratio'],
    [sentence.trim(), undefined],
  ])('%j', async (text, rule) => {
    expect(await ruleFor(fineWebQuality({ minEndingLines: rule === 'short_line_ratio' ? 0 : 0.12 }), text)).toBe(rule)
  })
})

describe('blocklist', () => {
  test('whole words and phrases, in any case, with the place', async () => {
    const step = blocklist({ words: ['darn', 'Heck no', 'c++'] })
    expect(await judge(step, 'Well, DARN it. heck no!')).toEqual({ drop: { rule: 'blocklist', value: 2, threshold: 0, span: [6, 10] } })
    expect(await ruleFor(step, 'darned, undarn, darn_it, darné, heck nor')).toBeUndefined()
    expect(await ruleFor(step, 'Written in C++.')).toBe('blocklist')
  })

  test('as many hits as allowed stay; inside words where asked', async () => {
    expect(await ruleFor(blocklist({ words: ['darn'], maxHits: 2 }), 'darn darn')).toBeUndefined()
    expect(await ruleFor(blocklist({ words: ['悪い'], matchInsideWords: true }), 'とても悪いです')).toBe('blocklist')
  })

  test('the built-in list knows the usual words and no harmless ones', async () => {
    expect(await ruleFor(blocklist(), 'What the fuck.')).toBe('blocklist')
    expect(await ruleFor(blocklist(), 'Scunthorpe, Essex, cockpit, assassin, shitake, Dick and a cocktail.')).toBeUndefined()
  })

  test('an empty list is a mistake', () => {
    expect(() => blocklist({ words: [] })).toThrow(/expected at least one word/)
    expect(() => blocklist({ words: [' '] })).toThrow(/expected text, got " "/)
  })
})

test('filters keep what they have kept: filter(filter(x)) = filter(x)', async () => {
  const steps = [c4Quality({ minSentences: 1 }), gopherRepetition(), fineWebQuality()]
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('Good lines are kept here.', 'And [1] so are these!', 'not this', 'Cookie policy is here.')), async (lines) => {
      for (const step of steps) {
        const once = await textAfter(step, lines.join('\n'))
        expect(once === undefined ? undefined : await textAfter(step, once)).toBe(once)
      }
    }),
  )
})
