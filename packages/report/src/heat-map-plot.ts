// A heat map: viridis for values of one sign, blue to red around zero for both. Few cells carry their number.
import * as Plot from '@observablehq/plot'
import type { Section } from '@weft/contracts'
import { counted, formatNumber, shorten } from './format-value.ts'
import { escapeHtml } from './escape-html.ts'
import { drawPlot, emptyPlot, figure, labelMargin, PLOT_WIDTH } from './plot-frame.ts'

type HeatMapSection = Extract<Section, { kind: 'heatMap' }>

const MAX_SIDE = 128 // cells a side: 16,384 rectangles are some 2 MB of SVG
const MAX_LABEL = 24

export const heatMapPlot = (section: HeatMapSection): string => {
  const rows = section.rows.slice(0, MAX_SIDE)
  const columns = section.columns.slice(0, MAX_SIDE)
  // Indices stand for the names, so that two rows may share one.
  const cells = rows.flatMap((_, row) => columns.map((_, column) => ({ row, column, value: section.values[row]![column]! })))
  const drawable = cells.filter((cell) => Number.isFinite(cell.value))
  if (drawable.length === 0) return emptyPlot
  const scale = colorScale(drawable.map((cell) => cell.value))
  const marginLeft = labelMargin(rows.map((row) => shorten(row, MAX_LABEL)))
  const cellWidth = (PLOT_WIDTH - marginLeft - 16) / columns.length
  const lean = Math.max(...columns.map((column) => [...shorten(column, MAX_LABEL)].length)) * 7 + 4 > cellWidth
  const svg = drawPlot(
    {
      marginLeft,
      marginTop: lean ? labelMargin(columns.map((column) => shorten(column, MAX_LABEL))) : 30,
      marginBottom: 10,
      height: (lean ? 150 : 40) + rows.length * rowHeight(rows.length),
      padding: cells.length > 400 ? 0 : 0.04,
      color: { type: 'identity' },
      x: {
        axis: 'top',
        label: null,
        domain: columns.map((_, index) => index),
        tickFormat: (index: number) => shorten(columns[index]!, MAX_LABEL),
        tickRotate: lean ? -60 : 0,
        tickSize: 0,
      },
      y: {
        label: null,
        domain: rows.map((_, index) => index),
        tickFormat: (index: number) => shorten(rows[index]!, MAX_LABEL),
        tickSize: 0,
      },
      marks: [
        Plot.cell(drawable, {
          x: 'column',
          y: 'row',
          fill: (cell) => scale.color(cell.value),
          title: (cell) => `${rows[cell.row]}, ${columns[cell.column]}: ${formatNumber(cell.value)}`,
        }),
        ...(cellWidth >= 46 && rows.length <= 40
          ? [
              Plot.text(drawable, {
                x: 'column',
                y: 'row',
                text: (cell) => formatNumber(Number(cell.value.toPrecision(3))),
                fill: (cell) => scale.ink(cell.value),
                pointerEvents: 'none',
              }),
            ]
          : []),
      ],
    },
    `Heat map, ${counted(rows.length, 'row')} by ${counted(columns.length, 'column')}`,
  )
  return figure({ legend: ramp(scale), svg, notes: notesOf(section, cells.length - drawable.length) })
}

const rowHeight = (count: number): number => (count <= 24 ? 28 : count <= 60 ? 16 : 9)

interface ColorScale {
  readonly low: number
  readonly high: number
  color(value: number): string
  /** Black or white, whichever reads better on the colour. */
  ink(value: number): string
}

const colorScale = (values: readonly number[]): ColorScale => {
  const lowest = values.reduce((a, b) => Math.min(a, b))
  const highest = values.reduce((a, b) => Math.max(a, b))
  const isSigned = lowest < 0 && highest > 0
  const reach = Math.max(-lowest, highest)
  const [low, high] = isSigned ? [-reach, reach] : [lowest, highest]
  const scale = Plot.scale({
    color: {
      type: 'linear',
      domain: low === high ? [low, low + 1] : [low, high],
      scheme: isSigned ? 'RdBu' : 'viridis',
      reverse: isSigned,
    },
  })!
  const color = (value: number) => scale.apply(value) as string
  return { low, high, color, ink: (value) => (luminance(color(value)) > 0.4 ? '#10151c' : '#ffffff') }
}

/** Relative luminance of sRGB (WCAG 2), 0 to 1, of `rgb(r, g, b)` or `#rrggbb`. */
const luminance = (color: string): number => {
  const channels = color.startsWith('#')
    ? [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))
    : (color.match(/[\d.]+/g) ?? []).map(Number)
  const [red = 0, green = 0, blue = 0] = channels.map((channel) =>
    channel / 255 <= 0.04045 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4,
  )
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

const ramp = ({ low, high, color }: ColorScale): string => {
  const stops = Array.from({ length: 9 }, (_, i) => color(low + ((high - low) * i) / 8)).join(', ')
  return `<div class="ramp"><span>${escapeHtml(formatNumber(low))}</span><i style="background: linear-gradient(90deg, ${stops})"></i><span>${escapeHtml(formatNumber(high))}</span></div>`
}

const notesOf = (section: HeatMapSection, gaps: number): string[] => [
  ...(gaps > 0 ? [`${counted(gaps, 'cell')} without a finite value left blank.`] : []),
  ...(section.rows.length > MAX_SIDE || section.columns.length > MAX_SIDE
    ? [`The first ${MAX_SIDE} rows and columns of ${section.rows.length} by ${section.columns.length} are shown.`]
    : []),
]
