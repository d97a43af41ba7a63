// Ids, offsets and decoded text of Hugging Face tokenizers and tiktoken on 131 awkward strings, for real vocabularies.
import type { Tokenizer } from '@weft/contracts'
import { needsShared, readJsonLines, readText } from '@weft/fixtures'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { encodeDetailed } from '../src/encoding/index.ts'
import { decodeStream, encodeWithOffsets, tokenizerFromJson, tokenizerFromTiktoken, tokenizerFromVocabAndMerges, tokenizerToJson } from '../src/index.ts'

interface Row {
  readonly name: string
  readonly error?: string
  readonly ids: number[]
  readonly withSpecial?: number[]
  readonly withSpecialParsed?: number[]
  readonly offsets?: [number, number][]
  readonly starts?: number[]
  readonly tokenBytes?: string[]
  readonly decoded: true | string | { sha1: string; codePoints: number }
  readonly decodedSkipSpecial?: Row['decoded']
}

const golden = needsShared('golden/tokenizers')
const data = needsShared('data/tokenizer-json')
const at = (path: string): string => needsShared(path).path
const rows = (name: string): Row[] => readJsonLines(at(`golden/tokenizers/${name}.jsonl.gz`)) as Row[]

const pair = (folder: string, vocab: string, merges: string): Tokenizer =>
  tokenizerFromVocabAndMerges({ vocab: readText(at(`data/${folder}/${vocab}`)), merges: readText(at(`data/${folder}/${merges}`)) })

const ranks = (name: string, pattern: 'gpt2' | 'cl100k', specialTokens: Record<string, number>): Tokenizer =>
  tokenizerFromTiktoken({ ranks: new Uint8Array(readFileSync(at(`data/tiktoken/${name}.tiktoken`))), pattern, specialTokens })

const cl100kSpecial = { '<|endoftext|>': 100257, '<|fim_prefix|>': 100258, '<|fim_middle|>': 100259, '<|fim_suffix|>': 100260, '<|endofprompt|>': 100276 }

const tokenizers: Record<string, () => Tokenizer> = {
  'hf-gpt-neox': () => tokenizerFromJson(readText(at('data/tokenizer-json/gpt-neox.tokenizer.json.gz'))),
  'hf-llama': () => tokenizerFromJson(readText(at('data/tokenizer-json/llama.tokenizer.json.gz'))),
  'hf-bert-base-uncased': () => bert(),
  'hf-gpt2': () => pair('gpt2-vocab', 'vocab.json', 'merges.txt'),
  'hf-bpe-training-reference': () => pair('bpe-training-reference', 'train-bpe-reference-vocab.json', 'train-bpe-reference-merges.txt'),
  'tiktoken-r50k_base': () => ranks('r50k_base', 'gpt2', { '<|endoftext|>': 50256 }),
  'tiktoken-cl100k_base': () => ranks('cl100k_base', 'cl100k', cl100kSpecial),
}

/** As the reference built it from the vocabulary. */
const bert = (): Tokenizer => {
  const vocab = Object.fromEntries(readText(at('data/bert-vocab/vocab.txt')).split('\n').filter((token) => token !== '').map((token, id) => [token, id]))
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
  return tokenizerFromJson({
    added_tokens: special.map((content) => ({ content, id: vocab[content], special: true, normalized: false })),
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: { type: 'BertProcessing', sep: ['[SEP]', vocab['[SEP]']], cls: ['[CLS]', vocab['[CLS]']] },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: { type: 'WordPiece', unk_token: '[UNK]', vocab },
  })
}

/** UTF-16 unit at which each code point begins. */
const unitStarts = (text: string): number[] => {
  const starts = [0]
  for (const character of text) starts.push(starts.at(-1)! + character.length)
  return starts
}

const expectText = (text: string, expected: Row['decoded'], original: string): void => {
  if (typeof expected === 'object') expect(createHash('sha1').update(text).digest('hex')).toBe(expected.sha1)
  else expect(text).toBe(expected === true ? original : expected)
}

