// Lines: speed over sizes and threads, with the limit that was measured, and courses of losses.
import * as Plot from '@observablehq/plot'
import { computePeak, peaksOf, type ThreadPeaks } from '../peaks.ts'
import type { Curve, Measurement } from '../suite.ts'
import { composeFigure, drawPlot, fileNameOf, type Figure, type LegendEntry } from './figure.ts'
import { hue, styleOf } from './subject-style.ts'

interface Limit {
  readonly label: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

const idOf = ({ id, subject }: Measurement): string => id ?? subject

/** The compute limit over the same x, where the figures are GFLOP/s. */
const limitOf = (measurements: readonly Measurement[], peaks: readonly ThreadPeaks[], threads: number): Limit | undefined => {
  const { unit, scaling, work, case: caseName } = measurements[0]!
  if (unit !== 'GFLOP/s') return undefined
  const precision = work?.precision ?? (/bf16/.test(caseName) ? 'bf16' : 'f32')
  const limitAt = (count: number): ReturnType<typeof computePeak> | undefined => {
    const found = peaksOf(peaks, count)
    return found === undefined ? undefined : computePeak(found, precision)
  }
  const isOverThreads = scaling!.xLabel === 'threads'
  const places = [...new Set(measurements.map(({ scaling: at }) => at!.x))].sort((a, b) => a - b)
  const points = places.flatMap((x) => {
    const limit = limitAt(isOverThreads ? x : threads)
    return limit === undefined ? [] : [{ x, y: limit.gflops, name: limit.name }]
  })
  return points.length === 0 ? undefined : { label: `${points[0]!.name}, measured`, points }
}

/** Measurements of one plot of the `scaling` kind. */
export const scalingFigure = (measurements: readonly Measurement[], peaks: readonly ThreadPeaks[], threads: number): Figure => {
  const { plot, xLabel } = measurements[0]!.scaling!
  const ids = [...new Set(measurements.map(idOf))]
  const isOverThreads = xLabel === 'threads'
  const limit = limitOf(measurements, peaks, threads)
  const places = [...new Set(measurements.map(({ scaling }) => scaling!.x))].sort((a, b) => a - b)
  const lines = ids.flatMap((id) => {
    const { color, dash } = styleOf(id, ids)
    const points = measurements.filter((one) => idOf(one) === id).map(({ value, scaling, runs }) => ({ x: scaling!.x, y: value, low: Math.min(...runs), high: Math.max(...runs) }))
    return [
      Plot.areaY(points, { x: 'x', y1: 'low', y2: 'high', fill: color, fillOpacity: 0.15 }),
      Plot.lineY(points, { x: 'x', y: 'y', stroke: color, strokeWidth: 2.5, strokeDasharray: dash }),
      Plot.dot(points, { x: 'x', y: 'y', fill: color, r: 3.5 }),
    ]
  })
  const limitMarks = limit === undefined ? [] : [Plot.lineY(limit.points, { x: 'x', y: 'y', stroke: 'currentColor', strokeOpacity: 0.6, strokeDasharray: '2 4', strokeWidth: 1.5 })]
  const content = drawPlot({
    height: 360,
    x: { type: isOverThreads ? 'linear' : 'log', base: 2, label: xLabel, ticks: places, tickFormat: (x: number) => String(x) },
    y: { label: measurements[0]!.unit, grid: true, zero: true, nice: true },
    marks: [...limitMarks, ...lines],
  })
  const legend: LegendEntry[] = [
    ...ids.map((id) => styleOf(id, ids)),
    ...(limit === undefined ? [] : [{ label: limit.label, color: 'currentColor', dash: '2 4' }]),
  ]
  return composeFigure({ name: fileNameOf(plot), title: plot, description: `${plot}: ${measurements[0]!.unit} over ${xLabel}` }, content, 360, legend)
}

/** Curves of one plot. Losses cover one another where they agree: the later ones are dashed, so that the first shows through. */
export const curveFigure = (curves: readonly Curve[]): Figure => {
  const { plot, yLabel } = curves[0]!
  const dashes = ['', '7 5', '2 4', '10 4 2 4']
  const lines = curves.map(({ points }, i) => Plot.lineY(points, { x: 'x', y: 'y', stroke: hue(i), strokeWidth: i === 0 ? 3 : 2, strokeDasharray: dashes[i % dashes.length]! }))
  const hasZero = curves.some(({ points }) => points.some(({ y }) => y < 0))
  const content = drawPlot({
    height: 320,
    x: { label: 'step' },
    y: { label: yLabel, grid: true, nice: true },
    marks: [...(hasZero ? [Plot.ruleY([0], { strokeOpacity: 0.5 })] : []), ...lines],
  })
  const legend = curves.map(({ name }, i) => ({ label: name, color: hue(i), dash: dashes[i % dashes.length]! }))
  return composeFigure({ name: fileNameOf(plot), title: plot, description: `${plot}: ${yLabel} over steps` }, content, 320, legend)
}
