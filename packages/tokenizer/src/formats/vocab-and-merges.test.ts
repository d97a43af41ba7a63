import { expect, test } from 'vitest'
import { trainedEncodings, trainedJson } from '../../test/fixtures.ts'
import { tokenizerFromVocabAndMerges } from './vocab-and-merges.ts'

const json = trainedJson()
const merges = `#version: 0.2\n${(json.model.merges as string[][]).map((pair) => pair.join(' ')).join('\r\n')}\n`

test('the older pair of files gives the same tokenizer', () => {
  const tokenizer = tokenizerFromVocabAndMerges({ vocab: JSON.stringify(json.model.vocab), merges })
  for (const { text, ids } of trainedEncodings('gpt2')) expect([...tokenizer.encode(text)]).toEqual(ids)
  expect(tokenizer.specialTokens).toEqual(new Map([['<|endoftext|>', 0]]))
})

test('files that do not belong together', () => {
  expect(() => tokenizerFromVocabAndMerges({ vocab: { a: 0 }, merges: 'a b', source: 'folder' })).toThrow(/folder, model\.merges\[0\]/)
  expect(() => tokenizerFromVocabAndMerges({ vocab: '{"a":', merges })).toThrow(/expected JSON/)
})
