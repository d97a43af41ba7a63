// Exact duplicates, samples, Unicode repair, weights.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TextDocument } from '@weft/contracts'
import { judge, textAfter } from '../test/reference.ts'
import { curate, type CuratedDocument } from './curate.ts'
import { balance, reweigh } from './reweigh.ts'
import { applyEdits, type Step } from './step.ts'
import { exactDeduplicate, fixUnicode, redactPersonalData, sample } from './steps.ts'

const run = async (documents: readonly TextDocument[], step: Step, seed = 0): Promise<CuratedDocument[]> => {
  const found: CuratedDocument[] = []
  for await (const item of curate({ documents, steps: [step], seed })) found.push(item)
  return found
}
const keptIds = (found: readonly CuratedDocument[]): string[] => found.filter(({ decision }) => decision.kept).map(({ document }) => document.id)
const numbered = (count: number): TextDocument[] => Array.from({ length: count }, (_, i) => ({ id: String(i), text: `text ${i}` }))

describe('exactDeduplicate', () => {
  test('drops exactly what a Set would', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '\ud800', '\udc00', '\ufffd'), maxLength: 3 }), { maxLength: 40 }), async (texts) => {
        const documents = texts.map((text, i) => ({ id: String(i), text }))
        const found = await run(documents, exactDeduplicate())
        expect(keptIds(found)).toEqual(documents.filter(({ text }, i) => texts.indexOf(text) === i).map(({ id }) => id))
        const matches = found.map(({ document, decision }) => (decision.kept ? document.id : decision.match!.documentId))
        expect(matches).toEqual(texts.map((text) => String(texts.indexOf(text))))
      }),
    )
  })

  test('many documents: the table grows', async () => {
    const documents = numbered(3000)
    expect(keptIds(await run([...documents, ...documents], exactDeduplicate()))).toEqual(documents.map(({ id }) => id))
  })

  test('simplified texts compare without case, marks and numbers', async () => {
    const documents = ['It costs 5 euros!', 'it  COSTS 17,5 euros', 'It costs five euros'].map((text, i) => ({ id: String(i), text }))
    expect(keptIds(await run(documents, exactDeduplicate({ compare: 'simplified' })))).toEqual(['0', '2'])
    expect(() => exactDeduplicate({ compare: 'x' as 'text' })).toThrow(/expected "text" or "simplified", got "x"/)
  })
})

describe('sample', () => {
  test('a number: exactly so many, by the seed, in order', async () => {
    const ids = keptIds(await run(numbered(100), sample({ count: 10 }), 5))
    expect(ids).toHaveLength(10)
    expect(ids).toEqual([...ids].sort((a, b) => Number(a) - Number(b)))
    expect(keptIds(await run(numbered(100), sample({ count: 10 }), 5))).toEqual(ids)
    expect(keptIds(await run(numbered(100), sample({ count: 10 }), 6))).not.toEqual(ids)
    expect(keptIds(await run(numbered(3), sample({ count: 10 })))).toHaveLength(3)
  })

  test('every document has the same chance: chi-square below the 0.1 % bound', async () => {
    const counts = new Array<number>(20).fill(0)
    for (let seed = 0; seed < 400; seed++) for (const id of keptIds(await run(numbered(20), sample({ count: 5 }), seed))) counts[Number(id)]!++
    // 400 samples of 5 of 20: 100 each, variance 400 · ¼ · ¾ = 75, somewhat correlated
    expect(counts.reduce((sum, count) => sum + (count - 100) ** 2 / 75, 0) * (19 / 20)).toBeLessThan(43.8)
  })

  test('a share', async () => {
    const kept = keptIds(await run(numbered(2000), sample({ fraction: 0.25 }))).length
    expect(Math.abs(kept - 500)).toBeLessThan(4 * Math.sqrt(2000 * 0.25 * 0.75))
    expect(() => sample({ fraction: 2 })).toThrow('sample: fraction: expected a number from 0 to 1, got 2')
  })
})

