import type { Section } from '@weft/contracts'
import { expect, test } from 'vitest'
import { sparkline } from './sparkline.ts'
import { toMarkdown } from './to-markdown.ts'

const body = (section: Section) => toMarkdown({ title: 'T', sections: [section] }).replace(/^# T\n\n/, '')

test('a table, its numbers flush right, its cells harmless', () => {
  expect(
    body({
      title: 'Scores',
      kind: 'table',
      columns: ['name', 'value'],
      rows: [
        ['a|b\n<i>', 0.25],
        ['acc_norm *x*', null],
      ],
    }),
  ).toBe('## Scores\n\n| name | value |\n| --- | ---: |\n| a\\|b &lt;i&gt; | 0.25 |\n| acc_norm \\*x\\* | – |\n')
})

test('a short plot is a table, a long one a sparkline with its ends and extremes', () => {
  const points = [1, 2, Number.NaN].map((y, x) => ({ x, y }))
  expect(body({ kind: 'line', xLabel: 'step', yLabel: 'loss', series: [{ name: 'a', points }] })).toBe(
    'loss by step:\n\n| step | a |\n| ---: | ---: |\n| 0 | 1 |\n| 1 | 2 |\n| 2 | – |\n',
  )
  const long = Array.from({ length: 500 }, (_, x) => ({ x, y: 500 - x }))
  expect(body({ kind: 'line', xLabel: 'step', yLabel: 'loss', series: [{ name: 'a', points: long }] })).toMatch(
    /\| a \| █[█▇▆▅▄▃▂▁]{38}▁ \| 500 \| 500 \| 1 \| 1 \| 500 \|/,
  )
})

test('bars keep their intervals', () => {
  expect(
    body({ kind: 'bar', xLabel: 'g', yLabel: 'v', series: [{ name: 's', points: [{ x: 'a', y: 0.5, low: 0.4, high: 0.6 }] }] }),
  ).toContain('| a | 0.5 (0.4 to 0.6) |')
})

test('a histogram and a heat map', () => {
  expect(body({ kind: 'histogram', xLabel: 'words', edges: [0, 1, 2], counts: [10, 5] })).toBe(
    `| words | count |  |\n| --- | ---: | --- |\n| 0 to 1 | 10 | ${'█'.repeat(20)} |\n| 1 to 2 | 5 | ${'█'.repeat(10)} |\n`,
  )
  expect(body({ kind: 'heatMap', rows: ['r'], columns: ['c'], values: [[Number.NaN]] })).toContain('| r | – |')
})

test('a sample stays inside its fence, whatever it holds', () => {
  expect(body({ kind: 'samples', items: [{ title: 'x', text: 'a\n````\n<b>', tags: ['t`'] }] })).toBe(
    '**x** `t `\n\n`````text\na\n````\n<b>\n`````\n',
  )
})

test('empty sections say so', () => {
  expect(body({ kind: 'line', xLabel: 'x', yLabel: 'y', series: [] })).toBe('_No data._\n')
  expect(body({ kind: 'table', columns: ['a'], rows: [] })).toBe('_No rows._\n')
  expect(body({ kind: 'samples', items: [] })).toBe('_No samples._\n')
})

test('sparklines: rising, flat, with a gap', () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█')
  expect(sparkline([2, 2, 2])).toBe('▄▄▄')
  expect(sparkline([0, Number.NaN, 1])).toBe('▁ █')
  expect(sparkline([])).toBe('')
})
