import { expect, test } from 'vitest'
import { movingMean } from './precision.ts'

test('a mean over the last values, fewer at the start', () => {
  expect(movingMean([2, 4, 6, 8], 2)).toEqual([2, 3, 5, 7])
  expect(movingMean([2, 4, 6], 1)).toEqual([2, 4, 6])
  expect(movingMean([2, 4, 6], 10)).toEqual([2, 3, 4])
})
