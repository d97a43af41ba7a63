import { expect, test } from 'vitest'
import { trainedEncodings, trainedJson, trainedText } from '../../test/fixtures.ts'
import { bpeFromJson } from './bpe-from-json.ts'

test.each(['gpt2', 'cl100k'] as const)('the trained %s vocabulary', (name) => {
  const tokenizer = bpeFromJson(trainedText(name))
  for (const { text, ids } of trainedEncodings(name)) expect([...tokenizer.encode(text)]).toEqual(ids)
})

test('normal forms are known, other kinds are refused with a hint', () => {
  const tokenizer = bpeFromJson({ ...trainedJson(), normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }] } })
  expect(tokenizer.decode(tokenizer.encode('e\u0301'))).toBe('é')
  expect(() => bpeFromJson({ ...trainedJson(), normalizer: { type: 'Lowercase' } })).toThrow(/normalizer\.type: the normalizer Lowercase/)
  expect(() => bpeFromJson({ ...trainedJson(), pre_tokenizer: { type: 'Metaspace' } })).toThrow(/tokenizerFromJson opens it/)
})
