import { needsShared, readJsonLines } from '@weft/fixtures'
import { expect, test } from 'vitest'
import { trainedJson } from '../../test/fixtures.ts'
import { tokenizerFromJson } from '../formats/tokenizer-json.ts'
import { tokenizerFromVocabTxt } from '../formats/vocab-txt.ts'
import { describeTokenizer } from './describe-tokenizer.ts'
import { measureFairness } from './measure-fairness.ts'
import { measureTokenizer } from './measure-tokenizer.ts'

const vocab = '[UNK]\nthe\ncat\n##s\n.\nnever\n##never'
const tokenizer = tokenizerFromVocabTxt({ vocab })

test('counts add up, by language and domain', async () => {
  const report = await measureTokenizer({
    tokenizer,
    texts: [
      { text: 'The cats.', language: 'en', domain: 'news' },
      { text: 'the dog the', language: 'en' },
      { text: 'die Katze', language: 'de' },
    ],
  })
  // the cat ##s . | the [UNK] the | [UNK] [UNK]
  expect(report.all).toMatchObject({ texts: 3, bytes: 29, characters: 29, words: 7, tokens: 9, tokensPerWord: 9 / 7, splitWords: 1 / 7, unknownShare: 3 / 9 })
  expect(report.byLanguage.map(({ name, tokens, bytesPerToken }) => [name, tokens, bytesPerToken])).toEqual([
    ['de', 2, 4.5],
    ['en', 7, 20 / 7],
  ])
  expect(report.byDomain.map(({ name, tokens }) => [name, tokens])).toEqual([['news', 4]])
  expect(report.unused).toEqual([5, 6])
  expect(describeTokenizer(report).sections.map(({ title }) => title)).toEqual([undefined, 'All texts', 'By language', 'By domain'])
})

test('tokens that no text gives are found', async () => {
  const json = trainedJson()
  const tokens = Object.keys(json.model.vocab).length
  json.model.vocab['qqqzzz'] = tokens // no merge makes it
  const { suspects } = await measureTokenizer({ tokenizer: tokenizerFromJson(json), texts: [] })
  expect(suspects).toContainEqual({ id: tokens, text: 'qqqzzz', reason: 'unreachable' })
  expect(suspects.length).toBeLessThan(10)
})

test('the cost of a language is relative to English', async () => {
  const { languages, greatest, least, mean } = await measureFairness({
    tokenizer,
    pairs: [
      { language: 'xx', text: 'the cat the cat', english: 'the cat' },
      { language: 'xx', text: 'the the the', english: 'the' },
      { language: 'yy', text: 'the', english: 'the cat' },
    ],
  })
  expect(languages[0]).toMatchObject({ language: 'xx', sentences: 2, tokens: 7, englishTokens: 3, premium: 7 / 3, low: 2, high: 3 })
  expect([greatest, least, mean]).toEqual([7 / 3, 0.5, (7 / 3 + 0.5) / 2])
})

const tatoeba = needsShared('data/tatoeba-parallel')
test.skipIf(tatoeba.missing)(`English vocabularies are dear elsewhere${tatoeba.note}`, async () => {
  const languages = ['deu', 'ell', 'hin']
  const pairs = languages.flatMap((language) => (readJsonLines(`${tatoeba.path}/${language}-eng.jsonl.gz`) as { src: string; eng: string }[]).slice(0, 200).map(({ src, eng }) => ({ language, text: src, english: eng })))
  const report = await measureFairness({ tokenizer: tokenizerFromJson(trainedJson()), pairs })
  expect(report.languages.map(({ language }) => language)).toEqual(['hin', 'ell', 'deu'])
  expect(report.least).toBeGreaterThan(1)
})
