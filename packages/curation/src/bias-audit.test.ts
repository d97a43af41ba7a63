import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandomSource, type TextDocument } from '@weft/contracts'
import { association, contrast, share } from './association.ts'
import { auditBias, type BiasReport } from './bias-audit.ts'
import { counterfactualAugment } from './counterfactual-augment.ts'
import { curate } from './curate.ts'
import { gender } from './lexicon/gender.ts'
import { createTermMatcher } from './lexicon/term-matcher.ts'
import type { AttributeList, GroupFamily } from './lexicon/word-family.ts'

const groups: GroupFamily[] = [{ name: 'gender', groups: { female: ['she'], male: ['he'] } }]
const attributes: AttributeList[] = [{ name: 'jobs', words: ['nurse', 'pilot'] }]
const filler = 'rain wind sun snow tree road hill lake stone river cloud field'.split(' ')

/** Sentences with a pronoun and a job, so many nurses of 100 beside "she" and beside "he". */
const corpus = (nursesOfShe: number, nursesOfHe: number, count = 400, seed = 1): TextDocument[] => {
  const random = createRandomSource({ seed })
  const pick = (from: readonly string[]): string => from[Math.floor(random.nextFloat() * from.length)]!
  return Array.from({ length: count }, (_, id) => {
    const pronoun = random.nextFloat() < 0.5 ? 'she' : 'he'
    const job = random.nextFloat() * 100 < (pronoun === 'she' ? nursesOfShe : nursesOfHe) ? 'nurse' : 'pilot'
    const noise = Array.from({ length: 30 }, () => pick(filler))
    return { id: String(id), text: `${pronoun} is a ${job}. ${noise.join(' ')}`, metadata: { year: 1900 + (id % 2) } }
  })
}
const wordContrast = (report: BiasReport, word: string) => report.families[0]!.contrast.words.find((one) => one.word === word)!

