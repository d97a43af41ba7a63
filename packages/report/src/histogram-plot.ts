// A histogram from ready-made bins.
import * as Plot from '@observablehq/plot'
import type { Section } from '@weft/contracts'
import { counted, formatNumber } from './format-value.ts'
import { seriesColor } from './palette.ts'
import { drawPlot, emptyPlot, figure } from './plot-frame.ts'

type HistogramSection = Extract<Section, { kind: 'histogram' }>

export const histogramPlot = (section: HistogramSection): string => {
  const edges = closedEdges(section.edges)
  const bins = section.counts
    .map((count, index) => ({ from: edges[index]!, to: edges[index + 1]!, count, open: isOpen(section.edges, index) }))
    .filter((bin) => Number.isFinite(bin.count) && Number.isFinite(bin.from) && Number.isFinite(bin.to))
  if (bins.length === 0) return emptyPlot
  const title = (bin: (typeof bins)[number]) => `${formatNumber(bin.from)} to ${formatNumber(bin.to)}: ${counted(bin.count, 'item')}`
  const svg = drawPlot(
    {
      height: 290,
      marginLeft: 58,
      x: { label: section.xLabel },
      y: { label: 'count', grid: true, nice: true, ticks: 6, tickFormat: formatNumber },
      marks: [
        Plot.rectY(bins, { x1: 'from', x2: 'to', y: 'count', fill: seriesColor(0), insetLeft: 0.5, insetRight: 0.5, title }),
        Plot.ruleY([0], { strokeOpacity: 0.5 }),
      ],
    },
    `Histogram of ${section.xLabel}, ${counted(bins.length, 'bin')}`,
  )
  const open = bins.some((bin) => bin.open)
  return figure({ svg, notes: open ? ['The outermost bin has no bound; it is drawn as wide as its neighbour.'] : [] })
}

const isOpen = (edges: readonly number[], bin: number): boolean => !Number.isFinite(edges[bin]!) || !Number.isFinite(edges[bin + 1]!)

/** An infinite first or last edge moves to the width of the neighbouring bin. */
const closedEdges = (edges: readonly number[]): number[] => {
  const closed = [...edges]
  const last = closed.length - 1
  if (last < 1) return closed
  if (!Number.isFinite(closed[0]!)) closed[0] = closed[1]! - (last > 1 ? widthOr(1, closed[2]! - closed[1]!) : 1)
  if (!Number.isFinite(closed[last]!)) closed[last] = closed[last - 1]! + (last > 1 ? widthOr(1, closed[last - 1]! - closed[last - 2]!) : 1)
  return closed
}

const widthOr = (fallback: number, width: number): number => (Number.isFinite(width) && width > 0 ? width : fallback)
