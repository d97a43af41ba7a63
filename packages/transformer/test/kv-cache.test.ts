import { tidy } from '@weft/tensor'
import { describe, expect, test } from 'vitest'
import { createKvCache, type KvCache, type Model } from '../src/index.ts'
import { difference, ids, logitsOf, onCpu, tinyModel } from './support.ts'

/** The logits of the last of these tokens, after what the cache holds. */
const after = async (model: Model, kvCache: KvCache, ...rows: number[][]) => logitsOf(model, rows, { kvCache, logitsAt: 'last' })

describe.each(['gpt2', 'llama'] as const)('%s', (family) => {
  test('truncate takes tokens back', () =>
    onCpu(async (backend) => {
      const model = tinyModel(backend, family)
      const cache = createKvCache(model, { rows: 1, maxTokens: 8 })
      await after(model, cache, [1, 2, 3, 4, 5])
      cache.truncate(2)
      expect(difference(await after(model, cache, [9]), (await logitsOf(model, [[1, 2, 9]])).slice(-40))).toBeLessThanOrEqual(1e-5)
      expect(() => cache.truncate(4)).toThrow(/expected integers from 0 to 3, got 4/)
      cache.dispose()
      model.dispose()
    }))

  test('rows of different lengths, reordered and forked, go on as if alone', () =>
    onCpu(async (backend) => {
      const model = tinyModel(backend, family)
      const cache = createKvCache(model, { rows: 2, maxTokens: 8 })
      await logitsOf(model, [[1, 2, 3], [7, 0, 0]], { kvCache: cache, lengths: [3, 1] })
      expect(cache.lengths).toEqual([3, 1])
      const fork = cache.fork([1, 0, 1])
      expect(fork.lengths).toEqual([1, 3, 1])
      expect(difference(await after(model, fork, [4], [5], [6]), [...(await logitsOf(model, [[7, 4]])).slice(-40), ...(await logitsOf(model, [[1, 2, 3, 5]])).slice(-40), ...(await logitsOf(model, [[7, 6]])).slice(-40)])).toBeLessThanOrEqual(1e-5)
      fork.dispose()
      cache.reorder([1])
      expect([cache.rows, cache.lengths]).toEqual([1, [1]])
      expect(difference(await after(model, cache, [4]), (await logitsOf(model, [[7, 4]])).slice(-40))).toBeLessThanOrEqual(1e-5)
      cache.dispose()
      model.dispose()
    }))

  test('a snapshot survives what comes after it', () =>
    onCpu(async (backend) => {
      const model = tinyModel(backend, family)
      const cache = createKvCache(model, { rows: 1, maxTokens: 8 })
      await after(model, cache, [1, 2])
      const snapshot = cache.snapshot()
      cache.truncate(0)
      await after(model, cache, [5, 6, 7])
      cache.restore(snapshot)
      expect(cache.lengths).toEqual([2])
      expect(difference(await after(model, cache, [3]), (await logitsOf(model, [[1, 2, 3]])).slice(-40))).toBeLessThanOrEqual(1e-5)
      cache.restore(snapshot)
      expect(difference(await after(model, cache, [4]), (await logitsOf(model, [[1, 2, 4]])).slice(-40))).toBeLessThanOrEqual(1e-5)
      snapshot.dispose()
      cache.dispose()
      model.dispose()
    }))

  test('a pass that throws leaves it as it was; one that does not fit says what to do', () =>
    onCpu(async (backend) => {
      const model = tinyModel(backend, family)
      const cache = createKvCache(model, { rows: 1, maxTokens: 4 })
      await after(model, cache, [1, 2])
      await expect(after(model, cache, Array.from({ length: 23 }, () => 1))).rejects.toThrow(/25 tokens \(2 in the cache, 23 new\) do not fit into the context of 24.*shift the cache/)
      expect(cache.lengths).toEqual([2])
      const { kernels } = backend
      Object.assign(backend, { kernels: { ...kernels, matMul: () => { throw new Error('the device went away') } } })
      await expect(after(model, cache, [3])).rejects.toThrow('the device went away')
      Object.assign(backend, { kernels })
      expect(cache.lengths).toEqual([2])
      expect(difference(await after(model, cache, [3]), (await logitsOf(model, [[1, 2, 3]])).slice(-40))).toBeLessThanOrEqual(1e-5)
      cache.dispose()
      model.dispose()
    }))

  test('room doubles when needed and never beyond the context', () =>
    onCpu(async (backend) => {
      const model = tinyModel(backend, family)
      const cache = createKvCache(model, { rows: 1, maxTokens: 5 })
      const seen: number[] = []
      for (let i = 0; i < 24; i++) {
        await after(model, cache, [i])
        if (seen.at(-1) !== cache.maxTokens) seen.push(cache.maxTokens)
      }
      expect(seen).toEqual([5, 10, 20, 24])
      cache.dispose()
      model.dispose()
    }))
})

test('shift: with one layer, keys and values depend on their own token alone, so what is left equals a fresh cache', () =>
  onCpu(async (backend) => {
    const model = tinyModel(backend, 'llama', { numLayers: 1 })
    const cache = createKvCache(model, { rows: 1, maxTokens: 10 })
    await after(model, cache, [1, 2, 3, 4, 5, 6])
    cache.shift({ keep: 1, drop: 2 })
    expect(cache.lengths).toEqual([4])
    expect(difference(await after(model, cache, [7, 8]), (await logitsOf(model, [[1, 4, 5, 6, 7, 8]])).slice(-40))).toBeLessThanOrEqual(1e-4)
    expect(() => cache.shift({ keep: 5, drop: 5 })).toThrow(/at most the shortest row, 6; got keep 5, drop 5/)
    cache.dispose()
    model.dispose()
  }))

test('learned positions cannot be shifted', () =>
  onCpu((backend) => {
    const model = tinyModel(backend, 'gpt2')
    const cache = createKvCache(model, { rows: 1, maxTokens: 4 })
    expect(() => cache.shift({ keep: 0, drop: 0 })).toThrow(/learned positions cannot be moved/)
    cache.dispose()
    model.dispose()
  }))

test('misuse is named', () =>
  onCpu((backend) => {
    const [model, other] = [tinyModel(backend, 'llama'), tinyModel(backend, 'llama', { numLayers: 3 })]
    const cache = createKvCache(model, { rows: 1, maxTokens: 4 })
    expect(() => tidy(() => other.forward({ tokenIds: ids(other, [[1]]), kvCache: cache }))).toThrow(/was made for 2 layers .*the model has 3 layers/)
    expect(() => createKvCache(model, { rows: 0, maxTokens: 4 })).toThrow(/rows must be a positive integer/)
    cache.dispose()
    expect(() => cache.fork()).toThrow(/after dispose/)
    model.dispose()
    other.dispose()
  }))
