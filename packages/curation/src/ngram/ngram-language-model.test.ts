import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandomSource, type GenerateRequest, type TextGenerateEvent } from '@weft/contracts'
import { createWordTokenizer } from '../../test/word-tokenizer.ts'
import { ngramLanguageModel, trainNgramModel } from '../ngram.ts'
import { drawToken } from './sampling.ts'
import { createTextStream } from './text-stream.ts'

const words = 'the cat dog sat ran on a mat road . stop'.split(' ')
const texts = ['the cat sat on the mat .', 'the dog ran on the road .', 'a cat ran on a road .', 'the cat sat on a road .']
const tokenizer = createWordTokenizer(words)
const model = await trainNgramModel({ texts, tokenizer, order: 3 })
const language = ngramLanguageModel(model)

const all = async <T>(events: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = []
  for await (const event of events) found.push(event)
  return found
}
const finishOf = async (request: GenerateRequest) => (await all(language.generate(request))).at(-1) as Extract<TextGenerateEvent, { kind: 'finish' }>

describe('ngramLanguageModel', () => {
  test('a continuation costs what the text costs more', async () => {
    const [rolling, longer] = await all(language.rollingLogLikelihood(['the cat', 'the cat sat on']))
    const [pair] = await all(language.logLikelihood([{ context: 'the cat', continuation: ' sat on' }]))
    expect(pair).toMatchObject({ index: 0, tokenCount: 2, truncatedTokens: 0, isGreedy: true })
    expect(pair!.logProb).toBeCloseTo(longer!.logProb - rolling!.logProb, 12)
    expect(longer!.tokenCount).toBe(4)
  })

  test('trailing spaces of the context, an empty context, an empty continuation', async () => {
    const pairs = await all(
      language.logLikelihood([
        { context: 'the cat', continuation: ' sat' },
        { context: 'the cat  ', continuation: 'sat' },
        { context: '', continuation: 'the dog' },
        { context: 'the', continuation: '' },
      ]),
    )
    expect(pairs[1]!.logProb).toBe(pairs[0]!.logProb)
    expect(pairs[2]!.logProb).toBeCloseTo((await all(language.rollingLogLikelihood(['the dog'])))[0]!.logProb, 12)
    expect(pairs[3]).toMatchObject({ tokenCount: 0, isGreedy: true })
    expect(pairs[3]!.logProb).toBeCloseTo(0, 15)
  })

  test('next tokens: log probabilities that sum to one, greedy generation takes their maximum', async () => {
    const [next] = await all(language.nextLogProbs!(['the cat']))
    expect(next!.logProbs).toHaveLength(tokenizer.vocabSize)
    expect(next!.logProbs.reduce((sum, logProb) => sum + Math.exp(logProb), 0)).toBeCloseTo(1, 5)
    const [first] = await all(language.generate({ prompt: 'the cat', temperature: 0, maxNewTokens: 1, topLogProbs: 3 }))
    expect(first).toMatchObject({ kind: 'token', tokenId: next!.logProbs.indexOf(Math.max(...next!.logProbs)), text: ' sat' })
    expect(first?.kind === 'token' && first.topLogProbs!.map(({ text }) => text)).toContain(' sat')
  })

  test('generation: the same seed, the same text; the end token stops', async () => {
    const request = { prompt: 'the', seed: 4, maxNewTokens: 30 }
    expect(await finishOf(request)).toEqual(await finishOf(request))
    const events = await all(language.generate({ prompt: 'the cat', temperature: 0, maxNewTokens: 50 }))
    const shown = events.map((event) => (event.kind === 'token' ? event.text : '')).join('')
    expect(events.at(-1)).toEqual({ kind: 'finish', reason: 'stop', text: shown, usage: { promptTokens: 2, newTokens: events.length - 1 } })
    expect(events.at(-2)).toMatchObject({ tokenId: 0, text: '' })
    expect(await finishOf({ prompt: 'the', temperature: 0, maxNewTokens: 2 })).toMatchObject({ reason: 'length', usage: { newTokens: 2 } })
  })

  test('stop strings end the text before themselves', async () => {
    expect(await finishOf({ prompt: 'the cat', temperature: 0, maxNewTokens: 50, stop: [' on'] })).toMatchObject({ reason: 'stop', text: ' sat' })
  })

  test('what it cannot do, it says', async () => {
    await expect(all(language.generate({ prompt: [{ role: 'user', content: 'hi' }] }))).rejects.toThrow(/chat template/)
    await expect(all(language.generate({ prompt: 'a', format: { regex: 'a' } }))).rejects.toThrow(/`format` is not supported/)
    await expect(all(language.generate({ prompt: 'a', topP: 0 }))).rejects.toThrow('generate: topP: expected a number above 0, up to 1, got 0')
    await expect(all(language.rollingLogLikelihood(['a'], { signal: AbortSignal.abort(new Error('stop')) }))).rejects.toThrow('stop')
  })
})

describe('drawToken', () => {
  const p = Float64Array.of(0.5, 0.25, 0.15, 0.1)
  const counts = (settings: Parameters<typeof drawToken>[1]): number[] => {
    const random = createRandomSource({ seed: 1 })
    const found = [0, 0, 0, 0]
    for (let i = 0; i < 4000; i++) found[drawToken(p, settings, [], random)]!++
    return found.map((count) => count / 4000)
  }
  const near = (found: number[], expected: number[]): void => expected.forEach((share, i) => expect(Math.abs(found[i]! - share)).toBeLessThan(0.035))

  test('temperature, top-k, top-p, min-p', () => {
    near(counts({}), [0.5, 0.25, 0.15, 0.1])
    near(counts({ temperature: 0.5 }), [0.725, 0.181, 0.065, 0.029])
    near(counts({ topK: 2 }), [2 / 3, 1 / 3, 0, 0])
    near(counts({ topP: 0.7 }), [2 / 3, 1 / 3, 0, 0])
    near(counts({ minP: 0.29 }), [0.5 / 0.9, 0.25 / 0.9, 0.15 / 0.9, 0])
    expect(counts({ temperature: 0 })).toEqual([1, 0, 0, 0])
  })

  test('a penalty makes repetition unlikely', () => {
    expect(drawToken(p, { temperature: 0, repetitionPenalty: 3 }, [0], createRandomSource({ seed: 1 }))).toBe(1)
  })
})

describe('createTextStream', () => {
  test('the pieces make the text, whole characters at a time, and stop strings never show', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'abé😀') }), fc.array(fc.string({ unit: fc.constantFrom(...'abé'), minLength: 1, maxLength: 3 }), { maxLength: 2 }), fc.integer({ min: 1, max: 3 }), (text, stop, size) => {
        const stream = createTextStream(stop)
        const bytes = new TextEncoder().encode(text)
        let shown = ''
        for (let at = 0; at < bytes.length; at += size) {
          const piece = stream.push(bytes.subarray(at, at + size), at + size >= bytes.length)
          shown += piece.text
          expect(piece.text).not.toContain('\ufffd')
          if (piece.isStopped) break
        }
        const end = Math.min(text.length, ...stop.map((one) => text.indexOf(one)).filter((at) => at >= 0))
        expect(shown).toBe(stream.text())
        for (const one of stop) expect(shown).not.toContain(one)
        expect(shown.length).toBeLessThanOrEqual(text.length)
        expect(stop.length > 1 ? '' : shown).toBe(stop.length > 1 ? '' : text.slice(0, end))
      }),
    )
  })
})
