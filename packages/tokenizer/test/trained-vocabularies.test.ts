// What is learned from the plays, against what the trainers of Hugging Face tokenizers and sentencepiece learn from them.
import type { Tokenizer } from '@weft/contracts'
import { needsShared, readText } from '@weft/fixtures'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { trainTokenizer, tokenizerFromJson, tokenizerFromSentencePiece, tokenizerToJson, type TrainTokenizerOptions } from '../src/index.ts'

const plays = needsShared('data/tinyshakespeare/input.txt')
const golden = needsShared('golden/tokenizers/trained')

const train = async (options: TrainTokenizerOptions): Promise<Tokenizer> => {
  for await (const event of trainTokenizer(options)) if (event.kind === 'finished') return event.tokenizer
  throw new Error('did not finish')
}

interface Written {
  readonly model: { readonly vocab: Record<string, number> | [string, number][] }
}
const vocabularyOf = (tokenizer: Tokenizer) => (JSON.parse(JSON.stringify(tokenizerToJson(tokenizer))) as Written).model.vocab
const goldenJson = (name: string): Written => JSON.parse(readText(`${golden.path}/${name}.tokenizer.json.gz`)) as Written

describe.skipIf(plays.missing || golden.missing)(`vocabularies of the peers${golden.note}`, () => {
  const text = plays.missing ? '' : readText(plays.path)
  const lines = text.split('\n').filter((line) => line !== '')

  test('WordPiece: the same set of tokens', async () => {
    const tokenizer = await train({ algorithm: 'wordpiece', texts: [text], vocabSize: 2000 })
    const tokens = new Set(Object.keys(vocabularyOf(tokenizer)))
    const expected = new Set(Object.keys(goldenJson('wordpiece-2000-whole').model.vocab))
    expect(tokens.size).toBe(2000)
    expect([...tokens].filter((token) => !expected.has(token))).toEqual([])
  })

  test('Unigram: compression and likelihood within 0.5 %, nearly the same pieces', { timeout: 60_000 }, async () => {
    const tokenizer = await train({ algorithm: 'unigram', texts: lines, vocabSize: 2000 })
    const reference = tokenizerFromJson(goldenJson('unigram-2000-lines-bare'))
    const measure = (each: Tokenizer) => {
      const scores = (vocabularyOf(each) as [string, number][]).map(([, score]) => score)
      let [tokens, nats] = [0, 0]
      for (const line of lines) {
        const ids = each.encode(line, { addSpecialTokens: false })
        tokens += ids.length
        for (const id of ids) nats -= scores[id]!
      }
      return { tokens, nats }
    }
    const [mine, theirs] = [measure(tokenizer), measure(reference)]
    expect(Math.abs(mine.tokens / theirs.tokens - 1)).toBeLessThan(0.005)
    expect(Math.abs(mine.nats / theirs.nats - 1)).toBeLessThan(0.005)
    const known = new Set((vocabularyOf(reference) as [string, number][]).map(([piece]) => piece))
    const pieces = (vocabularyOf(tokenizer) as [string, number][]).map(([piece]) => piece)
    expect(pieces.length).toBe(2000)
    expect(pieces.filter((piece) => known.has(piece)).length).toBeGreaterThan(1900)
  })

  test('BPE over characters: the pieces of sentencepiece, in its order', async () => {
    const tokenizer = await train({ alphabet: 'characters', texts: lines, vocabSize: 2000, byteFallback: false, splitDigits: false, characterCoverage: 1, maxPieceLength: 16 })
    const reference = tokenizerFromSentencePiece(new Uint8Array(readFileSync(`${golden.path}/sentencepiece-bpe-2000.model`)))
    expect(Object.keys(vocabularyOf(tokenizer))).toEqual(Object.keys(vocabularyOf(reference)))
  })
})

// Two rounds of expectation-maximization by tokenizers 0.23.3 on these texts
test('Unigram: the probabilities of the reference', async () => {
  const texts = Array.from({ length: 5 }, () => ['abab cabab dab', 'cab cabab x']).flat()
  const tokenizer = await train({ algorithm: 'unigram', texts, vocabSize: 20_000, specialTokens: ['<unk>'] })
  const expected: [string, number][] = [
    ['<unk>', 0],
    ['ab', -1.1185398668940865],
    ['▁', -1.5083491341538071],
    ['▁cab', -1.5558512849657116],
    ['d', -2.7000472839569998],
    ['x', -2.7000472839569998],
    ['a', -3.460969792493576],
    ['b', -3.460969792493576],
    ['c', -3.460969792493576],
  ]
  const vocabulary = vocabularyOf(tokenizer) as [string, number][]
  expect(vocabulary.map(([piece]) => piece)).toEqual(expected.map(([piece]) => piece))
  vocabulary.forEach(([, score], i) => expect(Math.abs(score - expected[i]![1])).toBeLessThan(3e-4)) // characters that were dropped come back a little apart
})

test('a SentencePiece kind learns what it can, keeps every text and says what does not fit', async () => {
  const texts = ['Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.\nZwölf 12 Boxkämpfer 1234.', '東京タワー 東京駅']
  const tokenizer = await train({ alphabet: 'characters', texts, vocabSize: 360 })
  for (const each of [...texts, '  two  spaces', 'nothing like it: \u{1f600}\r\n']) expect(tokenizer.decode(tokenizer.encode(each, { addSpecialTokens: false }))).toBe(each)
  expect([tokenizer.unknownId, tokenizer.beginId, [...tokenizer.endIds]]).toEqual([0, 1, [2]])
  await expect(train({ alphabet: 'characters', texts, vocabSize: 270 })).rejects.toThrow(/more characters than fit into 270 tokens/)
})

test.each(['wordpiece', 'unigram'] as const)('%s: the same from any iterable, and written and read again', async (algorithm) => {
  const texts = ['The quick brown fox jumps over the lazy dog. ', 'The dogs sleep; the foxes do not. ']
  const later = async function* () {
    yield* texts
  }
  const tokenizer = await train({ algorithm, texts, vocabSize: 80 })
  expect(tokenizerToJson(await train({ algorithm, texts: later(), vocabSize: 80 }))).toEqual(tokenizerToJson(tokenizer))
  const again = tokenizerFromJson(JSON.stringify(tokenizerToJson(tokenizer)))
  for (const text of texts) expect([...again.encode(text)]).toEqual([...tokenizer.encode(text)])
})
