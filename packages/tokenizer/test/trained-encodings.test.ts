// What Hugging Face tokenizers encodes with the vocabularies that it trained: byte-level BPE with several patterns, WordPiece, Unigram;
// and the expectations of transformers.js for the vocabularies that are at hand.
import type { Tokenizer } from '@weft/contracts'
import { needsShared, readJsonLines, readText } from '@weft/fixtures'
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { encodePair } from '../src/encoding/index.ts'
import { tokenizerFromJson, tokenizerToJson } from '../src/index.ts'

const trained = needsShared('golden/tokenizers/trained')
const ending = '.tokenizer.json.gz'
const names = trained.missing ? [] : readdirSync(trained.path).filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length))

describe.skipIf(trained.missing)(`trained vocabularies${trained.note}`, () => {
  test.each(names.length === 0 ? ['none'] : names)('%s', (name) => {
    const tokenizer = tokenizerFromJson(readText(`${trained.path}/${name}${ending}`))
    const again = tokenizerFromJson(JSON.stringify(tokenizerToJson(tokenizer)))
    const rows = readJsonLines(`${trained.path}/${name}.encodings.jsonl.gz`) as { text: string; ids: number[] }[]
    expect(rows.length).toBeGreaterThan(10)
    for (const { text, ids } of rows) {
      expect([text, ...tokenizer.encode(text)]).toEqual([text, ...ids])
      expect([...again.encode(text)]).toEqual(ids)
    }
  })
})

const expectations = needsShared('data/hf-tokenizer-expectations/expected.jsonl.gz')
const llama = needsShared('data/tokenizer-json/llama.tokenizer.json.gz')

test.skipIf(expectations.missing || llama.missing)(`expected tokens of Llama in transformers.js${expectations.note}`, () => {
  const tokenizer: Tokenizer = tokenizerFromJson(readText(llama.path))
  const cases = (readJsonLines(expectations.path) as { model: string; case: string; text: string; text_pair?: string; ids: number[] }[]).filter(
    ({ model, ids }) => model === 'Xenova/llama-tokenizer' && ids[0] === 1,
  )
  expect(cases.length).toBeGreaterThan(10)
  for (const { text, text_pair: second, ids } of cases) {
    const found = second === undefined ? tokenizer.encode(text) : encodePair(tokenizer, text, second).tokenIds
    expect([text, ...found]).toEqual([text, ...ids])
  }
})
