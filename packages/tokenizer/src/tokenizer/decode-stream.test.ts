import fc from 'fast-check'
import { expect, test } from 'vitest'
import { trainedJson } from '../../test/fixtures.ts'
import { decodeStream } from './decode-stream.ts'
import { tokenizerFromJson } from '../formats/tokenizer-json.ts'

const tokenizer = tokenizerFromJson(trainedJson())

test('a character comes when it is whole', () => {
  const stream = decodeStream(tokenizer)
  const parts = Array.from(tokenizer.encode('a😀b'), (id) => stream.push(id))
  expect(parts).toEqual(['a', '', '', '', '😀', 'b'])
  expect(stream.flush()).toBe('')
})

test('what was never completed is U+FFFD, and the stream can be used again', () => {
  const stream = decodeStream(tokenizer)
  const [first] = tokenizer.encode('é')
  expect(stream.push(first!)).toBe('')
  expect(stream.flush()).toBe('\ufffd')
  expect(stream.push(tokenizer.encode('a')[0]!)).toBe('a')
})

test('all parts together are what decode gives, for any ids', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(tokenizer.vocabSize - 1), { maxLength: 30 }), fc.boolean(), (ids, skipSpecialTokens) => {
      const stream = decodeStream(tokenizer, { skipSpecialTokens })
      const text = ids.map((id) => stream.push(id)).join('') + stream.flush()
      expect(text).toBe(tokenizer.decode(ids, { skipSpecialTokens }))
    }),
    { numRuns: 1000 },
  )
})
