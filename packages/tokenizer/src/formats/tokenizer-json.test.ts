import type { Json } from '@weft/contracts'
import { describe, expect, test } from 'vitest'
import { trainedEncodings, trainedJson, trainedText, type AnyTokenizerJson } from '../../test/fixtures.ts'
import { tokenizerFromJson } from './tokenizer-json.ts'
import { tokenizerToJson } from './tokenizer-json-writer.ts'

describe.each(['gpt2', 'cl100k'] as const)('the trained %s vocabulary', (name) => {
  test('encodes as Hugging Face tokenizers does, loaded from text or parsed, and from what is written', () => {
    const tokenizer = tokenizerFromJson(trainedText(name))
    const parsed = tokenizerFromJson(trainedJson(name))
    const rewritten = tokenizerFromJson(JSON.stringify(tokenizerToJson(tokenizer)))
    for (const { text, ids } of trainedEncodings(name)) {
      expect([...tokenizer.encode(text)]).toEqual(ids)
      expect([...parsed.encode(text)]).toEqual(ids)
      expect([...rewritten.encode(text)]).toEqual(ids)
      expect(tokenizer.decode(ids)).toBe(text)
    }
  })

  test('is written as it was read', () => {
    const json = trainedJson(name)
    const written = tokenizerToJson(tokenizerFromJson(json))
    expect({ ...written, model: undefined }).toEqual({ ...json, model: undefined })
    expect({ ...written.model.vocab }).toEqual(json.model.vocab)
    expect(written.model.merges).toEqual((json.model.merges as string[][]).map((pair) => pair.join(' ')))
  })
})

test('merges may be "a b" or ["a", "b"]', () => {
  const json = trainedJson()
  json.model.merges = (json.model.merges as string[][]).map((pair) => pair.join(' '))
  expect(tokenizerFromJson(json).encode('Hello world')).toEqual(tokenizerFromJson(trainedJson()).encode('Hello world'))
})

/** A vocabulary of the 256 bytes and some more tokens. */
const small = (tokens: readonly string[], merges: readonly (readonly [string, string])[], changes: Record<string, unknown> = {}): AnyTokenizerJson => {
  const bytes = Object.keys(trainedJson().model.vocab).filter((token) => token.length === 1)
  const vocab = Object.fromEntries([...bytes, ...tokens].map((token, id) => [token, id]))
  const json = trainedJson()
  return { ...json, added_tokens: [], model: { ...json.model, vocab, merges: [...merges] }, ...changes }
}

test('tokens named like properties of every object are tokens like any other', () => {
  const merges = ['constructor', '__proto__', 'toString'].map((word) => Array.from(word.slice(1), (_, i) => [word.slice(0, i + 1), word[i + 1]!] as const))
  const pairs = [...merges.flat(), ['__proto', '__'] as const]
  const tokens = [...new Set(pairs.map((pair) => pair.join('')))]
  const json = small(tokens, pairs, { pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: false } })
  const text = JSON.stringify(json)
  expect(text).toContain('"__proto__":')
  const tokenizer = tokenizerFromJson(text)
  const id = 256 + tokens.indexOf('__proto__')
  expect([...tokenizer.encode('__proto__')]).toEqual([id])
  expect([...tokenizer.encode('constructortoString')]).toHaveLength(2)
  const again = tokenizerFromJson(JSON.stringify(tokenizerToJson(tokenizer)))
  expect([...again.encode('__proto__')]).toEqual([id])
  expect(again.decode([id])).toBe('__proto__')
})

test('normalization comes before everything but raw added tokens', () => {
  const json = { ...trainedJson(), normalizer: { type: 'Sequence', normalizers: [{ type: 'NFD' }, { type: 'NFC' }] } }
  const tokenizer = tokenizerFromJson(json)
  expect(tokenizer.decode(tokenizer.encode('e\u0301'))).toBe('é')
})

