// The roofline (Williams, Waterman, Patterson 2009): what is reached, over how many operations are done for each byte that has to be
// moved. The roofs are this machine's, measured by the bench: memory bandwidth on the left, arithmetic on the right.
import * as Plot from '@observablehq/plot'
import type { ThreadPeaks } from '../peaks.ts'
import type { Measurement, Work } from '../suite.ts'
import { threadsText, threeFigures } from '../table.ts'

import { composeFigure, drawPlot, type Figure } from './figure.ts'
import { styleOf, type SubjectStyle } from './subject-style.ts'

export interface RooflinePoint {
  readonly id: string
  readonly case: string
  readonly precision: Work['precision']
  readonly intensity: number
  readonly gflops: number
}

/** Measurements that say what work a unit is, where it is a rate. */
export const rooflinePoints = (measurements: readonly Measurement[]): RooflinePoint[] =>
  measurements.flatMap(({ id, subject, case: caseName, value, work, isRate }) =>
    work === undefined || !isRate || value <= 0
      ? []
      : [{ id: id ?? subject, case: caseName, precision: work.precision, intensity: work.flopsPerUnit / work.bytesPerUnit, gflops: (value * work.flopsPerUnit) / 1e9 }],
  )

const roofs = ({ fmaGflops, bf16Gflops }: ThreadPeaks): { readonly label: string; readonly gflops: number }[] => [
  { label: 'f32 FMA', gflops: fmaGflops },
  ...(bf16Gflops > fmaGflops * 1.05 ? [{ label: 'bf16', gflops: bf16Gflops }] : []),
]

/** Undefined where there is nothing to show, or no roof. */
export const rooflineFigure = (measurements: readonly Measurement[], peaks: ThreadPeaks | undefined): Figure | undefined => {
  const points = rooflinePoints(measurements)
  if (peaks === undefined || points.length === 0) return undefined
  const ids = [...new Set(points.map(({ id }) => id))]
  const left = Math.min(0.25, ...points.map(({ intensity }) => intensity / 1.5))
  const right = Math.max(512, ...points.map(({ intensity }) => intensity * 1.5))
  const lowest = Math.min(1, ...points.map(({ gflops }) => gflops / 1.5))
  const tops = roofs(peaks)
  const slope = (gflops: number): { x: number; y: number }[] => [
    { x: left, y: left * peaks.readGBps },
    { x: gflops / peaks.readGBps, y: gflops },
    { x: right, y: gflops },
  ]
  const clipped = tops.map(({ gflops }) => slope(gflops).map(({ x, y }) => (y < lowest ? { x: lowest / peaks.readGBps, y: lowest } : { x, y })))
  const highest = Math.max(...tops.map(({ gflops }) => gflops), ...points.map(({ gflops }) => gflops)) * 1.5
  const content = drawPlot({
    height: 430,
    x: { type: 'log', base: 2, domain: [left, right], label: 'arithmetic intensity: operations a byte', grid: true, ticks: ticksWithin(left, right, 4), tickFormat: shortNumber },
    y: { type: 'log', domain: [lowest, highest], label: 'GFLOP/s', grid: true, ticks: ticksWithin(lowest, highest, 10), tickFormat: shortNumber },
    marks: [
      ...clipped.map((line) => Plot.line(line, { x: 'x', y: 'y', stroke: 'currentColor', strokeWidth: 2, strokeOpacity: 0.7 })),
      ...roofLabels(tops, peaks, { left, right, lowest }),
      ...ids.flatMap((id) => pointMarks(points.filter((point) => point.id === id), styleOf(id, ids))),
    ],
  })
  const title = `Roofline, ${threadsText(peaks.threads)}: circles f32, squares bf16, triangles int8`
  return composeFigure({ name: 'roofline', title, description: 'Roofline: GFLOP/s over arithmetic intensity, with the peaks of this machine' }, content, 430, ids.map((id) => styleOf(id, ids)))
}

const symbols = { f32: 'circle', bf16: 'square', int8: 'triangle' } as const

const pointMarks = (points: readonly RooflinePoint[], { label, color, isOurs }: SubjectStyle): Plot.Markish[] =>
  (['f32', 'bf16', 'int8'] as const).map((precision) =>
    Plot.dot(points.filter((point) => point.precision === precision), {
      x: 'intensity',
      y: 'gflops',
      symbol: symbols[precision],
      fill: color,
      fillOpacity: isOurs ? 0.9 : 0.55,
      r: isOurs ? 4.5 : 3.5,
      title: (point: RooflinePoint) => `${label}, ${point.case}: ${threeFigures(point.gflops)} GFLOP/s`,
    }),
  )

const roofLabels = (tops: readonly { readonly label: string; readonly gflops: number }[], { readGBps }: ThreadPeaks, { left, right, lowest }: { left: number; right: number; lowest: number }): Plot.Markish[] => {
  const at = Math.max(left, lowest / readGBps) * 1.3
  return [
    Plot.text(tops, { x: right, y: 'gflops', text: ({ label, gflops }: (typeof tops)[number]) => `${label} ${gflops.toFixed(0)} GFLOP/s`, textAnchor: 'end', dy: -8, fill: 'currentColor' }),
    Plot.text([`memory ${readGBps.toFixed(0)} GB/s`], { x: at, y: at * readGBps, textAnchor: 'start', dx: 8, dy: 12, fill: 'currentColor' }),
  ]
}

/** Powers of `base` in a range. */
const ticksWithin = (low: number, high: number, base: number): number[] =>
  Array.from({ length: 24 }, (_, i) => base ** (i - 8)).filter((tick) => tick >= low && tick <= high)

const shortNumber = (value: number): string => String(Number(value.toPrecision(4)))
