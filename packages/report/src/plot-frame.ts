// What all plots share: the document that Plot draws into (linkedom's, so that it works without a browser, and the same in one),
// size and type, the wrapper with a text alternative, and a legend in HTML.
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom/worker'
import { escapeHtml } from './escape-html.ts'
import { seriesColor, seriesDash } from './palette.ts'

export const PLOT_WIDTH = 620
export const CHARACTER_WIDTH = 7 // of the labels' 13 px type, on average

/** An SVG element as text. `description` is what a screen reader says. */
export const drawPlot = (options: Plot.PlotOptions, description: string): string => {
  const { document } = parseHTML('<html></html>')
  const element = Plot.plot({
    width: PLOT_WIDTH,
    marginTop: 26,
    marginRight: 16,
    marginBottom: 44,
    ...options,
    document: document as unknown as Document,
    style: { fontSize: '13px', background: 'none' },
  })
  element.setAttribute('role', 'img')
  element.setAttribute('aria-label', description)
  return element.outerHTML
}

export const figure = (parts: { readonly legend?: string; readonly svg: string; readonly notes?: readonly string[] }): string =>
  `<figure>${parts.legend ?? ''}<div class="scroll">${parts.svg}</div>${(parts.notes ?? [])
    .map((note) => `<figcaption class="note">${escapeHtml(note)}</figcaption>`)
    .join('')}</figure>`

/** One swatch per series; nothing where there is only one, since the axis names it. */
export const seriesLegend = (names: readonly string[], shape: 'line' | 'block'): string => {
  if (names.length < 2) return ''
  const swatch = (index: number) =>
    shape === 'block'
      ? `<rect width="14" height="12" x="4" rx="2" fill="${seriesColor(index)}"/>`
      : `<path d="M0 6H22" stroke="${seriesColor(index)}" stroke-width="3" stroke-dasharray="${seriesDash(index)}"/>`
  const items = names.map((name, index) => `<li><svg viewBox="0 0 22 12" aria-hidden="true">${swatch(index)}</svg>${escapeHtml(name)}</li>`)
  return `<ul class="legend">${items.join('')}</ul>`
}

export const emptyPlot = '<p class="empty">No data to show.</p>'

/** Room for the widest tick label of a y axis. */
export const labelMargin = (labels: readonly string[]): number =>
  Math.min(260, 20 + CHARACTER_WIDTH * Math.max(1, ...labels.map((label) => [...label].length)))
