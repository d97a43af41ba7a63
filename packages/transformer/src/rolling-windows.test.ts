import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rollingWindows } from './rolling-windows.ts'

test('ten tokens in windows of four, as lm-evaluation-harness has them', () => {
  const windows = rollingWindows(Uint32Array.from({ length: 10 }, (_, i) => i), { prefixId: 99, contextLength: 4 })
  expect(windows.map(({ input, targets }) => [[...input], [...targets]])).toEqual([
    [[99, 0, 1, 2], [0, 1, 2, 3]],
    [[3, 4, 5, 6], [4, 5, 6, 7]],
    [[5, 6, 7, 8], [8, 9]],
  ])
})

test('every token is predicted once, in order, from the token before it', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000)), fc.integer({ min: 1, max: 9 }), (tokens, contextLength) => {
      const windows = rollingWindows(Uint32Array.from(tokens), { prefixId: 7, contextLength })
      expect(windows.flatMap(({ targets }) => [...targets])).toEqual(tokens)
      let done = 0
      for (const { input, targets } of windows) {
        expect(input.length).toBeLessThanOrEqual(contextLength)
        const before = [7, ...tokens].slice(done, done + targets.length)
        expect(Array.from(input.subarray(input.length - targets.length))).toEqual(before)
        done += targets.length
      }
    }),
  )
})
