import { expect, test } from 'vitest'
import { createRandomSource } from './random-source.ts'

const take = (source: { nextUint32(): number }, count: number) => Array.from({ length: count }, () => source.nextUint32())

test('the same seed gives the same numbers, another seed others', () => {
  expect(take(createRandomSource({ seed: 7 }), 8)).toEqual(take(createRandomSource({ seed: 7 }), 8))
  expect(take(createRandomSource({ seed: 7 }), 8)).not.toEqual(take(createRandomSource({ seed: 8 }), 8))
  expect(take(createRandomSource({ seed: 2 ** 32 + 7 }), 8)).not.toEqual(take(createRandomSource({ seed: 7 }), 8))
})

test('a state goes on where it was taken, also after JSON', () => {
  const source = createRandomSource({ seed: -3 })
  take(source, 5)
  const copy = createRandomSource({ state: JSON.parse(JSON.stringify(source.state())) })
  expect(take(copy, 20)).toEqual(take(source, 20))
})

test('a fork depends on origin and label alone', () => {
  const source = createRandomSource({ seed: 1 })
  const early = take(source.fork('a'), 4)
  take(source, 9)
  expect(take(source.fork('a'), 4)).toEqual(early)
  expect(take(source.fork('b'), 4)).not.toEqual(early)
  const resumed = createRandomSource({ state: source.state() })
  expect(take(resumed.fork('a'), 4)).toEqual(early)
})

test('the floats are uniform: chi-square over 64 bins stays below the 0.1 % bound', () => {
  const source = createRandomSource({ seed: 11 })
  const counts = new Array<number>(64).fill(0)
  const draws = 64_000
  for (let i = 0; i < draws; i++) counts[Math.floor(source.nextFloat() * 64)]!++
  const chiSquare = counts.reduce((sum, n) => sum + (n - draws / 64) ** 2 / (draws / 64), 0)
  expect(chiSquare).toBeLessThan(103.4) // 63 degrees of freedom
})

test('a wrong seed or state is named', () => {
  expect(() => createRandomSource({ seed: 0.5 })).toThrow(/expected an integer/)
  expect(() => createRandomSource({ state: [1, 2] })).toThrow(/six words/)
})
