// llama2.c's tok.bin, Mistral's tekken.json, BERT's vocab.txt, and the files that other programs open.
import { isWeftError, type Tokenizer } from '@weft/contracts'
import { needsShared, readJsonLines, readText } from '@weft/fixtures'
import fc from 'fast-check'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tokenizerFromFolder, tokenizerFromLlama2c, tokenizerFromTekken, tokenizerFromVocabTxt, tokenizerToSentencePiece, tokenizerToTiktoken } from '../src/formats/index.ts'
import { tokenizerFromJson, tokenizerFromSentencePiece, tokenizerFromTiktoken, tokenizerToJson } from '../src/index.ts'
import { trainedEncodings, trainedText } from './fixtures.ts'

const stories = needsShared('data/stories260k')
const bert = needsShared('data/bert-vocab/vocab.txt')
const golden = needsShared('golden/tokenizers')
const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(path))

describe.skipIf(stories.missing)(`tok.bin${stories.note}`, () => {
  const tokBin = () => bytesOf(`${stories.path}/tok512.bin`)

  test('prompts have the ids of llama2.c, and its texts come back', () => {
    const tokenizer = tokenizerFromLlama2c(tokBin())
    const { generation } = JSON.parse(readText(`${stories.path}/expected.json`)) as { generation: { prompt: string; prompt_ids: number[]; generated_ids?: number[]; ids?: number[]; text?: string }[] }
    expect(generation.length).toBeGreaterThan(2)
    for (const { prompt, prompt_ids } of generation) {
      expect([...tokenizer.encode(prompt)]).toEqual(prompt_ids)
      expect(tokenizer.decode(prompt_ids.slice(1))).toBe(prompt)
    }
  })

  test('a file cut anywhere is an error with the byte, or fewer tokens', () => {
    const bytes = tokBin()
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (length) => {
        try {
          expect(tokenizerFromLlama2c(bytes.subarray(0, length)).vocabSize).toBeGreaterThanOrEqual(259)
        } catch (error) {
          expect(isWeftError(error, 'format')).toBe(true)
        }
      }),
    )
  })
})

const tekkenJson = (changes: Record<string, unknown> = {}) => ({
  config: { pattern: '\\p{L}+|\\s+|[^\\s\\p{L}]+', default_vocab_size: 256 + 3 + 2, default_num_special_tokens: 3, version: 'v3' },
  vocab: [...Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)), 'ab', 'abc', 'unused beyond the size'].map((text, rank) => ({ rank, token_bytes: btoa(text), token_str: text })),
  special_tokens: ['<unk>', '<s>', '</s>'].map((token_str, rank) => ({ rank, token_str, is_control: true })),
  ...changes,
})

describe('tekken.json', () => {
  test('special tokens come first, the others behind them by their rank', () => {
    const tokenizer = tokenizerFromTekken(tekkenJson())
    expect(tokenizer.vocabSize).toBe(261)
    expect([...tokenizer.encode('abcab c</s>')]).toEqual([1, 260, 259, 32 + 3, 99 + 3, 2])
    expect(tokenizer.beginId).toBe(1)
    expect([...tokenizer.endIds]).toEqual([2])
    expect([...tokenizerFromJson(JSON.stringify(tokenizerToJson(tokenizer))).encode('abcab c</s>')]).toEqual([1, 260, 259, 35, 102, 2])
  })

  test.each([
    [{ vocab: [] }, /vocab: expected at least 258 tokens/],
    [{ vocab: tekkenJson().vocab.map((token, i) => (i === 5 ? { ...token, rank: 6 } : token)) }, /vocab\[5\]\.rank: expected the rank 5/],
    [{ vocab: tekkenJson().vocab.map((token, i) => (i === 5 ? { ...token, token_bytes: '!' } : token)) }, /vocab\[5\]\.token_bytes: expected base64/],
    [{ vocab: tekkenJson().vocab.map((token, i) => (i === 5 ? { ...token, token_bytes: 'AA==' } : token)) }, /vocab\[5\]\.token_bytes: expected bytes that no token before it has/],
    [{ config: { ...tekkenJson().config, default_vocab_size: 100 } }, /config\.default_vocab_size: expected at least 259/],
  ])('a broken file names the place (%#)', (changes, message) => {
    expect(() => tokenizerFromTekken(tekkenJson(changes))).toThrow(message)
  })
})

describe('vocab.txt', () => {
  test.skipIf(bert.missing || golden.missing)(`BERT's ids${bert.note}`, () => {
    const tokenizer = tokenizerFromVocabTxt({ vocab: readText(bert.path) })
    const texts = new Map((JSON.parse(readText(`${golden.path}/strings.json`)) as { name: string; text: string }[]).map(({ name, text }) => [name, text]))
    const rows = (readJsonLines(`${golden.path}/hf-bert-base-uncased.jsonl.gz`) as { name: string; ids: number[]; withSpecial?: number[]; error?: string }[]).filter(({ error }) => error === undefined)
    for (const { name, ids, withSpecial } of rows) {
      expect([name, ...tokenizer.encode(texts.get(name)!, { addSpecialTokens: false })]).toEqual([name, ...ids])
      if (withSpecial !== undefined) expect([...tokenizer.encode(texts.get(name)!)]).toEqual(withSpecial)
    }
  })

  test('a token that is there twice, and a file of something else', () => {
    expect(() => tokenizerFromVocabTxt({ vocab: '[UNK]\na\na\n', source: 'vocab.txt' })).toThrow('vocab.txt, line 3: the token "a" is there twice')
    expect(() => tokenizerFromVocabTxt({ vocab: 'to be or not to be' })).toThrow(/expected a line \[UNK\]/)
  })
})