describe('fixUnicode', () => {
  test.each([
    ['donâ€™t â€œquoteâ€\u009d cafÃ© naÃ¯ve', 'don’t “quote”\u0020café naïve'.replace('\u0020café', ' café')],
    ['a\r\nb\rc', 'a\nb\nc'],
    ['\ufeffbe\u200bgin\u0000 ok\u0085', 'begin ok\u0085'],
    ['cafe\u0301 \u212b 한', 'café Å 한'],
    ['half \ud83d here, whole 😀', 'half \ufffd here, whole 😀'],
    ['Â§ and Ã alone', '§ and Ã alone'],
    ['naïve café, “quotes”, Ünï', 'naïve café, “quotes”, Ünï'],
  ])('%j', async (text, fixed) => {
    expect(await textAfter(fixUnicode(), text)).toBe(fixed)
  })

  test('what is switched off stays', async () => {
    expect(await textAfter(fixUnicode({ lineEnds: false }), 'a\r\nb')).toBe('a\r\nb')
    expect(await textAfter(fixUnicode({ mojibake: false }), 'Ã©')).toBe('Ã©')
  })

  test('the result is well-formed and composed, and the edits rebuild it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: fc.constantFrom(...'aeÃ©â€™\u0301\u0323\u212b\r\n\0', '\ud83d', '\ude00', '😀') }), async (text) => {
        const verdict = await judge(fixUnicode(), text)
        if (!('keep' in verdict)) throw new Error('nothing is dropped')
        const fixed = verdict.keep[0]!.text
        expect(fixed.normalize('NFC')).toBe(fixed)
        expect(/\p{Surrogate}/u.test(fixed)).toBe(false)
        expect(applyEdits(text, verdict.edits ?? [])).toBe(fixed)
      }),
    )
  })
})

describe('redactPersonalData', () => {
  const text = 'Card 4111 1111 1111 1111, IBAN GB82 WEST 1234 5698 7654 32 now, SSN 123-45-6789, call (555) 010-1234 or mail a.b@example.org from 8.8.8.8.'

  test('kinds, stand-ins and the record of edits', async () => {
    const verdict = await judge(redactPersonalData(), text)
    if (!('keep' in verdict)) throw new Error('nothing is dropped')
    expect(verdict.keep[0]!.text).toBe(
      'Card <CREDIT_CARD>, IBAN <IBAN> now, SSN <SOCIAL_SECURITY_NUMBER>, call <PHONE_NUMBER> or mail email@example.com from 22.214.171.124.',
    )
    expect(applyEdits(text, verdict.edits!)).toBe(verdict.keep[0]!.text)
    expect(verdict.edits!.map(({ span }) => text.slice(...span))).toEqual(['8.8.8.8', 'a.b@example.org', '(555) 010-1234', '123-45-6789', 'GB82 WEST 1234 5698 7654 32', '4111 1111 1111 1111'])
  })

  test('chosen kinds, own stand-ins in turn', async () => {
    const step = redactPersonalData({ kinds: ['emailAddress'], replacements: { emailAddress: ['<A>', '<B>'] } })
    expect(await textAfter(step, 'a@b.co c@d.co e@f.co 8.8.8.8')).toBe('<A> <B> <A> 8.8.8.8')
  })

  test.each([
    'Luhn says no: 4111 1111 1111 1112 and 1234567890123',
    'IBAN with a wrong check: GB82 WEST 1234 5698 7654 33',
    'No SSN: 000-12-3456, 666-12-3456, 912-12-3456, 123-00-4567, 123-45-0000, 1123-45-6789',
    'Years 1990-1995, 12/24/2024, 2024-05-01, pages 10-20, 1,000,000 people and 10 000 000 000 more, 3.14159265358979',
    'Chapter 12, verse 7: version 10.2.3 of 192.168.0.1, x@y, @name',
  ])('leaves alone: %s', async (harmless) => {
    expect(await textAfter(redactPersonalData(), harmless)).toBe(harmless)
  })

  test('mistakes are named', () => {
    expect(() => redactPersonalData({ kinds: ['email' as 'emailAddress'] })).toThrow(/unknown kind "email"; known are emailAddress, /)
    expect(() => redactPersonalData({ replacements: { iban: [] } })).toThrow(/replacements.iban: expected at least one text/)
  })
})

