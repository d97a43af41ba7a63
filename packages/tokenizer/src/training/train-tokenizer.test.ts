import { needsShared, readText } from '@weft/fixtures'
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { trainedJson } from '../../test/fixtures.ts'
import { trainTokenizer, type TokenizerTrainEvent, type TrainTokenizerOptions } from './train-tokenizer.ts'
import { tokenizerFromJson } from '../formats/tokenizer-json.ts'
import { tokenizerToJson } from '../formats/tokenizer-json-writer.ts'

const eventsOf = async (options: TrainTokenizerOptions): Promise<TokenizerTrainEvent[]> => {
  const events: TokenizerTrainEvent[] = []
  for await (const event of trainTokenizer(options)) events.push(event)
  return events
}

const train = async (options: TrainTokenizerOptions) => {
  const finished = (await eventsOf(options)).at(-1)
  if (finished?.kind !== 'finished') throw new Error('did not finish')
  return finished
}

const plays = needsShared('data/tinyshakespeare/input.txt')

describe.skipIf(plays.missing)(`the merges of Hugging Face tokenizers${plays.note}`, () => {
  const text = plays.missing ? '' : readText(plays.path)

  test.each(['gpt2', 'cl100k'] as const)('%s, the whole file', async (pattern) => {
    expect(createHash('sha256').update(text).digest('hex')).toBe('86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed')
    const { tokenizer, reached, sizeBytes } = await train({ texts: [text], vocabSize: 1000, pattern, specialTokens: ['<|endoftext|>'] })
    const written = tokenizerToJson(tokenizer)
    const expected = trainedJson(pattern)
    expect(written.model.merges).toEqual((expected.model.merges as string[][]).map((pair) => pair.join(' ')))
    expect({ ...written.model.vocab }).toEqual(expected.model.vocab)
    expect(written.added_tokens).toEqual(expected.added_tokens)
    expect([reached, sizeBytes]).toEqual([1000, 1_115_394])
  })

  test('fed line by line, it learns the same', async () => {
    const lines = text.match(/.*\n|.+$/g)!
    const { tokenizer } = await train({ texts: lines, vocabSize: 1000, specialTokens: ['<|endoftext|>'] })
    const written = tokenizerToJson(tokenizer)
    expect(written.pre_tokenizer).toEqual(trainedJson().pre_tokenizer)
    expect(written.model.merges).toEqual((trainedJson().model.merges as string[][]).map((pair) => pair.join(' ')))
  })
})

const sentence = 'the cat sat on the mat, the cat that sat. '

test('sync and async texts, and progress by phase', async () => {
  const later = async function* () {
    for (let i = 0; i < 3; i++) yield sentence
  }
  const fromAsync = await train({ texts: later(), vocabSize: 270 })
  const fromSync = await train({ texts: [sentence, sentence, sentence], vocabSize: 270 })
  expect(tokenizerToJson(fromAsync.tokenizer)).toEqual(tokenizerToJson(fromSync.tokenizer))
  expect(fromAsync).toMatchObject({ textCount: 3, sizeBytes: sentence.length * 3, reached: 270, wanted: 270 })
  const events = await eventsOf({ texts: [sentence.repeat(200_000)], vocabSize: 262 })
  expect(events.map((event) => (event.kind === 'progress' ? event.phase : event.kind))).toEqual(['read', 'read', 'merge', 'finished'])
})

test('a vocabulary larger than the text allows ends early and says so', async () => {
  const { tokenizer, reached, wanted } = await train({ texts: ['abab abab'], vocabSize: 5000, specialTokens: ['<s>'] })
  expect([reached, wanted, tokenizer.vocabSize]).toEqual([260, 5000, 260]) // ab, abab, " abab"
  const empty = await train({ texts: [], vocabSize: 300 })
  expect(empty.reached).toBe(256)
  expect(empty.tokenizer.decode(empty.tokenizer.encode('κόσμε'))).toBe('κόσμε')
})

test('minFrequency keeps rare pairs apart', async () => {
  const { reached } = await train({ texts: [`${'ab '.repeat(5)}cd`], vocabSize: 5000, minFrequency: 2 })
  expect(reached).toBe(258) // ab, " ab"
})

test('special tokens get the first ids and are not learned from', async () => {
  const specialTokens = ['<|end|>', '<|im_start|>', '<|im_end|>']
  const { tokenizer } = await train({ texts: ['x<|end|>'.repeat(50)], vocabSize: 400, specialTokens })
  expect(specialTokens.map((token) => [...tokenizer.encode(token)])).toEqual([[0], [1], [2]])
  expect(tokenizer.vocabSize).toBe(259)
  expect(tokenizer.endIds).toEqual([2])
})

