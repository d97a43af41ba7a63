import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mergeByBuckets } from './merge-buckets.ts'
import { createMergeScratch, mergeSymbols } from './merge-symbols.ts'
import { createMergeTable, findMerge } from './merge-table.ts'

/** Byte-pair encoding as it is defined: merge the pair of least rank, the leftmost of equals, again and again. */
const mergePlainly = (triples: readonly (readonly number[])[], ranks: readonly number[], symbols: readonly number[]): number[] => {
  const result = [...symbols]
  for (;;) {
    let best = -1
    let place = -1
    result.slice(0, -1).forEach((left, at) => {
      const found = triples.findLastIndex(([a, b]) => a === left && b === result[at + 1])
      if (found >= 0 && (best < 0 || ranks[found]! < ranks[best]!)) [best, place] = [found, at]
    })
    if (best < 0) return result
    result.splice(place, 2, triples[best]![2]!)
  }
}

const vocabulary = fc.array(fc.tuple(fc.nat(12), fc.nat(12), fc.integer({ min: 4, max: 12 })), { maxLength: 24 })

test.each([
  ['short pieces', 0, 12],
  ['long pieces', 49, 90],
])('%s merge as byte-pair encoding is defined', (_, minLength, maxLength) => {
  fc.assert(
    fc.property(vocabulary, fc.array(fc.nat(3), { minLength, maxLength }), fc.boolean(), (triples, symbols, shared) => {
      const ranks = triples.map((triple, i) => (shared ? triple[2] : i))
      const table = createMergeTable(Int32Array.from(triples.flat()), Int32Array.from(ranks))
      const merged = Int32Array.from(symbols)
      const count = mergeSymbols(table, merged, symbols.length, createMergeScratch(16))
      expect(Array.from(merged.subarray(0, count))).toEqual(mergePlainly(triples, ranks, symbols))
    }),
    { numRuns: 500 },
  )
})

test('lists by rank merge the same pairs in the same order, and know what each symbol covers', () => {
  fc.assert(
    fc.property(vocabulary, fc.array(fc.nat(3), { minLength: 1, maxLength: 90 }), fc.boolean(), (triples, symbols, shared) => {
      const ranks = triples.map((triple, i) => (shared ? triple[2] : i))
      const table = createMergeTable(Int32Array.from(triples.flat()), Int32Array.from(ranks))
      const bucketed = Int32Array.from(symbols)
      const heaped = Int32Array.from(symbols)
      const whole = () => ({ starts: Int32Array.from(symbols, (_, i) => i), ends: Int32Array.from(symbols, (_, i) => i + 1) })
      const [one, other] = [whole(), whole()]
      const count = mergeByBuckets(table, bucketed, symbols.length, one)
      expect(Array.from(bucketed.subarray(0, count))).toEqual(mergePlainly(triples, ranks, symbols))
      expect(mergeSymbols(table, heaped, symbols.length, createMergeScratch(16), other)).toBe(count)
      for (const name of ['starts', 'ends'] as const) expect(one[name].subarray(0, count)).toEqual(other[name].subarray(0, count))
      for (let i = 1; i < count; i++) expect(one.starts[i]).toBe(one.ends[i - 1])
    }),
    { numRuns: 1000 },
  )
})

test('a megabyte of one letter merges without going over it again and again', () => {
  const table = createMergeTable(Int32Array.of(0, 0, 1, 1, 1, 2, 2, 2, 3))
  const symbols = new Int32Array(1_000_003)
  expect(mergeSymbols(table, symbols, symbols.length, createMergeScratch(16))).toBe(125_002)
  expect(Array.from(symbols.subarray(124_999, 125_002))).toEqual([3, 1, 0])
})

test('nor where several ways to make a token share its rank', () => {
  // Runs of 2, 4, 3 of one letter: 3 is made of 2 + 1 and of 1 + 2
  const table = createMergeTable(Int32Array.of(0, 0, 1, 0, 1, 2, 1, 0, 2, 1, 1, 3, 2, 2, 4, 3, 1, 4), Int32Array.of(3, 1, 1, 2, 0, 0))
  const symbols = new Int32Array(300_000)
  const short = new Int32Array(45)
  const scratch = createMergeScratch(16)
  const [count, shortCount] = [mergeSymbols(table, symbols, symbols.length, scratch), mergeSymbols(table, short, short.length, scratch)]
  expect(Array.from(symbols.subarray(0, shortCount - 2))).toEqual(Array.from(short.subarray(0, shortCount - 2)))
  expect(count).toBeGreaterThan(shortCount)
})

test('a pair that is not there is not found', () => {
  const table = createMergeTable(Int32Array.of(5, 6, 7))
  expect(table.slots[findMerge(table, 5, 6) + 3]).toBe(7)
  expect(findMerge(table, 6, 5)).toBe(-1)
})
