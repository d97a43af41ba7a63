import fc from 'fast-check'
import { expect, test } from 'vitest'
import { learnMerges } from './learn-merges.ts'
import type { CountedPieces } from './piece-counts.ts'

const byteIds = Int32Array.from({ length: 256 }, (_, byte) => byte)

const count = (pieces: readonly (readonly [text: string, count: number])[]): CountedPieces => {
  const starts = [0]
  for (const [text] of pieces) starts.push(starts.at(-1)! + text.length)
  return {
    bytes: new TextEncoder().encode(pieces.map(([text]) => text).join('')),
    starts: Int32Array.from(starts),
    counts: Float64Array.from(pieces, ([, times]) => times),
  }
}

const learn = (pieces: readonly (readonly [string, number])[], maxNewTokens: number, minFrequency = 1) => {
  const learning = learnMerges({ pieces: count(pieces), byteIds, firstId: 256, maxNewTokens, minFrequency })
  for (;;) {
    const step = learning.next()
    if (step.done === true) return step.value
  }
}

/** The definition: count all pairs, merge the most frequent one (of equals the smallest ids) everywhere, start again. */
const learnPlainly = (pieces: readonly (readonly [string, number])[], maxNewTokens: number): number[] => {
  const words = pieces.map(([text, times]) => ({ symbols: [...text].map((letter) => letter.charCodeAt(0)), times }))
  const names = new Map(Array.from({ length: 256 }, (_, byte) => [String.fromCharCode(byte), byte]))
  const nameOf = (id: number): string => [...names].find(([, found]) => found === id)![0]
  const triples: number[] = []
  while (names.size < 256 + maxNewTokens) {
    const counts = new Map<string, { pair: [number, number]; times: number }>()
    for (const { symbols, times } of words) {
      symbols.slice(0, -1).forEach((left, at) => {
        const key = `${left},${symbols[at + 1]!}`
        const entry = counts.get(key) ?? { pair: [left, symbols[at + 1]!], times: 0 }
        entry.times += times
        counts.set(key, entry)
      })
    }
    const [best] = [...counts.values()].sort((a, b) => b.times - a.times || a.pair[0] - b.pair[0] || a.pair[1] - b.pair[1])
    if (best === undefined) break
    const [left, right] = best.pair
    const name = nameOf(left) + nameOf(right)
    const merged = names.get(name) ?? names.size
    names.set(name, merged)
    triples.push(left, right, merged)
    for (const { symbols } of words) {
      for (let at = 0; at + 1 < symbols.length; at++) if (symbols[at] === left && symbols[at + 1] === right) symbols.splice(at, 2, merged)
    }
  }
  return triples
}

test('the merges are those of counting everything anew for each', () => {
  const piece = fc.tuple(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 14 }), fc.integer({ min: 1, max: 5 }))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.nat(20), (pieces, maxNewTokens) => {
      expect([...learn(pieces, maxNewTokens).triples]).toEqual(learnPlainly(pieces, maxNewTokens))
    }),
    { numRuns: 400 },
  )
})

test('it ends where no pair is left, or none that is frequent enough', () => {
  expect(learn([['abab', 1]], 100).tokens.map((token) => new TextDecoder().decode(token))).toEqual(['ab', 'abab'])
  expect(learn([['abab', 1]], 100, 2).tokens).toHaveLength(1)
  expect(learn([], 100).tokens).toHaveLength(0)
})
