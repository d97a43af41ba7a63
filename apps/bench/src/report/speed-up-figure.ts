// How many times faster than each peer: one row a case, on a logarithmic axis, so that twice as fast and half as fast are as far from
// the line.
import * as Plot from '@observablehq/plot'
import type { Measurement } from '../suite.ts'
import { threeFigures, timesBetter } from '../table.ts'
import { composeFigure, drawPlot, textWidth, type Figure } from './figure.ts'
import { shortCase, styleOf } from './subject-style.ts'

interface SpeedUp {
  readonly row: string
  readonly id: string
  readonly times: number
}

const longestRow = 46

/** Peers that others use for the same work; Weft's own other backends and tfjs are in the suites' figures. */
const peers = ['torch', 'torch-compile', 'llama.cpp', 'llm.c']

export const speedUps = (measurements: readonly Measurement[]): SpeedUp[] =>
  measurements
    .filter(({ id }) => id === 'native')
    .flatMap((ours) =>
      measurements
        .filter((other) => other.suite === ours.suite && other.case === ours.case && other.value > 0 && peers.includes(other.id ?? ''))
        .map((other) => ({ row: rowName(`${ours.suite}: ${shortCase(ours.case)}`), id: other.id!, times: timesBetter(ours, other) })),
    )

/** Short enough for the margin. */
const rowName = (text: string): string => (text.length > longestRow ? `${text.slice(0, longestRow - 1)}…` : text)

/** Undefined where there is no peer to compare with. */
export const speedUpFigure = (measurements: readonly Measurement[]): Figure | undefined => {
  const points = speedUps(measurements)
  if (points.length === 0) return undefined
  const rows = [...new Set(points.map(({ row }) => row))]
  const ids = peers.filter((id) => points.some((point) => point.id === id))
  const low = Math.min(0.9, ...points.map(({ times }) => times / 1.15))
  const high = Math.max(2, ...points.map(({ times }) => times * 1.2))
  const height = 70 + rows.length * 19
  const ticks = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 32].filter((tick) => tick >= low && tick <= high)
  const content = drawPlot({
    height,
    marginLeft: 24 + Math.max(...rows.map(textWidth)),
    x: { type: 'log', domain: [low, high], label: 'times faster than the peer', grid: true, ticks, tickFormat: (tick: number) => `${tick} ×` },
    y: { type: 'point', domain: rows, label: null },
    marks: [
      Plot.ruleX([1], { strokeOpacity: 0.7, strokeWidth: 1.5 }),
      Plot.ruleY(points, { y: 'row', x1: 1, x2: 'times', stroke: ({ id }: SpeedUp) => styleOf(id).color, strokeOpacity: 0.35, strokeWidth: 2 }),
      ...ids.map((id) => Plot.dot(points.filter((point) => point.id === id), { x: 'times', y: 'row', r: 4.5, fill: styleOf(id).color, title: ({ row, times }: SpeedUp) => `${row}: ${threeFigures(times)} × ${styleOf(id).label}` })),
    ],
  })
  const title = 'Weft native against each peer: right of the line it is faster (or needs less memory)'
  return composeFigure({ name: 'speed-ups', title, description: title }, content, height, ids.map((id) => styleOf(id)))
}
