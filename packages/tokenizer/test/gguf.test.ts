// Vocabularies of GGUF files: the ids of llama.cpp. The tests read the metadata by themselves: weights are another package's.
import type { Json, Tokenizer } from '@weft/contracts'
import { needsShared, readJsonLines } from '@weft/fixtures'
import { describe, expect, test } from 'vitest'
import { readFileSync } from 'node:fs'
import { tokenizerFromGguf, tokenizerFromSentencePiece } from '../src/index.ts'
import { readSentencePieceModel } from '../src/formats/sentencepiece-model.ts'
import { ggufPatterns } from '../src/formats/gguf-patterns.ts'
import { toAlphabet } from '../src/text/byte-alphabet.ts'
import { readGgufMetadata } from './gguf-metadata.ts'

const vocabs = needsShared('data/ggml-vocabs')
const open = (path: string): Tokenizer => tokenizerFromGguf(readGgufMetadata(path), { source: path })

describe.skipIf(vocabs.missing)(`GGUF vocabularies${vocabs.note}`, () => {
  // Phi-3 has Llama's pieces, and more tokens behind them
  test.each([['gpt-2'], ['deepseek-coder'], ['llama-spm'], ['bert-bge'], ['phi-3', 'llama-spm']])('%s', (name, file = name) => {
    const tokenizer = open(`${vocabs.path}/ggml-vocab-${file}.gguf`)
    const rows = (readJsonLines(`${vocabs.path}/expected.jsonl`) as { vocab: string; text: string; ids: number[] }[]).filter(({ vocab }) => vocab === name)
    expect(rows.length).toBe(31)
    for (const { text, ids } of rows) expect([text, ...tokenizer.encode(text, { addSpecialTokens: false, allowSpecial: false })]).toEqual([text, ...ids])
  })

  test('begin and end tokens stand where the file says so', () => {
    const spm = open(`${vocabs.path}/ggml-vocab-llama-spm.gguf`)
    expect([...spm.encode('Hi')]).toEqual([1, 6324])
    expect([spm.beginId, [...spm.endIds], spm.unknownId]).toEqual([1, [2], 0])
    const bert = open(`${vocabs.path}/ggml-vocab-bert-bge.gguf`)
    expect([...bert.encode('hello')]).toEqual([101, 7592, 102])
  })
})

const smol = needsShared('models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf')
test.skipIf(smol.missing)(`a chat model's turn tokens are special and end generation${smol.note}`, () => {
  const tokenizer = open(smol.path)
  const ids = tokenizer.encode('<|im_start|>user\nWhat is 12 + 30?<|im_end|>\n')
  expect([ids[0], ids.at(-2)]).toEqual([1, 2])
  expect(tokenizer.decode(ids)).toBe('<|im_start|>user\nWhat is 12 + 30?<|im_end|>\n')
  expect(tokenizer.endIds).toContain(2)
})

const unigram = needsShared('data/sentencepiece/test_model.model')
test.skipIf(unigram.missing)(`T5's kind has the ids of the SentencePiece model that it was made of${unigram.note}`, () => {
  const bytes = new Uint8Array(readFileSync(unigram.path))
  const { pieces, normalizer } = readSentencePieceModel(bytes)
  const types = ['', 'normal', 'unknown', 'control', 'userDefined', 'unused', 'byte']
  const t5 = tokenizerFromGguf(
    new Map<string, Json>([
      ['tokenizer.ggml.model', 't5'],
      ['tokenizer.ggml.tokens', pieces.map(({ piece }) => piece)],
      ['tokenizer.ggml.scores', pieces.map(({ score }) => score)],
      ['tokenizer.ggml.token_type', pieces.map(({ type }) => types.indexOf(type))],
      ['tokenizer.ggml.precompiled_charsmap', [...normalizer.charsmap]],
      ['tokenizer.ggml.eos_token_id', 2],
    ]),
  )
  const reference = tokenizerFromSentencePiece(bytes)
  for (const text of ['  Ｈｅｌｌｏ   world. ', 'ﬁne ① e\u0301', '\u{1f600}']) expect([...t5.encode(text)]).toEqual([...reference.encode(text), 2])
})

const tiny: Record<string, Json> = {
  'tokenizer.ggml.model': 'gpt2',
  'tokenizer.ggml.pre': 'gpt-2',
  'tokenizer.ggml.tokens': ['a', 'b', 'ab', '<|x|>'],
  'tokenizer.ggml.token_type': [1, 1, 1, 3],
  'tokenizer.ggml.merges': ['a b'],
}
const metadata = (changes: Record<string, Json | undefined>): Map<string, Json> =>
  new Map(Object.entries({ ...tiny, ...changes }).filter((entry): entry is [string, Json] => entry[1] !== undefined))

test('a small byte-level vocabulary', () => {
  const tokenizer = tokenizerFromGguf(metadata({}))
  expect([...tokenizer.encode('abba<|x|>')]).toEqual([2, 1, 0, 3])
})

test.each([
  ['tokenizer.ggml.model', undefined, /tokenizer\.ggml\.model: expected the kind/],
  ['tokenizer.ggml.model', 'rwkv', /expected gpt2, llama, bert or t5, got "rwkv"/],
  ['tokenizer.ggml.pre', 'kimi-k2', /tokenizer\.ggml\.pre: expected a known way .* got "kimi-k2"/],
  ['tokenizer.ggml.tokens', ['a', 'a'], /tokenizer\.ggml\.token_type: expected a number for each of the 2 tokens/],
  ['tokenizer.ggml.tokens', ['a', 'b', 'a', '<|x|>'], /tokenizer\.ggml\.tokens\[2\]: the token "a" is there twice/],
  ['tokenizer.ggml.merges', ['ab'], /tokenizer\.ggml\.merges\[0\]: expected two tokens/],
  ['tokenizer.ggml.merges', undefined, /tokenizer\.ggml\.merges: expected the merges/],
  ['tokenizer.ggml.tokens', 7, /tokenizer\.ggml\.tokens: expected the texts of all tokens/],
])('%s %j is an error that names the key', (key, value, message) => {
  expect(() => tokenizerFromGguf(metadata({ [key]: value as Json | undefined }))).toThrow(message)
})

test.each([...ggufPatterns.keys()])('text is cut as %s says, and comes back', (pre) => {
  const bytes = Array.from({ length: 256 }, (_, byte) => toAlphabet(Uint8Array.of(byte)))
  const tokenizer = tokenizerFromGguf(metadata({ 'tokenizer.ggml.pre': pre, 'tokenizer.ggml.tokens': bytes, 'tokenizer.ggml.token_type': bytes.map(() => 1), 'tokenizer.ggml.merges': [] }))
  const text = "It's 12345 + 3.5;  naïve Ångström\n\n東京タワー <|x|> \u{1f600}…"
  expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
})
