import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packDocuments, scheduleFactor, supervisedBatches, tokenCorpus, type Schedule } from '../src/index.ts'
import type { TokenBatch } from '@weft/tensor'

const take = (iterable: Iterable<{ batch: TokenBatch }> | AsyncIterable<{ batch: TokenBatch }>): TokenBatch[] => [...(iterable as Iterable<{ batch: TokenBatch }>)].map(({ batch }) => batch)
const documents = fc.array(fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 }), { minLength: 2, maxLength: 12 })

test('without shuffling the rows are the corpus, and each target is the next token', () => {
  fc.assert(
    fc.property(documents, fc.integer({ min: 2, max: 7 }), fc.integer({ min: 1, max: 3 }), (texts, sequenceLength, batchSize) => {
      const corpus = tokenCorpus(texts.map((tokenIds) => ({ tokenIds })), { endId: 0 })
      fc.pre(corpus.tokenIds.length > sequenceLength)
      const batches = take(packDocuments({ corpus, sequenceLength, batchSize, seed: 1, shuffle: false, epochs: 1 }).open())
      const rows = Math.floor((corpus.tokenIds.length - 1) / sequenceLength)
      expect(batches.flatMap(({ tokenIds }) => [...tokenIds])).toEqual([...corpus.tokenIds.subarray(0, rows * sequenceLength)])
      expect(batches.flatMap(({ targetIds }) => [...targetIds!])).toEqual([...corpus.tokenIds.subarray(1, rows * sequenceLength + 1)])
    }),
  )
})

test('isolated documents: segments follow documents, positions start anew, no target crosses', () => {
  fc.assert(
    fc.property(documents, fc.integer({ min: 2, max: 7 }), (texts, sequenceLength) => {
      const corpus = tokenCorpus(texts.map((tokenIds, d) => ({ tokenIds: tokenIds.map(() => d + 1) })))
      fc.pre(corpus.tokenIds.length > sequenceLength)
      for (const { tokenIds, targetIds, segmentIds, positions } of take(packDocuments({ corpus, sequenceLength, batchSize: 1, seed: 1, epochs: 1, isolateDocuments: true }).open())) {
        for (let i = 0; i < tokenIds.length; i++) {
          if (targetIds![i] !== -1) expect(targetIds![i]).toBe(tokenIds[i]) // each document is one letter, so a crossing would show
          if (i > 0) expect(segmentIds![i] === segmentIds![i - 1]).toBe(tokenIds[i] === tokenIds[i - 1])
          if (i > 0 && segmentIds![i] === segmentIds![i - 1]) expect(positions![i]).toBe(positions![i - 1]! + 1)
        }
      }
    }),
  )
})

test('opening at a position goes on after it, in every epoch', () => {
  const corpus = tokenCorpus(Array.from({ length: 9 }, (_, d) => ({ tokenIds: Array.from({ length: 11 }, (_, i) => d * 11 + i) })))
  const source = packDocuments({ corpus, sequenceLength: 5, batchSize: 2, seed: 4, epochs: 3 })
  const all = [...(source.open() as Iterable<{ batch: TokenBatch; position: number[] }>)]
  all.forEach(({ position }, i) => {
    const rest = take(source.open(JSON.parse(JSON.stringify(position))))
    expect(rest).toEqual(all.slice(i + 1).map(({ batch }) => batch))
  })
  expect(all[0]!.batch).not.toEqual(all[all.length / 3]!.batch) // each epoch has an order of its own
})

test('document weights become loss weights', () => {
  const corpus = tokenCorpus([{ tokenIds: [1, 1, 1], weight: 2 }, { tokenIds: [2, 2, 2], weight: 0.5 }])
  const [batch] = take(packDocuments({ corpus, sequenceLength: 5, batchSize: 1, seed: 1, shuffle: false, epochs: 1 }).open())
  expect([...batch!.lossWeights!]).toEqual([2, 2, 0.5, 0.5, 0.5])
})

test('too little text is said before training begins', () => {
  const corpus = tokenCorpus([{ tokenIds: [1, 2, 3] }])
  expect(() => packDocuments({ corpus, sequenceLength: 8, batchSize: 1, seed: 1 })).toThrow(/3 tokens do not fill one row of 8/)
  expect(() => packDocuments({ corpus, sequenceLength: 1, batchSize: 9, seed: 1 })).toThrow(/do not fill a batch of 9/)
  expect(() => packDocuments({ corpus, sequenceLength: 1, batchSize: 0, seed: 1 })).toThrow(/batchSize to be an integer ≥ 1, got 0/)
})

// transformers' get_scheduler, 5 warm-up steps of 20, evaluated by its formulas at steps 0, 2, 5, 10, 19.
test.each<[Schedule, readonly number[]]>([
  [{ kind: 'warmupCosine', warmupSteps: 5, minFactor: 0 }, [0, 0.4, 1, 0.75, 0.0109261996]],
  [{ kind: 'warmupLinear', warmupSteps: 5 }, [0, 0.4, 1, 10 / 15, 1 / 15]],
  [{ kind: 'constant', warmupSteps: 5 }, [0, 0.4, 1, 1, 1]],
  [{ kind: 'warmupStableDecay', warmupSteps: 5, decaySteps: 4 }, [0, 0.4, 1, 1, 0.25]],
])('schedule %o', (schedule, expected) => {
  const got = [0, 2, 5, 10, 19].map((step) => scheduleFactor(schedule, step, 20))
  got.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 8))
})

test('chat tuning learns what the assistant says and nothing else', () => {
  const encode = (text: string) => ({ tokenIds: Array.from(text, (letter) => letter.charCodeAt(0)), offsets: Array.from({ length: 2 * text.length }, (_, i) => (i + 1) >> 1) })
  const chatTemplate = {
    renderWithSpans: ({ messages }: { messages: readonly { role: string; content: string }[] }) => {
      let text = ''
      const assistantSpans: [number, number][] = []
      for (const { role, content } of messages) {
        text += `${role[0]!}:`
        if (role === 'assistant') assistantSpans.push([text.length, text.length + content.length + 1])
        text += `${content}.`
      }
      return { text, assistantSpans }
    },
  }
  const skipped: number[] = []
  const source = supervisedBatches({
    conversations: [[{ role: 'user', content: 'hi' }, { role: 'assistant', content: 'yo' }], [{ role: 'user', content: 'a very long question' }, { role: 'assistant', content: 'x' }]],
    chatTemplate,
    encode,
    padId: 0,
    batchSize: 1,
    maxLength: 12,
    seed: 1,
    epochs: 1,
    onSkipped: ({ index }) => skipped.push(index),
  })
  const [batch] = take(source.open())
  expect(String.fromCharCode(...[...batch!.tokenIds].filter((id) => id > 0))).toBe('u:hi.a:yo.')
  expect(String.fromCharCode(...[...batch!.targetIds!].filter((id) => id >= 0))).toBe('yo.')
  expect(skipped).toEqual([1])
})