test('ignore_merges takes a piece that is a token as it is', () => {
  const tokens = ['ab', 'bc', 'abc']
  const merges: [string, string][] = [['b', 'c'], ['ab', 'c']]
  const plain = small(tokens, merges)
  expect(tokenizerFromJson(plain).decode([...tokenizerFromJson(plain).encode('abc')].slice(0, 1))).toBe('a')
  const ignoring = { ...plain, model: { ...plain.model, ignore_merges: true } }
  expect(tokenizerFromJson(ignoring).encode('abc')).toHaveLength(1)
})

test('bytes without a token become the unknown one, fused or not, or are left out', () => {
  const json = small(['<unk>'], [])
  const unknown = json.model.vocab['<unk>']
  const text = '\u{3ba}\u{d7a9}' // bytes ce ba, ed 9e a9; those of the first are taken from the vocabulary
  const lacking = Object.fromEntries(Object.entries(json.model.vocab).filter(([token]) => !'Îº'.includes(token)))
  const encode = (changes: Record<string, unknown>) =>
    [...tokenizerFromJson({ ...json, model: { ...json.model, vocab: lacking, ...changes } }).encode(`a${text}`)]
  expect(encode({})).toHaveLength(4)
  expect(encode({ unk_token: '<unk>' }).filter((id) => id === unknown)).toHaveLength(2)
  expect(encode({ unk_token: '<unk>', fuse_unk: true }).filter((id) => id === unknown)).toHaveLength(1)
})

describe('the template', () => {
  const template = {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<|endoftext|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: 'end', type_id: 0 } }],
    pair: [],
    special_tokens: { '<|endoftext|>': { id: '<|endoftext|>', ids: [0], tokens: ['<|endoftext|>'] }, end: { id: 'end', ids: [5, 6], tokens: ['$', '%'] } },
  }
  const json = { ...trainedJson(), post_processor: { type: 'Sequence', processors: [{ type: 'ByteLevel' }, template] } }
  const tokenizer = tokenizerFromJson(json)

  test('puts its tokens around, unless it is told not to', () => {
    const inner = [...tokenizer.encode('Hello', { addSpecialTokens: false })]
    expect([...tokenizer.encode('Hello')]).toEqual([0, ...inner, 5, 6])
    expect([...tokenizer.encode('')]).toEqual([0, 5, 6])
    expect(tokenizer.beginId).toBe(0)
  })

  test('is kept when written', () => {
    expect(tokenizerToJson(tokenizer).post_processor).toEqual(json.post_processor as Json)
  })
})

test('roles come from the options, else from tokenizer_config.json, else from names', () => {
  const json = trainedJson()
  for (const content of ['<|im_start|>', '<|im_end|>', '<pad>']) json.added_tokens.push({ id: 1000 + json.added_tokens.length, content, special: true })
  const id = (content: string) => json.added_tokens.find((token) => token['content'] === content)!['id'] as number
  expect(tokenizerFromJson(json)).toMatchObject({ endIds: [0, id('<|im_end|>')], padId: id('<pad>') })
  const config = { bos_token: '<|im_start|>', eos_token: { content: '<|im_end|>' }, pad_token: null }
  expect(tokenizerFromJson(json, { config })).toMatchObject({ beginId: id('<|im_start|>'), endIds: [id('<|im_end|>'), 0], padId: id('<pad>') })
  expect(tokenizerFromJson(json, { config, roles: { end: '<|endoftext|>', pad: '<|endoftext|>' } })).toMatchObject({ endIds: [0], padId: 0 })
  expect(() => tokenizerFromJson(json, { roles: { begin: '<s>' } })).toThrow(/roles\.begin.*"<s>"/)
})