describe('auditBias', () => {
  test('counts mentions, documents, terms and pronouns', async () => {
    const texts = ['She said he saw her. He did not.', 'The women’s African-American friends', 'They say: HIMSELF!']
    const report = await auditBias(texts.map((text, i) => ({ id: String(i), text })))
    expect(report).toMatchObject({ documents: 3, words: 17, pronouns: { female: 2, male: 3, neutral: 1 } })
    const [first, , ethnicity] = report.families
    expect(first!.groups.map(({ name, mentions, documents }) => [name, mentions, documents])).toEqual([['female', 3, 2], ['male', 3, 2]])
    expect(first!.groups[0]!.terms).toEqual([{ term: 'she', count: 1 }, { term: 'women', count: 1 }, { term: 'her', count: 1 }])
    expect(first!.totalVariation).toBe(0)
    expect(ethnicity!.groups[0]).toMatchObject({ name: 'black', mentions: 1 })
  })

  test('finds a planted association and none where there is none', async () => {
    const biased = await auditBias(corpus(80, 20), { groups, attributes, windowSize: 5 })
    // of the two jobs: ln((0.8 / 0.2)) each way
    expect(wordContrast(biased, 'nurse').value).toBeGreaterThan(1)
    expect(wordContrast(biased, 'nurse').low).toBeGreaterThan(0)
    expect(wordContrast(biased, 'pilot').high).toBeLessThan(0)
    const fair = await auditBias(corpus(50, 50), { groups, attributes, windowSize: 5 })
    expect(wordContrast(fair, 'nurse').low).toBeLessThan(0)
    expect(wordContrast(fair, 'nurse').high).toBeGreaterThan(0)
  })

  test('counterfactual augmentation brings the contrast to nothing', async () => {
    const augmented: TextDocument[] = []
    for await (const { document } of curate({ documents: corpus(80, 20), steps: [counterfactualAugment()] })) augmented.push(document)
    const report = await auditBias(augmented, { groups: [gender], attributes, windowSize: 5 })
    expect(wordContrast(report, 'nurse').value).toBeCloseTo(0, 9)
    expect(report.families[0]!.groups.map(({ mentions }) => mentions)).toEqual([400, 400])
    expect(report.pronouns.femaleShare.value).toBe(0.5)
  })

  test('PMI by hand', async () => {
    // 8 words: one pair within 2 places; a, g once each
    const report = await auditBias([{ id: '1', text: 'she nurse x x x x x x' }], { groups, attributes, windowSize: 2 })
    const [jobs] = report.families[0]!.associations
    expect(jobs!.value).toBeCloseTo(Math.log((1 * 8) / (1 * 1 * 4)), 12)
    expect([jobs!.low, jobs!.high, jobs!.z]).toEqual([null, null, null]) // one block shows no spread
  })

  test('by a metadata key', async () => {
    const report = await auditBias(corpus(50, 50), { groups, attributes, by: 'year' })
    expect(report.by!.values.map(({ value, documents }) => [value, documents])).toEqual([['1900', 200], ['1901', 200]])
    const sum = (of: (slice: { mentions: Record<string, Record<string, number>> }) => number): number => report.by!.values.reduce((total, slice) => total + of(slice as never), 0)
    expect(sum(({ mentions }) => mentions['gender']!['female']!)).toBe(report.families[0]!.groups[0]!.mentions)
  })

  test('the report is JSON and does not depend on how the text is cut into documents where nothing crosses', async () => {
    const report = await auditBias(corpus(80, 20, 50), { groups, attributes })
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  })

  test('no documents, empty documents, rubbish', async () => {
    const empty = await auditBias([])
    expect(empty.families[0]).toMatchObject({ totalVariation: null, groups: [{ mentions: 0, share: { value: null } }, {}] })
    expect(await auditBias([{ id: '1', text: '' }, { id: '2', text: '\ud800\0\ufffe' }])).toMatchObject({ documents: 2, words: 0 })
  })

  test('mistakes are named', async () => {
    await expect(auditBias([], { windowSize: 0 })).rejects.toThrow('auditBias: windowSize: expected an integer from 1 to 1000, got 0')
    await expect(auditBias([], { groups: [{ name: 'g', groups: { one: ['a'] } }] })).rejects.toThrow(/g: expected at least two groups/)
    await expect(auditBias([], { groups: [{ ...groups[0]!, contrast: ['female', 'x'] }] })).rejects.toThrow(/no group x; there are female, male/)
    await expect(auditBias([], { attributes: [{ name: 'none', words: [] }] })).rejects.toThrow(/none: expected at least one word/)
    const many = Array.from({ length: 1001 }, (_, i) => ({ id: String(i), text: '', metadata: { key: i } }))
    await expect(auditBias(many, { by: 'key' })).rejects.toThrow(/more than 1000 values/)
    await expect(auditBias([{ id: '1', text: '' }], { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
  })

  test('a long text: blocks are joined, nothing is lost', async () => {
    const text = 'she is a nurse '.repeat(500)
    const report = await auditBias(Array.from({ length: 60 }, (_, i) => ({ id: String(i), text })), { groups, attributes, windowSize: 3 })
    expect(report.families[0]!.groups[0]!.mentions).toBe(30_000)
    expect(report.words).toBe(120_000)
  })
})

describe('intervals', () => {
  test('cover the truth about as often as they say', () => {
    const random = createRandomSource({ seed: 4 })
    let covered = 0
    const runs = 400
    for (let i = 0; i < runs; i++) {
      const rows = Array.from({ length: 60 }, (): [number, number] => {
        const rate = random.nextFloat() < 0.5 ? 0.2 : 0.6 // blocks differ: words come in clumps
        const whole = 5 + Math.floor(random.nextFloat() * 10)
        return [Array.from({ length: whole }, () => random.nextFloat()).filter((draw) => draw < rate).length, whole]
      })
      const { low, high } = share(rows)
      if (low! <= 0.4 && 0.4 <= high!) covered++
    }
    expect(covered / runs).toBeGreaterThan(0.9)
    expect(covered / runs).toBeLessThan(0.99)
  })

  test('a contrast is antisymmetric, and zero counts have none', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 5 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })), { minLength: 2 }), (rows) => {
        const one = contrast(rows)
        const other = contrast(rows.map(([a, b, c, d]) => [b, a, d, c] as const))
        expect(other.value === null).toBe(one.value === null)
        expect((other.value ?? 0) + (one.value ?? 0)).toBeCloseTo(0, 9)
      }),
    )
    expect(association([[0, 3, 3, 100]], 20)).toEqual({ value: null, low: null, high: null, z: null })
  })
})

test('terms: the longest wins, capitals bind, lists overlap', () => {
  const matcher = createTermMatcher([['Polish', 'polish off'], ['off', 'Polish girl']])
  const hits: string[] = []
  const size = matcher.forEachHit('polish it. Polish girl! polish off', ({ list, term }, word) => hits.push(`${list}.${term}@${word}`))
  expect(size).toBe(6)
  expect(hits).toEqual(['1.1@2', '0.0@2', '0.1@4', '1.0@5'])
})
