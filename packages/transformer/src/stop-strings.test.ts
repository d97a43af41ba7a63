import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stopFilter } from './stop-strings.ts'

test('a stop string over several pieces is found, and what only looked like one is shown', () => {
  const filter = stopFilter(['\n\nUser:', 'END'])
  expect(['Hi', '\n', '\nYou', ' EN', 'D', ' more'].map((piece) => filter.push(piece))).toEqual(['Hi', '', '\n\nYou', ' ', '', ''])
  expect(filter.hasStopped).toBe(true)
})

/** Where the stop string begins that a reader of single characters would see complete first. */
const firstComplete = (text: string, stops: readonly string[]): number => {
  for (let end = 1; end <= text.length; end++) {
    const starts = stops.filter((stop) => text.slice(0, end).endsWith(stop)).map((stop) => end - stop.length)
    if (starts.length > 0) return Math.min(...starts)
  }
  return text.length
}

test('what is shown is the text before the first stop string, however it is cut into pieces', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 20 })
  const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }), { maxLength: 3 })
  fc.assert(
    fc.property(text, stops, fc.array(fc.nat(20)), (whole, list, cuts) => {
      const filter = stopFilter(list)
      const places = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length].sort((a, b) => a - b)
      let shown = ''
      for (let i = 1; i < places.length; i++) shown += filter.push(whole.slice(places[i - 1], places[i]))
      if (!filter.hasStopped) shown += filter.flush()
      expect(shown).toBe(whole.slice(0, firstComplete(whole, list)))
      expect(filter.hasStopped).toBe(list.some((stop) => whole.includes(stop)))
    }),
  )
})

test('an empty stop string is refused', () => expect(() => stopFilter([''])).toThrow(/empty string/))
