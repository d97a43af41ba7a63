import { expect, test } from 'vitest'
import { interleaved, median, spread } from './measure.ts'

test('median and spread of values worked out by hand', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(spread([8, 10, 12])).toBe(0.2)
})

test('subjects take turns, the warm-up is not counted', async () => {
  const order: string[] = []
  const subject = (name: string) => ({ name, run: () => order.push(name) })
  const samples = await interleaved([subject('a'), subject('b')], { runs: 2 })
  expect(order).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
  expect(samples.map(({ name, rates }) => [name, rates.length])).toEqual([['a', 2], ['b', 2]])
})
