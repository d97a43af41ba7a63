// A report as one HTML file that needs nothing else: inline style, plots as SVG, no script, nothing fetched.
import type { Report, Section } from '@weft/contracts'
import { barPlot } from './bar-plot.ts'
import { checkReport } from './check-report.ts'
import { escapeHtml } from './escape-html.ts'
import { formatCell, isNumericColumn } from './format-value.ts'
import { heatMapPlot } from './heat-map-plot.ts'
import { histogramPlot } from './histogram-plot.ts'
import { linePlot } from './line-plot.ts'
import { markdownToHtml } from './markdown-html.ts'
import { pageStyle } from './page-style.ts'
import { dataTable } from './plot-data.ts'

export interface HtmlOptions {
  /** The page's title; default: the report's. */
  readonly title?: string
}

const MAX_ROWS = 1000 // a longer table belongs into a file; the page says what it left out
const CONTENTS_FROM = 4 // titled sections, from which a table of contents helps
/** No script, no network, whatever a section holds: browsers enforce it even if the escaping failed. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'"

/**
 * The report as a self-contained HTML page: light or dark as the reader's system is set, readable on a phone. Everything that
 * the report carries is escaped; raw HTML in markdown shows as text. Values that are not finite are left out and counted.
 *
 * @throws ConfigError for a section whose shape is not that of its kind.
 */
export const toHtml = (report: Report, options: HtmlOptions = {}): string => {
  checkReport(report)
  const title = escapeHtml(options.title ?? report.title)
  const sections = report.sections.map((section, index) => {
    const heading = section.title === undefined ? '' : `<h2>${escapeHtml(section.title)}</h2>`
    return `<section id="section-${index + 1}">${heading}${sectionHtml(section)}</section>`
  })
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${title}</title>
<style>${pageStyle}</style>
</head>
<body>
<div class="page">
<header><h1>${title}</h1>${contents(report.sections)}</header>
<main>
${sections.join('\n')}
</main>
</div>
</body>
</html>
`
}

const contents = (sections: readonly Section[]): string => {
  const links = sections.flatMap((section, index) =>
    section.title === undefined ? [] : [`<li><a href="#section-${index + 1}">${escapeHtml(section.title)}</a></li>`],
  )
  return links.length < CONTENTS_FROM ? '' : `<nav aria-label="Contents"><ul>${links.join('')}</ul></nav>`
}

const sectionHtml = (section: Section): string => {
  switch (section.kind) {
    case 'text':
      return markdownToHtml(section.markdown)
    case 'table':
      return tableHtml(section)
    case 'line':
      return linePlot(section) + valuesHtml(section)
    case 'bar':
      return barPlot(section) + valuesHtml(section)
    case 'histogram':
      return histogramPlot(section)
    case 'heatMap':
      return heatMapPlot(section)
    case 'samples':
      return samplesHtml(section)
  }
}

type TableSection = Extract<Section, { kind: 'table' }>
type SamplesSection = Extract<Section, { kind: 'samples' }>

const tableHtml = ({ columns, rows }: Pick<TableSection, 'columns' | 'rows'>): string => {
  if (rows.length === 0) return '<p class="empty">No rows.</p>'
  const attribute = columns.map((_, column) => (isNumericColumn(rows, column) ? ' class="number"' : ''))
  const head = columns.map((name, column) => `<th scope="col"${attribute[column]}>${escapeHtml(name)}</th>`).join('')
  const body = rows
    .slice(0, MAX_ROWS)
    .map((row) => `<tr>${row.map((cell, column) => `<td${attribute[column]}>${escapeHtml(formatCell(cell))}</td>`).join('')}</tr>`)
  const note = rows.length > MAX_ROWS ? `<p class="note">The first ${MAX_ROWS} of ${rows.length} rows are shown.</p>` : ''
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>${note}`
}

/** The numbers behind a plot of few points: for those who cannot see it, or want to copy them. */
const valuesHtml = (section: Extract<Section, { kind: 'line' | 'bar' }>): string => {
  const table = dataTable(section)
  return table === undefined || table.rows.length === 0 ? '' : `<details><summary>Values</summary>${tableHtml(table)}</details>`
}

const samplesHtml = ({ items }: SamplesSection): string => {
  if (items.length === 0) return '<p class="empty">No samples.</p>'
  return items
    .map((item) => {
      const tags = (item.tags ?? []).map((tag) => `<span class="tag">${escapeHtml(tag)}</span>`).join('')
      const title = item.title === undefined ? '' : `<b>${escapeHtml(item.title)}</b>`
      const header = title === '' && tags === '' ? '' : `<header>${title}${tags}</header>`
      return `<article class="sample">${header}<div dir="auto">${escapeHtml(item.text)}</div></article>`
    })
    .join('')
}
