// The numbers behind a line or bar plot, as the rows of a table: one row per x, one column per series.
import type { Json, Section } from '@weft/contracts'
import { formatNumber } from './format-value.ts'

/** More cells than this are a file, not a table that somebody reads. */
const MAX_CELLS = 160

/** Undefined where the plot has too many points for a table. */
export const dataTable = (section: Extract<Section, { kind: 'line' | 'bar' }>): { columns: string[]; rows: Json[][] } | undefined => {
  const places = [...new Set(section.series.flatMap((series) => series.points.map((point) => point.x)))]
  if (places.length * section.series.length > MAX_CELLS) return undefined
  const lookups = section.series.map((series) => new Map(series.points.map((point) => [point.x, point])))
  const rows = places.map((place): Json[] => [
    place,
    ...lookups.map((lookup): Json => {
      const point = lookup.get(place)
      if (point === undefined || !Number.isFinite(point.y)) return null
      const isInterval = Number.isFinite(point.low) && Number.isFinite(point.high)
      return isInterval ? `${formatNumber(point.y)} (${formatNumber(point.low!)} to ${formatNumber(point.high!)})` : point.y
    }),
  ])
  return { columns: [section.xLabel, ...section.series.map((series) => series.name)], rows }
}