test('a folder gives the first of its tokenizer files, with the settings beside it', async () => {
  const files: Record<string, string> = { 'vocab.txt': '[UNK]\nA\na', 'tokenizer_config.json': '{"do_lower_case": false}' }
  const read = async (name: string) => (files[name] === undefined ? undefined : new TextEncoder().encode(files[name]))
  const tokenizer = await tokenizerFromFolder(read, 'model')
  expect([...tokenizer!.encode('A a')]).toEqual([1, 2])
  files['vocab.json'] = '{"a": 0}'
  await expect(tokenizerFromFolder(read, 'model')).rejects.toThrow('model/vocab.json: expected merges.txt beside it')
  files['tokenizer.json'] = '{'
  await expect(tokenizerFromFolder(read, 'model')).rejects.toThrow(/model\/tokenizer\.json/)
  expect(await tokenizerFromFolder(async () => undefined)).toBeUndefined()
})

test.each(['gpt2', 'cl100k'] as const)('tiktoken ranks of a trained tokenizer (%s) give the same ids', (name) => {
  const { ranks, pattern, specialTokens } = tokenizerToTiktoken(tokenizerFromJson(trainedText(name)))
  const again = tokenizerFromTiktoken({ ranks, pattern: new RegExp(pattern.replace('(?i:', '(?:').replace("'(?:[sdmt]", "'(?:[sdmtSDMT]"), 'u'), specialTokens })
  expect(pattern).toContain('\\p{L}+')
  for (const { text, ids } of trainedEncodings(name)) if (name === 'gpt2') expect([text, ...again.encode(text)]).toEqual([text, ...ids])
})

const python = process.env['WEFT_PYTHON'] ?? 'python3'
const canImport = (module: string): boolean => {
  try {
    execFileSync(python, ['-c', `import ${module}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const texts = ['Hello, world!', '  two  spaces ', 'naïve café 東京 🙂', 'line\nbreak\ttab', '', 'x'.repeat(50), '1234 + 5678']

describe.skipIf(golden.missing || !canImport('sentencepiece'))('SentencePiece in Python opens what is written (skipped where it is not installed)', () => {
  const idsOf = (bytes: Uint8Array): number[][] => {
    const path = join(mkdtempSync(join(tmpdir(), 'weft-sentencepiece-')), 'm.model')
    writeFileSync(path, bytes)
    const script = 'import sys,json,sentencepiece as s\nm=s.SentencePieceProcessor(model_file=sys.argv[1])\nprint(json.dumps([m.encode(t) for t in json.load(sys.stdin)]))'
    return JSON.parse(execFileSync(python, ['-c', script, path], { input: JSON.stringify(texts) }).toString()) as number[][]
  }
  const mine = (tokenizer: Tokenizer): number[][] => texts.map((text) => [...tokenizer.encode(text, { addSpecialTokens: false, allowSpecial: false })])

  test.each(['sentencepiece-bpe-2000', 'sentencepiece-bpe-2000-llama-style', 'sentencepiece-unigram-2000'])('%s', (name) => {
    const tokenizer = tokenizerFromSentencePiece(bytesOf(`${golden.path}/trained/${name}.model`))
    expect(idsOf(tokenizerToSentencePiece(tokenizer))).toEqual(mine(tokenizer))
  })

  test.each(['data/tokenizer-json/llama.tokenizer.json.gz', 'golden/tokenizers/trained/unigram-2000-lines-bare.tokenizer.json.gz'])('%s', (path) => {
    const json = JSON.parse(readText(needsShared(path).path)) as { normalizer: unknown }
    const isUnigram = path.includes('unigram')
    if (isUnigram) json.normalizer = null // NFKC is no rule of SentencePiece's
    const tokenizer = tokenizerFromJson(json)
    // Metaspace puts no space before one, SentencePiece does
    const isSame = (_: unknown, i: number): boolean => !isUnigram || !texts[i]!.startsWith(' ')
    expect(idsOf(tokenizerToSentencePiece(tokenizer)).filter(isSame)).toEqual(mine(tokenizer).filter(isSame))
  })
})

describe.skipIf(golden.missing || !canImport('tiktoken'))('tiktoken in Python opens what is written (skipped where it is not installed)', () => {
  test.each(['gpt2', 'cl100k'] as const)('%s', (name) => {
    const tokenizer = tokenizerFromJson(trainedText(name))
    const { ranks, pattern, specialTokens } = tokenizerToTiktoken(tokenizer)
    const path = join(mkdtempSync(join(tmpdir(), 'weft-tiktoken-')), 'r.tiktoken')
    writeFileSync(path, ranks)
    const script = 'import sys,json,base64,tiktoken\nr={base64.b64decode(l.split()[0]):int(l.split()[1]) for l in open(sys.argv[1])}\nd=json.load(sys.stdin)\ne=tiktoken.Encoding("x",pat_str=d["p"],mergeable_ranks=r,special_tokens=d["s"])\nprint(json.dumps([e.encode(t) for t in d["t"]]))'
    const input = JSON.stringify({ p: pattern, s: Object.fromEntries(specialTokens), t: texts })
    expect(JSON.parse(execFileSync(python, ['-c', script, path], { input }).toString())).toEqual(texts.map((text) => [...tokenizer.encode(text)]))
  })
})
