// A report as data. Rooms describe what they found; @weft/report draws it.
import type { Json } from './json.ts'

export interface Report {
  readonly title: string
  readonly sections: readonly Section[]
}

export interface SeriesPoint {
  readonly x: number | string
  readonly y: number
  /** Interval around y, drawn as a band or a whisker. */
  readonly low?: number
  readonly high?: number
}

export interface Series {
  readonly name: string
  readonly points: readonly SeriesPoint[]
}

export type Section = { readonly title?: string } & (
  | { readonly kind: 'text'; readonly markdown: string }
  | { readonly kind: 'table'; readonly columns: readonly string[]; readonly rows: readonly (readonly Json[])[] }
  | { readonly kind: 'line' | 'bar'; readonly xLabel: string; readonly yLabel: string; readonly series: readonly Series[] }
  /** counts[i] falls into [edges[i], edges[i + 1]); edges has one element more. */
  | { readonly kind: 'histogram'; readonly xLabel: string; readonly edges: readonly number[]; readonly counts: readonly number[] }
  | {
      readonly kind: 'heatMap'
      readonly rows: readonly string[]
      readonly columns: readonly string[]
      readonly values: readonly (readonly number[])[]
    }
  | {
      readonly kind: 'samples'
      readonly items: readonly { readonly title?: string; readonly text: string; readonly tags?: readonly string[] }[]
    }
)