test('an own pattern has the meaning of a tokenizer.json, and is written there', async () => {
  const { tokenizer } = await train({ texts: ['a-b c\u00a0d '.repeat(9)], vocabSize: 300, pattern: /\p{Script=Latin}+|\s/iu })
  const again = tokenizerFromJson(JSON.stringify(tokenizerToJson(tokenizer)))
  expect(JSON.stringify(tokenizerToJson(again).pre_tokenizer)).toContain('(?i:\\\\p{Latin}+|\\\\s)')
  for (const text of ['a-b c\u00a0d', '', '--', 'x\u0085y']) {
    expect(again.encode(text)).toEqual(tokenizer.encode(text))
    expect(again.decode(again.encode(text))).toBe(text)
  }
})

test('a trained tokenizer survives being written, whatever its special tokens are', async () => {
  const specialTokens = ['__proto__', 'constructor', '<réponse>', ' ', '<|endoftext|>']
  const { tokenizer } = await train({ texts: [sentence], vocabSize: 290, specialTokens, pattern: 'o200k' })
  const again = tokenizerFromJson(JSON.stringify(tokenizerToJson(tokenizer)))
  for (const text of [sentence, '__proto__ constructor é', '<réponse>é\u00c3']) {
    expect(again.encode(text)).toEqual(tokenizer.encode(text))
    expect(again.decode(again.encode(text))).toBe(text)
  }
  expect(again.specialTokens).toEqual(tokenizer.specialTokens)
})

describe('it stops', () => {
  test('before it begins, with the reason', async () => {
    const reason = new Error('no more')
    await expect(train({ texts: [sentence], vocabSize: 300, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  test('while it reads', async () => {
    const controller = new AbortController()
    let given = 0
    const texts = function* () {
      for (;;) {
        if (++given === 4) controller.abort(new Error('enough'))
        yield sentence
      }
    }
    await expect(train({ texts: texts(), vocabSize: 300, signal: controller.signal })).rejects.toThrow('enough')
    expect(given).toBe(4)
  })

  test('while it learns, by a timer', async () => {
    const controller = new AbortController()
    const texts = [Array.from({ length: 20_000 }, (_, i) => (i * 7919).toString(36)).join(' ')]
    const run = async () => {
      for await (const event of trainTokenizer({ texts, vocabSize: 30_000, signal: controller.signal })) {
        if (event.kind === 'progress' && event.phase === 'merge') setTimeout(() => controller.abort(new Error('stop')), 0)
      }
    }
    await expect(run()).rejects.toThrow('stop')
  })

  test('when the caller breaks, and closes the texts', async () => {
    let isClosed = false
    const texts = (async function* () {
      try {
        for (;;) yield sentence.repeat(50_000)
      } finally {
        isClosed = true
      }
    })()
    for await (const event of trainTokenizer({ texts, vocabSize: 300 })) if (event.kind === 'progress') break
    expect(isClosed).toBe(true)
  })
})

test.each<[string, Partial<Record<keyof TrainTokenizerOptions, unknown>>, string, RegExp]>([
  ['a small vocabulary', { vocabSize: 200 }, 'config', /vocabSize: expected an integer from 257 .* got 200/],
  ['a broken size', { vocabSize: 300.5 }, 'config', /vocabSize/],
  ['another algorithm', { algorithm: 'word2vec' as 'bpe' }, 'config', /algorithm: expected bpe, wordpiece or unigram, got "word2vec"/],
  ['a text alone', { texts: 'abc' }, 'config', /texts: expected an iterable of strings, got string/],
  ['texts that are none', { texts: ['a', 7] }, 'config', /texts: .* got number as text 1/],
  ['a special token twice', { specialTokens: ['<s>', '<s>'] }, 'config', /specialTokens\[0\]|specialTokens\[1\]/],
  ['a special token that is a byte', { specialTokens: ['é'] }, 'config', /specialTokens\[0\]: expected a text that is not also written for a byte or a learned token/],
  ['a special token that a learned one may be written as', { specialTokens: ['Ġthe'] }, 'config', /specialTokens\[0\].*"Ġthe"/],
  ['an empty special token', { specialTokens: [''] }, 'config', /specialTokens\[0\]/],
  ['an unknown pattern', { pattern: 'gpt9' }, 'config', /pattern: expected gpt2/],
  ['a pattern beyond a tokenizer.json', { pattern: /(a)\1/u }, 'unsupported', /pattern: \\1/],
  ['a wrong frequency', { minFrequency: Number.NaN }, 'config', /minFrequency/],
  ['an unknown role', { roles: { end: 'x' } }, 'config', /roles\.end/],
])('%s is refused', async (_, changes, kind, message) => {
  const options = { texts: ['a b'], vocabSize: 300, specialTokens: ['<s>'], ...changes } as TrainTokenizerOptions
  await expect(train(options)).rejects.toThrow(expect.objectContaining({ kind, message: expect.stringMatching(message) as string }))
})
