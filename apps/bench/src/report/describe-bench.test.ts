// The report from results made up by hand, so that what it must say is known.
import { expect, test } from 'vitest'
import type { SuiteResult } from '../results.ts'
import type { Measurement } from '../suite.ts'
import { describeBench } from './describe-bench.ts'
import { svgFile } from './figure.ts'
import { goals } from './goals.ts'
import { benchMarkdown } from './markdown.ts'
import { benchHtml } from './page.ts'
import { rooflinePoints } from './roofline-figure.ts'
import { speedUps } from './speed-up-figure.ts'

const measurement = (caseName: string, id: string, value: number, more: Partial<Measurement> = {}): Measurement => ({
  suite: 'gemm',
  case: caseName,
  subject: `subject ${id}`,
  id,
  value,
  unit: 'GFLOP/s',
  runs: [value * 0.9, value, value * 1.1],
  isRate: true,
  ...more,
})

const result = (measurements: readonly Measurement[], more: Partial<SuiteResult> = {}): SuiteResult => ({
  suite: 'gemm',
  about: 'matrix products',
  machine: { processor: 'A processor', cores: 2, memoryBytes: 2 ** 34, system: 'Linux', node: 'v24', packages: { '@weft/tensor': '0.1.0' } },
  threads: 2,
  startedAt: '2026-01-02T03:04:05.000Z',
  isQuick: false,
  peaks: [{ threads: 2, fmaGflops: 200, bf16Gflops: 400, int8Gops: 800, readGBps: 40 }],
  measurements,
  curves: [],
  notes: [],
  ...more,
})

const squares = (ours: number, theirs: number): Measurement[] =>
  [64, 128, 512, 1024, 2048].flatMap((n) => {
    const scaling = { plot: 'Square matrix products, f32', xLabel: 'n', x: n }
    const work = { flopsPerUnit: 1e9, bytesPerUnit: 1e9 / (n / 6), precision: 'f32' } as const
    return [
      measurement(`${n}×${n}`, 'native', ours, { scaling, work, share: { of: 'the FMA peak', value: ours / 200 } }),
      measurement(`${n}×${n}`, 'torch', theirs, { scaling, work }),
    ]
  })

const verdictOf = (work: string, needed: RegExp, measurements: readonly Measurement[]) => goals.find((goal) => goal.work === work && needed.test(goal.needed))!.judge(measurements)

test('goals count the worst case', () => {
  const measurements = [...squares(170, 100), measurement('256×256', 'native', 90), measurement('256×256', 'torch', 100)]
  expect(verdictOf('matrix product f32, 512 to 2048', /peak/, measurements)).toEqual({ measured: '85 % (512×512)', isMet: true })
  expect(verdictOf('matrix product f32, 64 to 2048', /PyTorch/, measurements)).toEqual({ measured: '0.90 × (PyTorch, 256×256; best 1.70 ×)', isMet: false })
  expect(verdictOf('train GPT 12.3M, f32', /PyTorch/, measurements)).toBeUndefined()
})

test('of memory less is better', () => {
  const memory = (id: string, value: number): Measurement => measurement('peak memory, GPT-2 124M, f32', id, value, { suite: 'train', unit: 'MB', isRate: false })
  const goal = 'peak memory, GPT-2 124M, f32'
  expect(verdictOf(goal, /PyTorch/, [memory('native', 2000), memory('torch', 2500)])).toEqual({ measured: '1.25 × (PyTorch)', isMet: true })
  expect(verdictOf(goal, /PyTorch/, [memory('native', 2500), memory('torch', 2000)])).toEqual({ measured: '0.80 × (PyTorch)', isMet: false })
})

test('a reference backend in the place of native meets no goal', () => {
  expect(goals.every((goal) => goal.judge([measurement('64×64', 'reference', 900), measurement('64×64', 'torch', 1)]) === undefined)).toBe(true)
})

test('speed-ups: native against peers of the same case alone', () => {
  const found = speedUps([measurement('a (long)', 'native', 30), measurement('a (long)', 'torch', 20), measurement('a (long)', 'tfjs-wasm', 1), measurement('b', 'torch', 10)])
  expect(found).toEqual([{ row: 'gemm: a', id: 'torch', times: 1.5 }])
})

test('roofline: operations a byte, worked out by hand', () => {
  const work = { flopsPerUnit: 200, bytesPerUnit: 50, precision: 'int8' } as const
  const points = rooflinePoints([measurement('decode', 'native', 3e9, { work, unit: 'tokens/s' }), measurement('no work', 'native', 1), measurement('memory', 'native', 5, { work, isRate: false })])
  expect(points).toEqual([{ id: 'native', case: 'decode', precision: 'int8', intensity: 4, gflops: 600 }])
})

test('the report has goals, limits, a roofline, and each suite with its figures', () => {
  const layer = [measurement('qkv', 'native', 150), measurement('qkv', 'torch', 100)]
  const curves = [{ suite: 'gemm', plot: 'Losses', yLabel: 'nats', name: 'f32', points: [{ x: 1, y: 3 }, { x: 2, y: 2 }] }]
  const report = describeBench([result([...squares(170, 100), ...layer], { curves, notes: ['skipped: a peer'] })])
  expect(report.sections.map(({ title }) => title)).toEqual(['What was measured', 'Goals', "The machine's limits", 'gemm'])
  const figures = report.sections.flatMap(({ blocks }) => blocks.flatMap((block) => (block.kind === 'figure' ? [block.figure] : [])))
  expect(figures.map(({ name }) => name)).toEqual(['speed-ups', 'roofline', 'square-matrix-products-f32', 'gemm-gflop-s', 'losses'])
  for (const figure of figures) {
    expect(figure.svg).not.toMatch(/NaN|undefined|Infinity/)
    expect(svgFile(figure)).toMatch(/^<\?xml .*\n<svg [^>]*viewBox="0 0 760 [\d.]+"[^>]*><rect width="760"/)
  }
})

test('one case without a rival has no bars, one size no line', () => {
  const report = describeBench([result([measurement('64×64', 'reference', 1, { scaling: { plot: 'p', xLabel: 'n', x: 64 } })], { peaks: [] })])
  expect(report.sections.flatMap(({ blocks }) => blocks).some(({ kind }) => kind === 'figure')).toBe(false)
  expect(report.sections.map(({ title }) => title)).toEqual(['What was measured', 'gemm'])
})

test('results of small sizes say so', () => {
  expect(benchMarkdown(describeBench([result(squares(1, 2), { isQuick: true })]))).toContain('sizes too small to say anything about speed: gemm')
})

test('what comes from outside is text, on the page and in Markdown', () => {
  const evil = '<script>alert(1)</script> | [x](y) `c`'
  const report = describeBench([result([measurement(evil, 'native', 2, { subject: evil }), measurement(evil, evil, 1, { subject: evil })], { notes: [evil] })])
  const html = benchHtml(report)
  expect(html).not.toContain('<script')
  expect(html).toContain('&lt;script&gt;')
  const markdown = benchMarkdown(report)
  expect(markdown).not.toContain('<script')
  expect(markdown).toContain('\\| \\[x\\](y) \\`c\\`')
})

test('Markdown shows figures as files beside it, the page holds them', () => {
  const report = describeBench([result(squares(170, 100))])
  expect(benchMarkdown(report)).toContain('](figures/roofline.svg)')
  const html = benchHtml(report)
  expect(html.match(/<figure>/g)).toHaveLength(3)
  expect(html).not.toMatch(/(src|href)="(?!#)/)
})
