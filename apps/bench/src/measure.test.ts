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
  const samples = await interleaved([subject('a'), subject('b')], { runs: 2, restMs: 0 })
  expect(order).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
  expect(samples.map(({ name, rates }) => [name, rates.length])).toEqual([['a', 2], ['b', 2]])
})

test('a subject that times itself is believed', async () => {
  const [sample] = await interleaved([{ name: 'peer', id: 'p', run: () => ({ units: 10, seconds: 4 }) }], { runs: 2, restMs: 0 })
  expect(sample).toEqual({ name: 'peer', id: 'p', rates: [2.5, 2.5] })
})

test.each([{ units: 1, seconds: 0 }, { units: 0, seconds: 1 }, { units: 1, seconds: NaN }])('work that cannot be: %j', async (done) => {
  await expect(interleaved([{ name: 'peer', run: () => done }], { runs: 1, restMs: 0 })).rejects.toThrow(/peer: expected work and the time it took/)
})
