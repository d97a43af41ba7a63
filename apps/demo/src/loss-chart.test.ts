import { expect, test } from 'vitest'
import { lossChart, lossLine } from './loss-chart.ts'

test('a falling curve falls from the top left to the bottom right', () => {
  expect(lossChart([4, 3, 2, 1], { width: 4, height: 4 })).toEqual(['  4.00 │●   ', '       │ ●  ', '       │  ● ', '  1.00 └───●'])
})

test('many values are averaged into the width; too few give no chart', () => {
  const lines = lossChart(Array.from({ length: 1000 }, (_, i) => 1000 - i), { width: 10, height: 3 })
  expect(lines).toHaveLength(3)
  expect(lines.every((line) => [...line].length === 18)).toBe(true)
  expect(lossChart([1])).toEqual([])
  expect(lossChart([NaN, 2])).toEqual([])
})

test('one line shows the same fall', () => {
  expect(lossLine([8, 7, 6, 5, 4, 3, 2, 1])).toBe('█▇▆▅▄▃▂▁')
  expect(lossLine(Array.from({ length: 100 }, (_, i) => -i))).toHaveLength(16)
  expect(lossLine([1])).toBe('')
})