describe.skipIf(golden.missing || data.missing).each(Object.keys(tokenizers))(`%s${golden.note}`, (name) => {
  const tokenizer = golden.missing ? undefined : tokenizers[name]!()
  const texts = golden.missing
    ? new Map<string, string>()
    : new Map((JSON.parse(readText(at('golden/tokenizers/strings.json'))) as { name: string; text: string }[]).map((row) => [row.name, row.text]))
  const isHuggingFace = name.startsWith('hf-')
  const isFramed = name === 'hf-llama' || name === 'hf-bert-base-uncased'
  const known = golden.missing ? [] : rows(name).filter((row) => row.error === undefined)
  const plain = { addSpecialTokens: false, allowSpecial: isHuggingFace }

  test('ids', () => {
    expect(known.length).toBeGreaterThan(120)
    for (const row of known) {
      const text = texts.get(row.name)!
      expect([row.name, ...tokenizer!.encode(text, plain)]).toEqual([row.name, ...row.ids])
      if (row.withSpecial === undefined && isFramed) continue // not written down for long strings
      const whole = row.withSpecial ?? row.withSpecialParsed ?? row.ids
      expect([row.name, ...tokenizer!.encode(text)]).toEqual([row.name, ...whole])
    }
  })

  test('ids, after it was written as tokenizer.json and read again', () => {
    const again = tokenizerFromJson(JSON.stringify(tokenizerToJson(tokenizer!)))
    for (const row of known) expect([row.name, ...again.encode(texts.get(row.name)!, plain)]).toEqual([row.name, ...row.ids])
  })

  test('decoded text and bytes', () => {
    for (const row of known) {
      const text = texts.get(row.name)!
      const original = text.replace(/\p{Surrogate}/gu, '\ufffd')
      expectText(tokenizer!.decode(row.ids), row.decoded, original)
      if (row.decodedSkipSpecial !== undefined) expectText(tokenizer!.decode(row.ids, { skipSpecialTokens: true }), row.decodedSkipSpecial, original)
      row.tokenBytes?.forEach((hex, i) => expect(Buffer.from(tokenizer!.tokenBytes(row.ids[i]!)).toString('hex')).toBe(hex))
    }
  })

  test('offsets', () => {
    const rowsWithOffsets = known.filter((row) => (row.offsets ?? row.starts) !== undefined)
    expect(rowsWithOffsets.length).toBeGreaterThan(90)
    for (const row of rowsWithOffsets) {
      const text = texts.get(row.name)!
      const units = unitStarts(text)
      const { offsets } = encodeWithOffsets(tokenizer!, text, { ...plain, trimSpaces: name === 'hf-gpt-neox' })
      if (isHuggingFace && row.offsets !== undefined) {
        expect([row.name, ...encodeDetailed(tokenizer!, text, plain).codePointOffsets]).toEqual([row.name, ...row.offsets.flat()])
      }
      const found = row.offsets === undefined ? offsets.filter((_, i) => i % 2 === 0) : offsets
      expect([row.name, ...found]).toEqual([row.name, ...(row.offsets?.flat() ?? row.starts!).map((point) => units[point])])
    }
  })
})

describe.skipIf(golden.missing)(`bytes and streams${golden.note}`, () => {
  test('bytes that are no text decode as the platform does', () => {
    const systems = ['tiktoken-r50k_base', 'tiktoken-cl100k_base'].map((name) => [name.slice('tiktoken-'.length), tokenizers[name]!()] as const)
    const cases = JSON.parse(readText(at('golden/tokenizers/bytes.json'))) as Record<string, { ids: number[]; decodedReplace: string }>[]
    for (const row of cases) {
      for (const [name, tokenizer] of systems) expect(tokenizer.decode(row[name]!.ids)).toBe(row[name]!.decodedReplace)
    }
  })

  test('a stream shows what the decoded prefixes show, without unfinished characters', () => {
    const loaded = new Map<string, Tokenizer>()
    let compared = 0
    for (const row of readJsonLines(at('golden/tokenizers/decode-prefixes.jsonl.gz')) as { system: string; ids: number[]; decodedPrefixes: string[] }[]) {
      const name = row.system.replace(' ', '-')
      if (tokenizers[name] === undefined) continue
      const tokenizer = loaded.get(name) ?? tokenizers[name]()
      loaded.set(name, tokenizer)
      const stream = decodeStream(tokenizer)
      let shown = ''
      row.ids.forEach((id, i) => {
        shown += stream.push(id)
        const prefix = row.decodedPrefixes[i]!.replace(/\ufffd+$/, '')
        // A run of byte tokens is shown when it ends: until then it may still prove to be no text
        if (name === 'hf-llama') expect(prefix.startsWith(shown) || shown === '').toBe(true)
        else expect(shown).toBe(prefix)
        compared++
      })
      expect(shown + stream.flush()).toBe(row.decodedPrefixes.at(-1) ?? '')
    }
    expect(compared).toBeGreaterThan(500)
  })
})

const expectations = needsShared('data/hf-tokenizer-expectations/expected.jsonl.gz')

test.skipIf(expectations.missing)(`expected tokens of GPT-2 in transformers.js${expectations.note}`, () => {
  const tokenizer = tokenizers['hf-gpt2']!()
  const cases = (readJsonLines(expectations.path) as { model: string; text: string; text_pair?: string; ids: number[] }[]).filter(
    ({ model, text_pair }) => ['Xenova/gpt2', 'openai-community/gpt2'].includes(model) && text_pair === undefined,
  )
  expect(cases.length).toBeGreaterThan(10)
  for (const { text, ids } of cases) expect([text, ...tokenizer.encode(text)]).toEqual([text, ...ids])
})
