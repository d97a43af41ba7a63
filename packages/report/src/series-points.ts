// Series made ready for drawing: values that cannot be drawn become gaps and are counted, long lines are thinned.
import type { Series } from '@weft/contracts'

export interface DrawnPoint {
  /** The series' index as a string: the key of the colour scale, so that two series may share a name. */
  readonly key: string
  readonly x: number | string
  readonly y: number
  readonly low: number
  readonly high: number
}

/** An SVG path of more points than pixels costs size and shows nothing more. */
export const MAX_LINE_POINTS = 1200

// Scales work with differences and reciprocals of values: near the ends of the range of doubles those overflow.
const largest = 1e150
const smallest = 1e-150

const finite = (value: number | null | undefined): number => {
  if (typeof value !== 'number' || !(Math.abs(value) <= largest)) return Number.NaN
  return Math.abs(value) < smallest ? 0 : value
}

export const drawnPoints = (series: Series, index: number): DrawnPoint[] =>
  series.points.map((point) => ({
    key: String(index),
    x: typeof point.x === 'string' ? point.x : finite(point.x),
    y: finite(point.y),
    low: finite(point.low),
    high: finite(point.high),
  }))

export const isDrawable = (point: DrawnPoint): boolean => !Number.isNaN(point.y) && !(typeof point.x === 'number' && Number.isNaN(point.x))

/**
 * At most about `limit` points that look the same: of each run of neighbours the lowest and the highest stay, so that no peak is
 * lost, and the first and the last point of the line.
 */
export const thin = (points: readonly DrawnPoint[], limit: number = MAX_LINE_POINTS): DrawnPoint[] => {
  if (points.length <= limit) return [...points]
  const bucketSize = Math.ceil(points.length / (limit / 2))
  const kept = new Set<number>([0, points.length - 1])
  for (let start = 0; start < points.length; start += bucketSize) {
    let lowest = start
    let highest = start
    for (let i = start; i < Math.min(start + bucketSize, points.length); i++) {
      if (!isDrawable(points[i]!)) {
        kept.add(i) // a gap stays a gap
        i = skipGap(points, i)
        continue
      }
      if (!(points[i]!.y >= points[lowest]!.y)) lowest = i
      if (!(points[i]!.y <= points[highest]!.y)) highest = i
    }
    kept.add(lowest).add(highest)
  }
  return [...kept].sort((a, b) => a - b).map((index) => points[index]!)
}

/** The last index of the run of points that cannot be drawn which begins at `start`. */
const skipGap = (points: readonly DrawnPoint[], start: number): number => {
  let end = start
  while (end + 1 < points.length && !isDrawable(points[end + 1]!)) end++
  return end
}

/** Categories in order of appearance. */
export const categoriesOf = (points: readonly DrawnPoint[]): string[] => [...new Set(points.map((point) => String(point.x)))]
