// Draws a report with every kind of section and writes it beside the other temporary files: `node --conditions=@weft/source every-section.ts`.
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Report } from '@weft/contracts'
import { toHtml, toMarkdown } from '@weft/report'

const steps = Array.from({ length: 500 }, (_, step) => step)
const loss = (step: number, floor: number) => floor + 4 * Math.exp(-step / 90) + 0.12 * Math.sin(step / 7) * Math.exp(-step / 300)
const groups = ['gender', 'age', 'nationality', 'religion', 'race', 'income', 'disability', 'appearance', 'orientation']

export const report: Report = {
  title: 'A small model, measured',
  sections: [
    {
      kind: 'text',
      markdown:
        'A **decoder** of 3.2 M parameters, trained on public-domain speeches.\n\n- read `runs/` for the log\n- [method](https://example.org)\n\n> Scores of a model this small show how the measures work, not what a model can do.',
    },
    {
      title: 'Scores',
      kind: 'table',
      columns: ['task', 'metric', 'value', '± stderr', 'items', 'better'],
      rows: [
        ['speeches, held out', 'bitsPerByte', 1.8342, 0.0121, 412, 'lower'],
        ['speeches, held out', 'perplexity', 34.29, null, 412, 'lower'],
        ['who said it', 'accuracy', 0.4125, 0.0246, 400, 'higher'],
        ['stereotype pairs', 'pctStereotype', 0.5482, 0.0391, 166, 'near 0.5'],
      ],
    },
    {
      title: 'Loss',
      kind: 'line',
      xLabel: 'step',
      yLabel: 'loss (nats per token)',
      series: [
        { name: 'training', points: steps.map((x) => ({ x, y: x === 250 ? Number.NaN : loss(x, 2.1) })) },
        {
          name: 'validation',
          points: steps.filter((x) => x % 25 === 0).map((x) => ({ x, y: loss(x, 2.35), low: loss(x, 2.25), high: loss(x, 2.45) })),
        },
      ],
    },
    {
      title: 'Accuracy',
      kind: 'bar',
      xLabel: 'task',
      yLabel: 'accuracy',
      series: ['unigram', '5-gram', 'this model'].map((name, i) => ({
        name,
        points: ['arc', 'piqa', 'copa'].map((x, j) => ({
          x,
          y: 0.25 + 0.1 * i + 0.05 * j,
          low: 0.2 + 0.1 * i + 0.05 * j,
          high: 0.3 + 0.1 * i + 0.05 * j,
        })),
      })),
    },
    {
      title: 'Stereotype preference by category',
      kind: 'bar',
      xLabel: 'category',
      yLabel: 'share of pairs',
      series: ['before', 'after'].map((name, i) => ({
        name,
        points: groups.map((x, j) => ({
          x,
          y: 0.62 - 0.06 * i - 0.01 * j,
          low: 0.55 - 0.06 * i - 0.01 * j,
          high: 0.69 - 0.06 * i - 0.01 * j,
        })),
      })),
    },
    {
      title: 'Document length',
      kind: 'histogram',
      xLabel: 'words',
      edges: [0, 100, 200, 300, 400, 500, 600, Number.POSITIVE_INFINITY],
      counts: [12, 80, 140, 96, 40, 22, 9],
    },
    {
      title: 'Association (PMI)',
      kind: 'heatMap',
      rows: ['nurse', 'engineer', 'teacher', 'president'],
      columns: ['she', 'he', 'they', 'we'],
      values: [
        [1.4, -0.9, 0.1, 0],
        [-1.2, 0.8, 0.05, 0.2],
        [0.3, -0.1, Number.NaN, 0.1],
        [-2.1, 0.6, -0.4, 0.9],
      ],
    },
    {
      title: 'Attention',
      kind: 'heatMap',
      rows: 'the quick brown fox jumps over the lazy dog'.split(' '),
      columns: 'the quick brown fox jumps over the lazy dog'.split(' '),
      values: Array.from({ length: 9 }, (_, i) => Array.from({ length: 9 }, (_, j) => (j > i ? 0 : Math.exp(-(i - j) / 2)))),
    },
    {
      title: 'Samples',
      kind: 'samples',
      items: [
        {
          title: 'Fellow citizens,',
          text: 'Fellow citizens, the condition of the country is one of peace,\nand I ask the Congress …',
          tags: ['temperature 0.7', 'distinct-2 0.81'],
        },
        { text: '<script>alert("not run")</script> <b>shown as it was written</b>', tags: ['untrusted'] },
      ],
    },
    { title: 'Nothing yet', kind: 'line', xLabel: 'step', yLabel: 'loss', series: [] },
  ],
}

const path = join(tmpdir(), 'weft-report.html')
writeFileSync(path, toHtml(report))
process.stdout.write(`${path}\n\n${toMarkdown(report)}`)
