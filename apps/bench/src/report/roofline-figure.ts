// The roofline (Williams, Waterman, Patterson 2009): what is reached, over how many operations are done for each byte that has to be
// moved. The roofs are this machine's, measured by the bench: memory bandwidth on the left, arithmetic on the right.
import * as Plot from '@observablehq/plot'
import type { Peaks } from '../native.ts'
import type { Measurement } from '../suite.ts'
import { composeFigure, drawPlot, type Figure } from './figure.ts'
import { styleOf } from './subject-style.ts'

export interface RooflinePoint {
  readonly id: string
  readonly case: string
  readonly intensity: number
  readonly gflops: number
}

/** Measurements that say what work a unit is, where it is a rate. */
export const rooflinePoints = (measurements: readonly Measurement[]): RooflinePoint[] =>
  measurements.flatMap(({ id, subject, case: caseName, value, work, isRate }) =>
    work === undefined || !isRate || value <= 0
      ? []
      : [{ id: id ?? subject, case: caseName, intensity: work.flopsPerUnit / work.bytesPerUnit, gflops: (value * work.flopsPerUnit) / 1e9 }],
  )

const roofs = ({ fmaGflops, bf16Gflops }: Peaks): { readonly label: string; readonly gflops: number }[] => [
  { label: 'f32 FMA', gflops: fmaGflops },
  ...(bf16Gflops > fmaGflops * 1.05 ? [{ label: 'bf16', gflops: bf16Gflops }] : []),
]

/** Undefined where there is nothing to show, or no roof. */
export const rooflineFigure = (measurements: readonly Measurement[], peaks: Peaks | undefined): Figure | undefined => {
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
  const content = drawPlot({
    height: 430,
    x: { type: 'log', domain: [left, right], label: 'arithmetic intensity: operations a byte', grid: true, tickFormat: shortNumber },
    y: { type: 'log', domain: [lowest, Math.max(...tops.map(({ gflops }) => gflops)) * 1.5], label: 'GFLOP/s', grid: true, tickFormat: shortNumber },
    marks: [
      ...clipped.map((line) => Plot.line(line, { x: 'x', y: 'y', stroke: 'currentColor', strokeWidth: 2, strokeOpacity: 0.7 })),
      Plot.text(tops, { x: right, y: 'gflops', text: ({ label, gflops }: (typeof tops)[number]) => `${label} ${gflops.toFixed(0)} GFLOP/s`, textAnchor: 'end', dy: -8, fill: 'currentColor' }),
      Plot.text([`memory ${peaks.readGBps.toFixed(0)} GB/s`], { x: Math.max(left, lowest / peaks.readGBps) * 2.2, y: Math.max(left * peaks.readGBps, lowest) * 2.2, textAnchor: 'start', dx: 10, dy: 10, fill: 'currentColor' }),
      ...ids.map((id) => Plot.dot(points.filter((point) => point.id === id), { x: 'intensity', y: 'gflops', fill: styleOf(id, ids).color, fillOpacity: styleOf(id, ids).isOurs ? 0.9 : 0.55, r: styleOf(id, ids).isOurs ? 4.5 : 3.5, title: (point: RooflinePoint) => `${styleOf(id, ids).label}, ${point.case}: ${point.gflops.toFixed(1)} GFLOP/s` })),
    ],
  })
  return composeFigure({ name: 'roofline', description: 'Roofline: GFLOP/s over arithmetic intensity, with the peaks of this machine' }, content, 430, ids.map((id) => styleOf(id, ids)))
}

const shortNumber = (value: number): string => String(Number(value.toPrecision(3)))
