import type { Json, Report, Section } from '@weft/contracts'
import { array, assert, constantFrom, double, oneof, property, record, string } from 'fast-check'
import { parseHTML } from 'linkedom/worker'
import { expect, test } from 'vitest'
import { toHtml } from './to-html.ts'

const html = (...sections: Section[]) => toHtml({ title: 'Test', sections })
const page = (...sections: Section[]) => parseHTML(html(...sections)).document
const count = (text: string, part: string) => text.split(part).length - 1

test('a page needs nothing else: no script, nothing fetched, and a policy that says so', () => {
  const text = html({
    kind: 'line',
    xLabel: 'x',
    yLabel: 'y',
    series: [
      {
        name: 's',
        points: [
          { x: 1, y: 2 },
          { x: 2, y: 3 },
        ],
      },
    ],
  })
  expect(text).not.toMatch(/<script|<link|@import|url\(|src=/)
  expect(text).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
  expect(text).toContain('prefers-color-scheme: dark')
  expect(text).toContain('name="viewport"')
})

const attacks = [
  '<script>x()</script>',
  '"><img src=x onerror=x()>',
  "' onload='x()",
  '</title><script>x()</script>',
  '</style><script>x()</script>',
  '&lt;',
  '</svg><script>x()</script>',
  '<!--',
  '\0',
]

const everyKind = (text: string, number: number): Section[] => [
  { kind: 'text', title: text, markdown: text },
  { kind: 'table', title: text, columns: [text], rows: [[text], [{ [text]: text }]] },
  {
    kind: 'line',
    title: text,
    xLabel: text,
    yLabel: text,
    series: [
      {
        name: text,
        points: [
          { x: text, y: 1 },
          { x: 'b', y: number },
        ],
      },
      { name: text, points: [{ x: text, y: 0 }] },
    ],
  },
  {
    kind: 'line',
    title: text,
    xLabel: text,
    yLabel: text,
    series: [{ name: text, points: [{ x: number, y: number, low: number, high: 3 }] }],
  },
  {
    kind: 'bar',
    title: text,
    xLabel: text,
    yLabel: text,
    series: [
      { name: text, points: [{ x: text, y: number, low: 0, high: number }] },
      { name: 'b', points: [{ x: text, y: 1 }] },
    ],
  },
  { kind: 'histogram', title: text, xLabel: text, edges: [0, 1, number], counts: [number, 1] },
  {
    kind: 'heatMap',
    title: text,
    rows: [text, text],
    columns: [text, text],
    values: [
      [1, number],
      [number, -1],
    ],
  },
  { kind: 'samples', title: text, items: [{ title: text, text, tags: [text] }] },
]

test('whatever a report carries, no element or attribute comes out of it', () => {
  const numbers = [0, -0, 1e-300, 1e300, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  assert(
    property(
      oneof(constantFrom(...attacks), string({ unit: 'binary', maxLength: 12 })),
      oneof(constantFrom(...numbers), double()),
      (text, number) => {
        const { document } = parseHTML(toHtml({ title: text, sections: everyKind(text, number) }))
        expect(document.querySelectorAll('script, img, iframe, object, link, base, form, foreignObject')).toHaveLength(0)
        for (const element of document.querySelectorAll('*')) {
          for (const { name } of element.attributes) expect(name).not.toMatch(/^on/i)
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('markdown keeps its marks and loses its teeth', () => {
  const document = page({
    kind: 'text',
    markdown:
      '# Head\n\n**bold** <img src=x onerror=y()> [a](https://example.org) [b](javascript:x()) [c](java\tscript:x()) ![pic](https://example.org/p.png)\n\n| a |\n| - |\n| 1 |',
  })
  expect(document.querySelector('section h3')?.textContent).toBe('Head')
  expect(document.querySelector('strong')?.textContent).toBe('bold')
  expect([...document.querySelectorAll('section a')].map((link) => link.getAttribute('href'))).toEqual(['https://example.org'])
  expect(document.querySelectorAll('img')).toHaveLength(0)
  expect(document.querySelector('section')?.textContent).toContain('<img src=x onerror=y()>')
  expect(document.querySelector('section')?.textContent).toContain('pic')
  expect(document.querySelectorAll('table td')).toHaveLength(1)
})

test('a cell shows what it holds; null, which stands for a number that is not finite, is a dash', () => {
  const rows: Json[][] = [
    ['a', 1234567, null],
    ['b', 0.000012345, 2],
    ['c', -1.5, true],
  ]
  const cells = [...page({ kind: 'table', columns: ['t', 'n', 'm'], rows }).querySelectorAll('td')]
  expect(cells.map((cell) => cell.textContent)).toEqual(['a', '1,234,567', '–', 'b', '1.234e-5', '2', 'c', '−1.5', 'yes'])
  expect(cells.map((cell) => cell.className)).toEqual(['', 'number', '', '', 'number', '', '', 'number', ''])
})

test('a line of 500 points is one path; one of 100,000 is thinned without losing its peak', () => {
  const line = (length: number, peak: number): Section => ({
    kind: 'line',
    xLabel: 'step',
    yLabel: 'loss',
    series: [{ name: 's', points: Array.from({ length }, (_, x) => ({ x, y: x === peak ? 50 : 1 / (x + 1) })) }],
  })
  const short = html(line(500, 250))
  expect(short.match(/d="M[^"]*"/g)?.some((path) => count(path, 'L') === 499)).toBe(true)
  const long = html(line(100_000, 77_777))
  expect(long.length).toBeLessThan(80_000)
  expect(long).toContain('thinned')
  expect(long).toContain('>50<') // the axis still reaches the peak
})

test('points that are not finite become gaps and are counted', () => {
  const points = [1, Number.NaN, 3, Number.POSITIVE_INFINITY, 5].map((y, x) => ({ x, y }))
  const text = html({ kind: 'line', xLabel: 'x', yLabel: 'y', series: [{ name: 's', points }] })
  expect(text).toContain('2 points without a finite value left out.')
  expect(text).not.toMatch(/NaN|Infinity/)
})

test('grouped bars: one rectangle per value, one whisker per interval, a legend entry per series', () => {
  const series = ['before', 'after'].map((name) => ({ name, points: ['x', 'y', 'z'].map((x) => ({ x, y: 0.5, low: 0.4, high: 0.6 })) }))
  const document = page({ kind: 'bar', xLabel: 'group', yLabel: 'share', series })
  expect(document.querySelectorAll('[aria-label="bar"] rect, [aria-label="bar"] path')).toHaveLength(6)
  expect(document.querySelectorAll('[aria-label="rule"] line').length).toBeGreaterThanOrEqual(6)
  expect([...document.querySelectorAll('.legend li')].map((item) => item.textContent)).toEqual(['before', 'after'])
})

test('long names lay the bars on their side', () => {
  const bars = (names: string[]) =>
    page({ kind: 'bar', xLabel: 'g', yLabel: 'v', series: [{ name: 's', points: names.map((x) => ({ x, y: 1 })) }] })
  const height = (document: Document) => Number(document.querySelector('figure svg')!.getAttribute('height'))
  const names = Array.from({ length: 30 }, (_, i) => `a rather long name ${i}`)
  expect(height(bars(names) as unknown as Document)).toBeGreaterThan(700)
  expect(height(bars(['a', 'b']) as unknown as Document)).toBe(310)
})

test('histograms draw every bin, open ones too', () => {
  const document = page({ kind: 'histogram', xLabel: 'n', edges: [0, 10, 20, Number.POSITIVE_INFINITY], counts: [1, 2, 3] })
  expect(document.querySelectorAll('[aria-label="rect"] rect')).toHaveLength(3)
  expect(document.querySelector('.note')?.textContent).toContain('no bound')
})

test('heat maps: a cell per finite value, the number in it where there is room, a legend with the range', () => {
  const document = page({
    kind: 'heatMap',
    rows: ['a', 'b'],
    columns: ['c', 'd'],
    values: [
      [-1, 2],
      [Number.NaN, 0],
    ],
  })
  expect(document.querySelectorAll('[aria-label="cell"] rect')).toHaveLength(3)
  expect([...document.querySelectorAll('[aria-label="text"] text')].map((text) => text.textContent)).toEqual(['−1', '2', '0'])
  expect(document.querySelector('.ramp')?.textContent).toBe('−22')
})

test('sections without data say so', () => {
  const document = page(
    { kind: 'line', xLabel: 'x', yLabel: 'y', series: [] },
    { kind: 'bar', xLabel: 'x', yLabel: 'y', series: [{ name: 's', points: [] }] },
    { kind: 'histogram', xLabel: 'x', edges: [], counts: [] },
    { kind: 'heatMap', rows: [], columns: [], values: [] },
    { kind: 'table', columns: ['a'], rows: [] },
    { kind: 'samples', items: [] },
  )
  expect(document.querySelectorAll('.empty')).toHaveLength(6)
  expect(toHtml({ title: 'Empty', sections: [] })).toContain('<h1>Empty</h1>')
})

test('a section of the wrong shape is named', () => {
  const broken = (section: unknown) => () => toHtml({ title: 'T', sections: [{ kind: 'text', markdown: '' }, section as Section] })
  expect(broken({ kind: 'pie' })).toThrow('report "T", section 2: expected a kind out of text, table')
  expect(broken({ kind: 'histogram', title: 'H', xLabel: '', edges: [1], counts: [1] })).toThrow(
    'section 2 "H": expected one edge more than counts, got 1 edges and 1 counts',
  )
  expect(broken({ kind: 'heatMap', rows: ['a'], columns: ['b', 'c'], values: [[1]] })).toThrow(
    'expected 2 values in every row, row 1 has 1',
  )
  expect(broken(null)).toThrow('expected a kind')
  expect(() => toHtml({} as Report)).toThrow('expected an object with `title`')
})

test.each([[5e-324], [1e308], [1e-200], [Number.MAX_VALUE]])('a line whose values span ±%d is drawn or left out, never an error', (value) => {
  const points = [{ x: value, y: 0 }, { x: -value, y: value }, { x: 0, y: -value }, { x: 1, y: 1 }, { x: 2, y: 3 }]
  expect(html({ kind: 'line', xLabel: 'x', yLabel: 'y', series: [{ name: 's', points }] })).toContain('<svg')
})

test('the same report gives the same page', () => {
  assert(
    property(array(record({ x: double(), y: double() }), { maxLength: 20 }), (points) => {
      const section: Section = { kind: 'line', xLabel: 'x', yLabel: 'y', series: [{ name: 's', points }] }
      expect(html(section)).toBe(html(section))
    }),
    { numRuns: 10 },
  )
})
