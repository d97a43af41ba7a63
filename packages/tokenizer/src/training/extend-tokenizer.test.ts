import { expect, test } from 'vitest'
import { trainedEncodings, trainedJson } from '../../test/fixtures.ts'
import { tokenizerFromJson } from '../formats/tokenizer-json.ts'
import { tokenizerToJson } from '../formats/tokenizer-json-writer.ts'
import { tokenizerFromVocabTxt } from '../formats/vocab-txt.ts'
import { extendTokenizer } from './extend-tokenizer.ts'

const domain = ['myocardial infarction, myocardial ischemia; '.repeat(20), 'An infarction of the myocardium. '.repeat(10)]

test('further merges shorten the texts of the domain, and others keep their ids', async () => {
  const old = tokenizerFromJson(trainedJson())
  const { tokenizer, newTokens } = await extendTokenizer({ tokenizer: old, texts: domain, newTokens: 12 })
  expect(newTokens.map(({ id }) => id)).toEqual(Array.from({ length: 12 }, (_, i) => old.vocabSize + i))
  for (const { id, bytes, parts } of newTokens) {
    expect([...tokenizer.tokenBytes(id)]).toEqual([...bytes])
    expect(Buffer.concat(parts.map((part) => old.tokenBytes(part))).equals(Buffer.from(bytes))).toBe(true)
    expect(parts.every((part) => part < old.vocabSize)).toBe(true)
  }
  expect(tokenizer.encode(domain[0]!).length).toBeLessThan(old.encode(domain[0]!).length / 2)
  expect(tokenizer.decode(tokenizer.encode(domain[0]!))).toBe(domain[0])
  let same = 0
  for (const { text, ids } of trainedEncodings('gpt2')) if (`${ids}` === `${[...tokenizer.encode(text)]}`) same++
  expect(same).toBeGreaterThan(15)
  expect([...tokenizer.endIds]).toEqual([...old.endIds])
  const again = tokenizerFromJson(JSON.stringify(tokenizerToJson(tokenizer)))
  expect([...again.encode(domain[1]!)]).toEqual([...tokenizer.encode(domain[1]!)])
})

test('words become tokens in every kind of tokenizer', async () => {
  const old = tokenizerFromVocabTxt({ vocab: '[UNK]\nthe\ncat\n##s' })
  const { tokenizer, newTokens } = await extendTokenizer({ tokenizer: old, words: ['cats'] })
  expect(newTokens).toEqual([{ id: 4, bytes: new TextEncoder().encode('cats'), parts: [2, 3] }])
  expect([...tokenizer.encode('the cats')]).toEqual([1, 4])
  await expect(extendTokenizer({ tokenizer: old, texts: domain, newTokens: 3 })).rejects.toMatchObject({ kind: 'unsupported' })
  await expect(extendTokenizer({ tokenizer: old, words: ['a', 'a'] })).rejects.toThrow(/words\[1\]/)
})
