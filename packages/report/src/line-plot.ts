// Lines over numbers or over named places, with a band where points carry an interval.
import * as Plot from '@observablehq/plot'
import type { Section } from '@weft/contracts'
import { counted, formatNumber } from './format-value.ts'
import { seriesColor, seriesDash } from './palette.ts'
import { drawPlot, emptyPlot, figure, labelMargin, seriesLegend } from './plot-frame.ts'
import { categoriesOf, drawnPoints, isDrawable, MAX_LINE_POINTS, thin, type DrawnPoint } from './series-points.ts'

type LineSection = Extract<Section, { kind: 'line' | 'bar' }>

const DOTTED_UP_TO = 40 // points of a series: few enough to be read one by one

export const linePlot = (section: LineSection): string => {
  const all = section.series.map(drawnPoints)
  const drawable = all.flat().filter(isDrawable)
  if (drawable.length === 0) return emptyPlot
  const isNumeric = drawable.every((point) => typeof point.x === 'number')
  const lines = all.map((points) => thin(isNumeric ? points : points.map((point) => ({ ...point, x: String(point.x) }))))
  const svg = drawPlot(
    {
      height: 330,
      marginLeft: yMargin(drawable),
      x: { label: section.xLabel, ...(isNumeric ? {} : { type: 'point', domain: categoriesOf(drawable) }) },
      y: { label: section.yLabel, grid: true, nice: true, ticks: 6, tickFormat: formatNumber },
      marks: lines.flatMap((points, index) => lineMarks(points, index, section.series[index]!.name)),
    },
    `Line plot of ${section.yLabel} by ${section.xLabel}: ${section.series.map((series) => series.name).join(', ')}`,
  )
  return figure({
    legend: seriesLegend(
      section.series.map((series) => series.name),
      'line',
    ),
    svg,
    notes: notesOf(all, drawable.length),
  })
}

const lineMarks = (points: readonly DrawnPoint[], index: number, name: string): Plot.Markish[] => {
  const color = seriesColor(index)
  const marks: Plot.Markish[] = []
  if (points.some((point) => point.low <= point.high)) {
    marks.push(Plot.areaY(points, { x: 'x', y1: 'low', y2: 'high', fill: color, fillOpacity: 0.18 }))
  }
  marks.push(Plot.lineY(points, { x: 'x', y: 'y', stroke: color, strokeWidth: 2, strokeDasharray: seriesDash(index) }))
  if (points.length <= DOTTED_UP_TO) {
    const title = (point: DrawnPoint) => `${name}\n${point.x}: ${formatNumber(point.y)}`
    marks.push(Plot.dot(points, { x: 'x', y: 'y', fill: color, r: 3, title }))
  }
  return marks
}

const yMargin = (points: readonly DrawnPoint[]): number => {
  const values = points.flatMap((point) => [point.y, point.low, point.high]).filter((value) => !Number.isNaN(value))
  return Math.max(48, labelMargin(extremes(values).map((value) => formatNumber(Number(value.toPrecision(2))))))
}

/** By hand: Math.min(...values) overflows the stack on long lines. */
const extremes = (values: readonly number[]): [number, number] =>
  values.reduce<[number, number]>(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity])

const notesOf = (all: readonly (readonly DrawnPoint[])[], drawn: number): string[] => {
  const total = all.reduce((sum, points) => sum + points.length, 0)
  const notes: string[] = []
  if (drawn < total) notes.push(`${counted(total - drawn, 'point')} without a finite value left out.`)
  if (all.some((points) => points.length > MAX_LINE_POINTS)) {
    notes.push(`Lines of more than ${MAX_LINE_POINTS} points are thinned: the lowest and the highest of each stretch are shown.`)
  }
  return notes
}
