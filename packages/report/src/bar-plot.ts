// Grouped bars with whiskers. They stand where the names fit below them, and lie on their side where they do not.
import * as Plot from '@observablehq/plot'
import type { Section } from '@weft/contracts'
import { counted, formatNumber, shorten } from './format-value.ts'
import { seriesColor } from './palette.ts'
import { CHARACTER_WIDTH, drawPlot, emptyPlot, figure, labelMargin, PLOT_WIDTH, seriesLegend } from './plot-frame.ts'
import { categoriesOf, drawnPoints, isDrawable, type DrawnPoint } from './series-points.ts'

type BarSection = Extract<Section, { kind: 'line' | 'bar' }>

const MAX_CATEGORIES = 80 // as many as a reader can take in, some four screens

interface Layout {
  readonly points: readonly DrawnPoint[]
  readonly categories: readonly string[]
  readonly keys: readonly string[]
  readonly name: (key: string) => string
  readonly section: BarSection
}

export const barPlot = (section: BarSection): string => {
  const all = section.series.flatMap(drawnPoints)
  const drawable = all.filter(isDrawable)
  if (drawable.length === 0) return emptyPlot
  const everyCategory = categoriesOf(drawable)
  const categories = everyCategory.slice(0, MAX_CATEGORIES)
  const shown = new Set(categories)
  const layout: Layout = {
    points: drawable.map((point) => ({ ...point, x: String(point.x) })).filter((point) => shown.has(point.x)),
    categories,
    keys: section.series.map((_, index) => String(index)),
    name: (key) => section.series[Number(key)]!.name,
    section,
  }
  const widestLabel = Math.max(...categories.map((category) => [...category].length)) * CHARACTER_WIDTH
  const svg = widestLabel + 8 > (PLOT_WIDTH - 80) / categories.length ? lyingBars(layout) : standingBars(layout)
  const notes = [
    ...(drawable.length < all.length ? [`${counted(all.length - drawable.length, 'bar')} without a finite value left out.`] : []),
    ...(shown.size < everyCategory.length ? [`The first ${shown.size} of ${everyCategory.length} groups are shown.`] : []),
  ]
  return figure({
    legend: seriesLegend(
      section.series.map((series) => series.name),
      'block',
    ),
    svg,
    notes,
  })
}

const describe = ({ section }: Layout): string =>
  `Bars of ${section.yLabel} by ${section.xLabel}: ${section.series.map((series) => series.name).join(', ')}`

const titleOf =
  (layout: Layout) =>
  (point: DrawnPoint): string => {
    const interval = point.low <= point.high ? ` (${formatNumber(point.low)} to ${formatNumber(point.high)})` : ''
    return `${layout.keys.length > 1 ? `${layout.name(point.key)}, ` : ''}${point.x}: ${formatNumber(point.y)}${interval}`
  }

const withInterval = (points: readonly DrawnPoint[]): DrawnPoint[] => points.filter((point) => point.low <= point.high)
const fill = (point: DrawnPoint): string => seriesColor(Number(point.key))
const colorAsGiven = { type: 'identity' } as const
/** Groups touch, so that the grid runs through; the space between them is inside. */
const barSpacing = { paddingInner: 0.08, paddingOuter: 0.4 } as const
const whisker = { stroke: 'currentColor', strokeWidth: 1.5, marker: 'tick' } as const

const standingBars = (layout: Layout): string => {
  const { points, categories, keys, section } = layout
  return drawPlot(
    {
      height: 310,
      marginLeft: 58,
      color: colorAsGiven,
      fx: { domain: [...categories], label: section.xLabel, padding: 0 },
      x: { domain: [...keys], axis: null, ...barSpacing },
      y: { label: section.yLabel, grid: true, nice: true, ticks: 6, tickFormat: formatNumber },
      marks: [
        Plot.barY(points, { fx: 'x', x: 'key', y: 'y', fill, rx: 2, title: titleOf(layout) }),
        Plot.ruleX(withInterval(points), { fx: 'x', x: 'key', y1: 'low', y2: 'high', ...whisker }),
        Plot.ruleY([0], { strokeOpacity: 0.5 }),
      ],
    },
    describe(layout),
  )
}

const lyingBars = (layout: Layout): string => {
  const { points, categories, keys, section } = layout
  const short = (category: string) => shorten(category, 32)
  return drawPlot(
    {
      height: 54 + categories.length * (10 + 16 * keys.length),
      marginLeft: labelMargin(categories.map(short)),
      marginTop: 8,
      color: colorAsGiven,
      fy: { domain: [...categories], label: null, padding: 0, axis: 'left', tickFormat: short },
      y: { domain: [...keys], axis: null, ...barSpacing },
      x: { label: section.yLabel, grid: true, nice: true, ticks: 6, tickFormat: formatNumber },
      marks: [
        Plot.barX(points, { fy: 'x', y: 'key', x: 'y', fill, rx: 2, title: titleOf(layout) }),
        Plot.ruleY(withInterval(points), { fy: 'x', y: 'key', x1: 'low', x2: 'high', ...whisker }),
        Plot.ruleX([0], { strokeOpacity: 0.5 }),
      ],
    },
    describe(layout),
  )
}