describe('weights', () => {
  const cell = fc.record({ group: fc.constantFrom('a', 'b', 'c'), label: fc.constantFrom('x', 'y') })
  const documentsOf = (cells: readonly { group: string; label: string }[]): TextDocument[] => cells.map((metadata, i) => ({ id: String(i), text: '', metadata }))
  const weightOf = (item: CuratedDocument): number => Number(item.document.metadata?.['weight'] ?? 1)
  const total = (items: readonly CuratedDocument[], where: Record<string, string>): number =>
    items.filter(({ document }) => Object.entries(where).every(([key, value]) => document.metadata![key] === value)).reduce((sum, item) => sum + weightOf(item), 0)

  test('reweigh: totals are kept, group and label become independent', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(cell, { minLength: 1, maxLength: 40 }), async (cells) => {
        const found = await run(documentsOf(cells), reweigh({ group: 'group', label: 'label' }))
        const groups = [...new Set(cells.map(({ group }) => group))]
        const labels = [...new Set(cells.map(({ label }) => label))]
        const isFull = groups.every((group) => labels.every((label) => cells.some((one) => one.group === group && one.label === label)))
        if (!isFull) return // an empty cell has no document to carry its weight
        expect(total(found, {})).toBeCloseTo(cells.length, 9)
        for (const group of groups) {
          expect(total(found, { group })).toBeCloseTo(cells.filter((one) => one.group === group).length, 9)
          for (const label of labels) expect(total(found, { group, label }) * cells.length).toBeCloseTo(total(found, { group }) * total(found, { label }), 6)
        }
      }),
    )
  })

  test('a weight that is there is multiplied; documents without a group keep theirs', async () => {
    const documents: TextDocument[] = [
      { id: '1', text: '', metadata: { group: 'a', label: 'x', weight: 3 } },
      { id: '2', text: '', metadata: { group: 'b', label: 'x' } },
      { id: '3', text: '', metadata: { group: 'b', label: 'y' } },
      { id: '4', text: '', metadata: { weight: 7 } },
    ]
    expect((await run(documents, reweigh({ group: 'group', label: 'label' }))).map(weightOf)).toEqual([3 * (2 / 3), 4 / 3, 2 / 3, 7])
  })

  test('by default: genders, and career against family', async () => {
    const documents = ['She has a career and a salary.', 'He has a career.', 'He has an office.', 'She likes her home.', 'It rains.'].map((text, i) => ({ id: String(i), text }))
    expect((await run(documents, reweigh())).map(weightOf)).toEqual([1.5, 0.75, 0.75, 0.5, 1])
  })

  test('balance by weight: every group counts alike', async () => {
    const found = await run(documentsOf([...'aaab'].map((group) => ({ group, label: '' }))), balance({ group: 'group' }))
    expect([total(found, { group: 'a' }), total(found, { group: 'b' })]).toEqual([2, 2])
  })

  test('balance by dropping: down to the smallest group', async () => {
    const documents = documentsOf([...'aaaaaaaabbb'].map((group) => ({ group, label: '' })))
    const found = await run([...documents, { id: 'none', text: '' }], balance({ group: 'group', method: 'sample' }))
    const kept = found.filter(({ decision }) => decision.kept)
    expect(kept.map(({ document }) => document.metadata?.['group']).join('')).toBe('aaabbb')
    expect(found.find(({ decision }) => !decision.kept)!.decision).toMatchObject({ rule: 'balance', value: 8, threshold: 3 })
  })
})
