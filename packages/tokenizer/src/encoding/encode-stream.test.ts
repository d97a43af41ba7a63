import { needsShared, readText } from '@weft/fixtures'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { trainedJson } from '../../test/fixtures.ts'
import { tokenizerFromJson } from '../formats/tokenizer-json.ts'
import { encodeStream } from './encode-stream.ts'

const collect = async (portions: AsyncIterable<Uint32Array>): Promise<{ ids: number[]; portions: number }> => {
  const ids: number[] = []
  let count = 0
  for await (const portion of portions) {
    ids.push(...portion)
    count++
  }
  return { ids, portions: count }
}

const words = ['the ', 'king', ' said', ', ', '\n', '\n\n', '  ', "'ll", '你好，世界', '。', ' é', '12345', '<|endoftext|>', 'x'.repeat(40), ' ', '\t', '😀']
const text = fc.array(fc.constantFrom(...words), { minLength: 200, maxLength: 900 }).map((parts) => parts.join(''))

const llama = needsShared('data/tokenizer-json/llama.tokenizer.json.gz')
const tokenizers = {
  'byte-level': () => tokenizerFromJson(trainedJson('cl100k')),
  ...(llama.missing ? {} : { llama: () => tokenizerFromJson(readText(llama.path)) }),
}

describe.each(Object.entries(tokenizers))('%s', (_, load) => {
  const tokenizer = load()

  test('the ids are those of the whole text', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 700 }), async (whole, size) => {
        const parts = Array.from({ length: Math.ceil(whole.length / size) }, (__, i) => whole.slice(i * size, (i + 1) * size))
        const { ids } = await collect(encodeStream(tokenizer, parts, { windowUnits: 1024 }))
        expect(ids).toEqual([...tokenizer.encode(whole)])
      }),
      { numRuns: 40 },
    )
  })
})

test('a long text comes in portions, one without any border when it ends', async () => {
  const tokenizer = tokenizerFromJson(trainedJson())
  const long = 'The king said nothing of the matter. '.repeat(400)
  const { portions } = await collect(encodeStream(tokenizer, [long], { windowUnits: 1024 }))
  expect(portions).toBeGreaterThan(1)
  const { ids } = await collect(encodeStream(tokenizer, ['a'.repeat(5000)], { windowUnits: 1024 }))
  expect(ids).toEqual([...tokenizer.encode('a'.repeat(5000))])
})

test('a window that is too small is refused', async () => {
  await expect(collect(encodeStream(tokenizerFromJson(trainedJson()), [], { windowUnits: 8 }))).rejects.toThrow(/windowUnits: expected an integer from 1024 up, got 8/)
})
