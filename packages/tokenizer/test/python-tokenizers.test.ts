// What is written here is opened by Hugging Face tokenizers in Python, which must give the same ids; for pipelines that no reference
// file at hand has. Skipped where `python3` has no tokenizers.
import { needsShared, readText } from '@weft/fixtures'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { tokenizerFromJson, tokenizerToJson } from '../src/index.ts'
import { trainedJson } from './fixtures.ts'

const python = process.env['WEFT_PYTHON'] ?? 'python3'
const isThere = ((): boolean => {
  try {
    execFileSync(python, ['-c', 'import tokenizers'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()
const note = isThere ? '' : ' (skipped: python3 has no tokenizers; pip install tokenizers)'

const script = `
import json, sys
from tokenizers import Tokenizer
cases, texts = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
out = {}
for name, text in cases.items():
    t = Tokenizer.from_str(text)
    out[name] = [{"ids": e.ids, "decoded": t.decode(e.ids, skip_special_tokens=False)} for e in (t.encode(s) for s in texts)]
json.dump(out, open(sys.argv[3], "w"))
`

const split = (regex: string, behavior = 'Isolated', invert = false) => ({ type: 'Split', pattern: { Regex: regex }, behavior, invert })
const byteLevel = (useRegex: boolean, prefixSpace = false) => ({ type: 'ByteLevel', add_prefix_space: prefixSpace, trim_offsets: true, use_regex: useRegex })
const chain = (...pretokenizers: object[]) => ({ pre_tokenizer: { type: 'Sequence', pretokenizers: [...pretokenizers, byteLevel(false)] } })
const cased = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]'
const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]'
const added = (id: number, content: string, flags: object = {}) => ({ id, content, special: false, ...flags })

const variants: Record<string, object> = {
  gpt2: {},
  'prefix space': { pre_tokenizer: byteLevel(true, true) },
  'no pattern': { pre_tokenizer: byteLevel(false) },
  llama3: chain(split(`${cased}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`)),
  qwen2: { normalizer: { type: 'NFC' }, ...chain(split(`${cased}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`)) },
  o200k: chain(
    split(
      `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+${cased}?|[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*${cased}?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
    ),
  ),
  'digits one by one': { pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel(true)] } },
  'digits in runs': { pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: false }, byteLevel(true)] } },
  deepseek: chain(
    split('\\p{N}{1,3}'),
    split('[一-龥぀-ゟ゠-ヿ]+'),
    split(
      '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
    ),
  ),
  'classes and borders': chain(split('\\b\\w+\\b|\\d|[\\w\\s&&[^a-e]]+|(?i:ss?)|(?>x+|x)y|^.$')),
  ...Object.fromEntries(
    ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'].flatMap((behavior) =>
      [false, true].map((invert) => [`${behavior}${invert ? ' inverted' : ''}`, chain(split('[aeo\\n]+| ', behavior, invert))]),
    ),
  ),
  'added tokens': {
    normalizer: { type: 'NFC' },
    added_tokens: [
      { ...added(0, '<|endoftext|>'), special: true, normalized: false },
      added(1000, 'hello', { normalized: true }),
      added(1001, 'world', { single_word: true, normalized: false }),
      added(1002, '<l>', { lstrip: true, normalized: false }),
      added(1003, '<r>', { rstrip: true, normalized: false, special: true }),
      added(1004, 'が', { normalized: true }),
      added(1005, '  ', { normalized: true }),
      added(1006, 'ell', { normalized: false }),
    ],
  },
  template: {
    added_tokens: [{ ...added(0, '<|endoftext|>'), special: true }, { ...added(1000, '<s>'), special: true }],
    post_processor: {
      type: 'Sequence',
      processors: [
        byteLevel(true),
        {
          type: 'TemplateProcessing',
          single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '<|endoftext|>', type_id: 0 } }],
          pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
          special_tokens: {
            '<s>': { id: '<s>', ids: [1000], tokens: ['<s>'] },
            '<|endoftext|>': { id: '<|endoftext|>', ids: [0], tokens: ['<|endoftext|>'] },
          },
        },
      ],
    },
  },
}

const shared = needsShared('golden/tokenizers/strings.json')
const texts = [
  '', ' ', 'Hello world', "I'll DON'T it'ſ 'Tis", '12345 ٣٤٥ ²½', 'a\r\n\r\n  b\n   ', 'worldly world, world_ (world)', 'hello  <l> x <r>   y <l><r> ',
  'e\u0301 é か\u3099 が', 'x\u0085y\u00a0z\u3000 \ufeff', '日本語テキスト 한국어', '😀👩‍🚀 ❤️', '<|endoftext|>a<s> ell', 'ssxxy xyz Ss', 'http://a.b/c?d=e#f HTTPServer',
  ...(shared.missing ? [] : (JSON.parse(readText(shared.path)) as { text: string }[]).map(({ text }) => text).filter((text) => text.length < 3000)),
].filter((text) => !/\p{Surrogate}/u.test(text))

describe.skipIf(!isThere)(`Hugging Face tokenizers in Python${note}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-tokenizer-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const tokenizers = Object.fromEntries(Object.entries(variants).map(([name, changes]) => [name, tokenizerFromJson({ ...trainedJson(), ...changes })]))
  const paths = ['cases.json', 'texts.json', 'out.json'].map((name) => join(folder, name)) as [string, string, string]
  const answer = (): Record<string, { ids: number[]; decoded: string }[]> => {
    writeFileSync(paths[0], JSON.stringify(Object.fromEntries(Object.entries(tokenizers).map(([name, tokenizer]) => [name, JSON.stringify(tokenizerToJson(tokenizer))]))))
    writeFileSync(paths[1], JSON.stringify(texts))
    execFileSync(python, ['-c', script, ...paths])
    return JSON.parse(readFileSync(paths[2], 'utf8')) as Record<string, { ids: number[]; decoded: string }[]>
  }
  const answers = isThere ? answer() : {}

  test.each(Object.keys(variants))('%s', (name) => {
    const tokenizer = tokenizers[name]!
    texts.forEach((text, i) => {
      const { ids, decoded } = answers[name]![i]!
      expect([text, ...tokenizer.encode(text)]).toEqual([text, ...ids])
      expect(tokenizer.decode(ids)).toBe(decoded)
    })
  })
})
