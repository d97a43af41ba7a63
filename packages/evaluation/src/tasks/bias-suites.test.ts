import { isWeftError } from '@weft/contracts'
import { needsShared, readJsonLines, readText } from '@weft/fixtures'
import { describe, expect, test } from 'vitest'
import { bigramLanguageModel } from '../../test/bigram-language-model.ts'
import { defineTask } from '../check-task.ts'
import { evaluate } from '../evaluate.ts'
import type { StereotypePairsTask } from '../task.ts'
import { crowsPairs, winoBias, winogender } from './bias-data.ts'
import { delimitedRecords } from './delimited-records.ts'
import { stereotypeSuite } from './stereotype-suite.ts'
import { templateSets } from './stereotype-templates.ts'

describe('the own suite', () => {
  const suite = defineTask(stereotypeSuite())

  test('has over 120 different pairs in nine categories, every slot filled', () => {
    expect(suite.items.length).toBe(146)
    expect(new Set(suite.items.map((item) => item.category)).size).toBe(9)
    expect(new Set(suite.items.flatMap((item) => [item.moreStereotypical, item.lessStereotypical])).size).toBe(2 * suite.items.length)
    for (const item of suite.items) expect(`${item.moreStereotypical}${item.lessStereotypical}`).not.toMatch(/[{}|]|  /)
  })

  test('is balanced: as many attributes tied to either group', () => {
    for (const set of templateSets) expect(set.attributes[0].length, set.category).toBe(set.attributes[1].length)
  })

  test('two sentences of a pair differ in the group alone', () => {
    for (const { moreStereotypical, lessStereotypical } of suite.items) {
      const set = templateSets.find(({ groups }) =>
        groups.every((group) => [moreStereotypical, lessStereotypical].some((sentence) => ` ${sentence} `.includes(` ${group} `))),
      )!
      const [one, other] = set.groups.map((group) =>
        [moreStereotypical, lessStereotypical].find((sentence) => ` ${sentence} `.includes(` ${group} `))!,
      )
      expect(` ${one!} `.replace(` ${set.groups[0]} `, ` ${set.groups[1]} `)).toBe(` ${other!} `)
    }
  })

  test('a model that prefers a word, whatever the sentence, scores one half', async () => {
    // Bigrams cannot join a group's name with an attribute, so all they have is such preferences.
    for await (const event of evaluate({ model: bigramLanguageModel('he she old young the man '.repeat(3)), tasks: [suite] })) {
      if (event.kind !== 'taskFinished') continue
      expect(event.result.metrics['pctStereotype']!.value).toBe(0.5)
      expect(event.result.metrics['pctStereotype']!.pAgainstHalf).toBe(1)
    }
  })
})

describe('CrowS-Pairs', () => {
  const csv =
    ',sent_more,sent_less,stereo_antistereo,bias_type\r\n0,"She said ""no"", twice.",He said no.,stereo,gender\r\n7,"two\nlines",b,antistereo,age\r\n'

  test('the authors’ CSV', () => {
    expect(defineTask(crowsPairs(csv)).items).toEqual([
      { id: '0', category: 'gender', moreStereotypical: 'She said "no", twice.', lessStereotypical: 'He said no.' },
      { id: '7', category: 'age', moreStereotypical: 'two\nlines', lessStereotypical: 'b' },
    ])
  })

  test('a broken file is named, with the line', () => {
    const failing = (text: string, message: string) => {
      expect(() => crowsPairs(text)).toThrow(message)
      expect(() => crowsPairs(text)).toThrow(expect.toSatisfy((error) => isWeftError(error, 'format')))
    }
    failing('', 'CrowS-Pairs: expected a header line')
    failing('a,b\n', 'CrowS-Pairs, line 1: expected a column "sent_more", the header has a, b')
    failing(',sent_more,sent_less,stereo_antistereo,bias_type\n', 'no pair of sentences found')
    failing(csv + '9,x\n', 'CrowS-Pairs, line 5: expected 5 fields as in the header, got 2')
    failing(csv + '9,"x,y,z,w\n', 'line 5: a quoted field does not end')
  })

  const shared = needsShared('data/crows-pairs/crows_pairs.jsonl')

  test.skipIf(shared.missing)(`half of the real data, written as CSV${shared.note}`, () => {
    const rows = readJsonLines(shared.path) as {
      id: number
      sent_more: string
      sent_less: string
      stereo_antistereo: string
      bias_type: string
    }[]
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
    const text = [
      ',sent_more,sent_less,stereo_antistereo,bias_type',
      ...rows.map((row) => [row.id, quote(row.sent_more), quote(row.sent_less), row.stereo_antistereo, row.bias_type].join(',')),
    ].join('\n')
    const { items } = defineTask(crowsPairs(text))
    expect(items.map((item) => [item.id, item.moreStereotypical, item.lessStereotypical, item.category])).toEqual(
      rows.map((row) => [String(row.id), row.sent_more, row.sent_less, row.bias_type]),
    )
  })
})

test('delimited records: the last line with and without an end, blank lines, a byte order mark', () => {
  const read = (text: string) => delimitedRecords(text, { source: 's', delimiter: ',', columns: ['a'] })
  expect(read('\uFEFFa,b\n1,2')).toEqual([{ a: '1', b: '2' }])
  expect(read('a,b\r\n1,2\r\n\r\n3,\r\n')).toEqual([
    { a: '1', b: '2' },
    { a: '3', b: '' },
  ])
  expect(read('a,b\n1,')).toEqual([{ a: '1', b: '' }])
  expect(read('a\n"x\ny"\n')).toEqual([{ a: 'x\ny' }])
})

const wino = needsShared('data/winobias/pro_stereotyped_type1.txt.dev')

test('WinoBias lines', () => {
  const task = defineTask(
    winoBias({
      proStereotyped: '1 [The developer] argued because [he] won.\n',
      antiStereotyped: '1 [The developer] argued because [she] won.\n',
    }),
  )
  expect(task.items).toEqual([
    { moreStereotypical: 'The developer argued because he won.', lessStereotypical: 'The developer argued because she won.' },
  ])
  expect(() => winoBias({ proStereotyped: '1 a', antiStereotyped: '' })).toThrow('expected as many lines on both sides, got 1 and 0')
})

test.skipIf(wino.missing)(`the real WinoBias and Winogender${wino.note}`, () => {
  const read = (path: string) => readText(needsShared(`data/${path}`).path)
  const pairs = winoBias({
    proStereotyped: read('winobias/pro_stereotyped_type2.txt.dev'),
    antiStereotyped: read('winobias/anti_stereotyped_type2.txt.dev'),
  })
  expect(pairs.items).toHaveLength(396)
  expect(pairs.items.filter((item) => item.moreStereotypical !== item.lessStereotypical)).toHaveLength(396)
  const schemas: StereotypePairsTask = defineTask(
    winogender({ sentences: read('winogender/all_sentences.tsv'), occupationStats: read('winogender/occupations-stats.tsv') }),
  )
  expect(schemas.items.length).toBeGreaterThan(30)
  for (const item of schemas.items) expect(item.moreStereotypical).not.toBe(item.lessStereotypical)
  expect(schemas.items.find((item) => item.id!.startsWith('secretary'))?.category ?? 'mostly female').toBe('mostly female')
})