describe('bad files', () => {
  const change = (edit: (json: AnyTokenizerJson) => void): AnyTokenizerJson => {
    const json = trainedJson()
    edit(json)
    return json
  }
  test.each<[string, unknown, RegExp]>([
    ['cut off', trainedText('gpt2').slice(0, 5000), /^a\.json, \(root\): expected JSON of 5000 characters/],
    ['not an object', '[1, 2]', /^a\.json, \(root\): expected an object, got \[1,2\]/],
    ['no model', {}, /model: expected an object, got nothing/],
    ['vocab a list', change((json) => Object.assign(json.model, { vocab: [] })), /model\.vocab: expected an object, got \[\]/],
    ['an id that is no index', change((json) => (json.model.vocab['the'] = -1)), /model\.vocab\.the: expected an integer from 0 to 4194303, got -1/],
    ['a huge id', change((json) => (json.model.vocab['the'] = 1e9)), /model\.vocab\.the: expected an integer/],
    ['an id twice', change((json) => (json.model.vocab['the'] = 999)), /model\.vocab\..+: expected an id that no other token has, got 999/],
    ['an unknown token in a merge', change((json) => (json.model.merges[12] = 'a 中')), /model\.merges\[12\]: expected two tokens of model\.vocab/],
    ['a merge of three', change((json) => (json.model.merges[3] = 't h e')), /model\.merges\[3\]/],
    ['a merge that is a number', change((json) => (json.model.merges[3] = 7)), /model\.merges\[3\].*got 7/],
    ['an added token without content', change((json) => (json.added_tokens[0]!['content'] = 3)), /added_tokens\[0\]\.content: expected a string, got 3/],
    ['an added token with the id of another', change((json) => json.added_tokens.push({ id: 7, content: 'zz' })), /^a\.json, added_tokens\[1\]\.id: expected for "zz" an id that no other token has, got 7/],
    ['a wrong behaviour', change((json) => (json.pre_tokenizer = { type: 'Sequence', pretokenizers: [{ type: 'Split', pattern: { String: 'a' }, behavior: 'x' }, { type: 'ByteLevel', add_prefix_space: false }] })), /pre_tokenizer\.pretokenizers\[0\]\.behavior: expected one of Removed/],
  ])('%s', (_, json, message) => {
    expect(() => tokenizerFromJson(json, { source: 'a.json' })).toThrow(expect.objectContaining({ kind: 'format', message: expect.stringMatching(message) as string }))
  })

  test.each<[string, unknown, RegExp]>([
    ['another model', change((json) => (json.model['type'] = 'Markov')), /model\.type: the model Markov/],
    ['another normalizer', change((json) => (json.normalizer = { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Titlecase' }] })), /normalizer\.normalizers\[1\]\.type: the normalizer Titlecase/],
    ['a normalizer named like a property of every object', change((json) => (json.normalizer = { type: 'constructor' })), /normalizer\.type: the normalizer constructor/],
    ['another pre-tokenizer', change((json) => (json.pre_tokenizer = { type: 'Sequence', pretokenizers: [{ type: 'Digits' }, { type: 'Words' }] })), /pre_tokenizer\.pretokenizers\[1\]\.type: the pre-tokenizer Words/],
    ['another post-processor', change((json) => (json.post_processor = { type: 'Magic' })), /post_processor\.type: the post-processor Magic/],
    ['another decoder', change((json) => (json.decoder = { type: 'Sequence', decoders: [{ type: 'Fusion' }] })), /decoder\.decoders\[0\]\.type: the decoder Fusion/],
    ['a pattern beyond JavaScript', change((json) => (json.pre_tokenizer = { type: 'Sequence', pretokenizers: [{ type: 'Split', pattern: { Regex: '(?x: a)' }, behavior: 'Isolated' }, { type: 'ByteLevel', add_prefix_space: false }] })), /pretokenizers\[0\]\.pattern\.Regex: this kind of group/],
  ])('beyond what is supported: %s', (_, json, message) => {
    expect(() => tokenizerFromJson(json, { source: 'a.json' })).toThrow(expect.objectContaining({ kind: 'unsupported', message: expect.stringMatching(message) as string }))
  })

  test('only own tokenizers can be written', () => {
    const copy = { ...tokenizerFromJson(trainedJson()) }
    expect(() => tokenizerToJson(copy)).toThrow(/made by @weft\/tokenizer/)
  })
})
