// What all figures share: drawing without a browser, a legend inside the image (so that it is there in files of their own, too), and
// escaping.
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom/worker'

export interface Figure {
  /** File name without its ending. */
  readonly name: string
  /** Stands above it. */
  readonly title: string
  /** What a screen reader says. */
  readonly description: string
  readonly svg: string
}

export interface LegendEntry {
  readonly label: string
  readonly color: string
  readonly dash?: string
}

const figureWidth = 760
const fontSize = 13
const characterWidth = 7.2 // of that type, on average
const rowHeight = 22

export const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[character]!)

export const textWidth = (text: string): number => [...text].length * characterWidth

/** Lower case words and digits with hyphens. */
export const fileNameOf = (text: string): string =>
  text.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 60)

const legendSvg = (entries: readonly LegendEntry[]): { svg: string; height: number } => {
  let x = 8
  let row = 0
  const items = entries.map(({ label, color, dash = '' }) => {
    const width = 34 + textWidth(label) + 14
    if (x > 8 && x + width > figureWidth) [x, row] = [8, row + 1]
    const y = 14 + row * rowHeight
    const item = `<path d="M${x} ${y}h24" stroke="${color}" stroke-width="4" stroke-dasharray="${dash}"/><text x="${x + 31}" y="${y}" dy="0.35em">${escapeXml(label)}</text>`
    x += width
    return item
  })
  return entries.length === 0 ? { svg: '', height: 0 } : { svg: items.join(''), height: (row + 1) * rowHeight + 12 }
}

/** A whole image: legend above, then `content`, which is `height` high and drawn from (0, 0). */
export const composeFigure = (figure: Omit<Figure, 'svg'>, content: string, height: number, legend: readonly LegendEntry[] = []): Figure => {
  const { svg, height: legendHeight } = legendSvg(legend)
  const whole = legendHeight + height
  return {
    ...figure,
    svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${figureWidth} ${whole}" role="img" aria-label="${escapeXml(figure.description)}" font-family="system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif" font-size="${fontSize}" fill="currentColor">${svg}<g transform="translate(0 ${legendHeight})">${content}</g></svg>`,
  }
}

/** A plot of @observablehq/plot as the content of a figure. */
export const drawPlot = (options: Plot.PlotOptions & { readonly height: number }): string => {
  const { document } = parseHTML('<html></html>')
  const element = Plot.plot({
    width: figureWidth,
    marginTop: 26,
    marginLeft: 62,
    marginRight: 24,
    marginBottom: 44,
    ...options,
    document: document as unknown as Document,
    style: { fontSize: `${fontSize}px`, background: 'none' },
  })
  return element.outerHTML.replace('<svg ', `<svg x="0" y="0" height="${options.height}" `)
}

/** As a file of its own: on white, since its text is black where no page says otherwise. */
export const svgFile = ({ svg }: Figure): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${svg.replace(/(<svg [^>]*viewBox="0 0 (\S+) (\S+)"[^>]*>)/, '$1<rect width="$2" height="$3" fill="#ffffff"/>')}\n`
