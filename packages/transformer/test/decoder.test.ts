import { keep, randomKey, read, tensor, tidy } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { embedding } from '@weft/tensor/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createKvCache, type Model } from '../src/index.ts'
import { difference, ids, logitsOf, onCpu, tinyModel } from './support.ts'

const tokens = (maxLength: number) => fc.array(fc.nat(39), { minLength: 1, maxLength })
const runs = { numRuns: 15 }

describe.each(['gpt2', 'llama'] as const)('%s', (family) => {
  const backend = createCpuBackend()
  const model = tinyModel(backend, family)

  test('a later token never changes earlier logits', () =>
    fc.assert(
      fc.asyncProperty(tokens(10), fc.nat(39), async (text, next) => {
        const [short, long] = [await logitsOf(model, [text]), await logitsOf(model, [[...text, next]])]
        expect(long.slice(0, short.length)).toEqual(short)
      }),
      runs,
    ))

  test('through a cache in pieces = at once', () =>
    fc.assert(
      fc.asyncProperty(fc.array(tokens(6), { minLength: 1, maxLength: 4 }), async (pieces) => {
        const cache = createKvCache(model, { rows: 1, maxTokens: 3 })
        const stepwise: number[] = []
        for (const piece of pieces) stepwise.push(...(await logitsOf(model, [piece], { kvCache: cache })))
        expect(cache.lengths).toEqual([pieces.flat().length])
        cache.dispose()
        expect(difference(stepwise, await logitsOf(model, [pieces.flat()]))).toBeLessThanOrEqual(1e-4)
      }),
      runs,
    ))

  test('padding on the left or right, in a batch = alone', () =>
    fc.assert(
      fc.asyncProperty(tokens(8), tokens(8), fc.boolean(), async (a, b, isLeft) => {
        const longest = Math.max(a.length, b.length)
        const padded = [a, b].map((text) => {
          const padding = new Array<number>(longest - text.length).fill(0)
          return isLeft ? [...padding, ...text] : [...text, ...padding]
        })
        const masks = [a, b].map((text) => Array.from({ length: longest }, (_, i) => (isLeft ? Number(i >= longest - text.length) : Number(i < text.length))))
        const mask = tensor(backend, Uint8Array.from(masks.flat()), [2, longest])
        const together = await logitsOf(model, padded, { attentionMask: mask })
        mask.dispose()
        for (const [row, text] of [a, b].entries()) {
          const start = (row * longest + (isLeft ? longest - text.length : 0)) * 40
          expect(difference(together.slice(start, start + text.length * 40), await logitsOf(model, [text]))).toBeLessThanOrEqual(1e-4)
        }
      }),
      runs,
    ))

  test('documents packed into one row, with positions of their own = each alone', () =>
    fc.assert(
      fc.asyncProperty(tokens(8), tokens(8), async (a, b) => {
        const shape = [1, a.length + b.length]
        const segmentIds = tensor(backend, Int32Array.from([...a.map(() => 0), ...b.map(() => 1)]), shape)
        const positions = tensor(backend, Int32Array.from([...a.keys(), ...b.keys()]), shape)
        const together = await logitsOf(model, [[...a, ...b]], { segmentIds, positions })
        segmentIds.dispose()
        positions.dispose()
        expect(difference(together, [...(await logitsOf(model, [a])), ...(await logitsOf(model, [b]))])).toBeLessThanOrEqual(1e-4)
      }),
      runs,
    ))

  test('embeddings in place of ids, captures, and the last logits alone', async () => {
    const rows = [[1, 2, 3, 4], [9, 8, 7, 0]]
    const plain = await logitsOf(model, rows)
    const table = model.parameters().get('embeddings.token.weight')!.value
    const inputEmbeddings = embedding(table, ids(model, rows))
    const { logits, hiddenStates, attentions } = keep(tidy(() => model.forward({ inputEmbeddings, capture: { hiddenStates: true, attentions: true } })))
    expect(difference(await read(logits), plain)).toBeLessThanOrEqual(1e-5)
    expect(hiddenStates!.map(({ shape }) => shape)).toEqual([[2, 4, 16], [2, 4, 16], [2, 4, 16]])
    expect(attentions!.map(({ shape }) => shape)).toEqual([[2, 4, 4, 4], [2, 4, 4, 4]])
    const probabilities = await read(attentions![0]!)
    for (let i = 0; i < probabilities.length; i += 4) expect(Float64Array.from(probabilities.slice(i, i + 4)).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5)
    const last = await logitsOf(model, rows, { logitsAt: 'last', lengths: [4, 2] })
    expect(difference(last, [...plain.slice(3 * 40, 4 * 40), ...plain.slice(5 * 40, 6 * 40)])).toBeLessThanOrEqual(1e-5)
  })

  test('attentions through a cache are those of the whole', async () => {
    const attentionOf = async (m: Model, text: number[], more: object) => {
      const { attentions } = keep(tidy(() => m.forward({ tokenIds: ids(m, [text]), capture: { attentions: true }, ...more })))
      return { shape: attentions![1]!.shape, values: await read(attentions![1]!) }
    }
    const cache = createKvCache(model, { rows: 1, maxTokens: 20 })
    await attentionOf(model, [1, 2, 3], { kvCache: cache })
    const step = await attentionOf(model, [4, 5], { kvCache: cache })
    const whole = await attentionOf(model, [1, 2, 3, 4, 5], {})
    expect(step.shape).toEqual([1, 4, 2, 5])
    for (let head = 0; head < 4; head++) expect(difference(step.values.slice(head * 10, head * 10 + 10), whole.values.slice(head * 25 + 15, head * 25 + 25))).toBeLessThanOrEqual(1e-5)
  })

  test('dropout acts in training passes alone, and the same key draws the same', () =>
    onCpu(async (own) => {
      const dropping = tinyModel(own, family, { dropout: { embedding: 0.2, attention: 0.3, residual: 0.2 } })
      const pass = (seed: number, training: boolean) => ({ pass: { key: randomKey(seed), training } })
      const rows = [[1, 2, 3, 4, 5]]
      const plain = await logitsOf(dropping, rows)
      expect(await logitsOf(dropping, rows, pass(1, false))).toEqual(plain)
      const dropped = await logitsOf(dropping, rows, pass(1, true))
      expect(dropped).not.toEqual(plain)
      expect(await logitsOf(dropping, rows, pass(1, true))).toEqual(dropped)
      expect(await logitsOf(dropping, rows, pass(2, true))).not.toEqual(dropped)
      dropping.dispose()
    }))

  test('wrong inputs are named', () => {
    const run = (input: object): unknown => tidy(() => model.forward(input))
    const long = [Array.from({ length: 25 }, () => 1)]
    expect(() => run({})).toThrow(/either tokenIds or inputEmbeddings, got neither/)
    expect(() => run({ tokenIds: ids(model, long) })).toThrow(/25 tokens do not fit into the context of 24/)
    expect(() => run({ tokenIds: ids(model, [[1, 2]]), lengths: [3] })).toThrow(/lengths must be integers from 0 to 2, got 3/)
    expect(() => run({ tokenIds: ids(model, [[1, 2]]), attentionMask: ids(model, [[1]]) })).toThrow(/attentionMask must be \[1, 2\]/)
    const kvCache = createKvCache(model, { rows: 2, maxTokens: 4 })
    expect(() => run({ tokenIds: ids(model, [[1, 2]]), kvCache })).toThrow(/the kvCache has 2 rows, the tokens 1/)
  })
})

test('an intermediate is freed as soon as its block is done: peak memory does not grow with depth', () => {
  const peakOver = (numLayers: number): number => {
    const backend = createCpuBackend()
    const model = tinyModel(backend, 'llama', { numLayers, contextLength: 512 })
    const before = backend.memory().bytes
    tidy(() => model.forward({ tokenIds: ids(model, [Array.from({ length: 200 }, (_, i) => i % 40)]), logitsAt: 'last' }))
    return backend.memory().peakBytes - before
  }
  expect(peakOver(6)).toBeLessThan(1.1 * peakOver(2))
})
