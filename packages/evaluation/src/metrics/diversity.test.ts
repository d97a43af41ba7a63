import { array, assert, integer, property } from 'fast-check'
import { expect, test } from 'vitest'
import { distinctN, longestRepeat, repetition } from './diversity.ts'

test('distinct-n over a set of texts', () => {
  expect(distinctN({ texts: ['a b a', 'a b'], n: 1 })).toBe(2 / 5)
  expect(distinctN({ texts: ['a b a', 'a b'], n: 2 })).toBe(2 / 3)
  expect(distinctN({ texts: ['The the'], n: 1 })).toBe(1 / 2)
  expect(distinctN({ texts: ['a'], n: 2 })).toBeNaN()
  expect(
    distinctN({
      texts: [
        [1, 12],
        [11, 2],
      ],
      n: 2,
    }),
  ).toBe(1) // units are told apart, not their digits
})

test('repetition: a loop near 1, new words 0', () => {
  expect(repetition({ text: 'one two three four five' })).toBe(0)
  expect(repetition({ text: 'go '.repeat(100) })).toBeCloseTo(96 / 97, 12)
  expect(repetition({ text: 'too short' })).toBe(0)
  expect(repetition({ text: [1, 2, 1, 2, 1], n: 2 })).toBe(0.5)
})

test('the longest repeated run', () => {
  expect(longestRepeat('the cat sat and the cat ran')).toBe(2)
  expect(longestRepeat('ha ha ha ha')).toBe(3)
  expect(longestRepeat('all words differ')).toBe(0)
  expect(longestRepeat('')).toBe(0)
})

test('the longest repeated run equals a search by hand', () => {
  const byHand = (units: readonly number[]): number => {
    for (let length = units.length - 1; length > 0; length--) {
      const runs = Array.from({ length: units.length - length + 1 }, (_, start) => units.slice(start, start + length).join())
      if (new Set(runs).size < runs.length) return length
    }
    return 0
  }
  assert(
    property(array(integer({ min: 0, max: 3 }), { maxLength: 30 }), (units) => {
      expect(longestRepeat(units)).toBe(byHand(units))
    }),
    { numRuns: 300 },
  )
})
