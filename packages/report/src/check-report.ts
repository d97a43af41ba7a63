// A report may have been read back from a file: its shape is checked once, before anything is drawn.
import { ConfigError, type Report, type Section } from '@weft/contracts'

const kinds = ['text', 'table', 'line', 'bar', 'histogram', 'heatMap', 'samples']

/** @throws ConfigError that names the section and what is wrong with it. */
export const checkReport = (report: Report): void => {
  if (typeof report?.title !== 'string' || !Array.isArray(report.sections)) {
    throw new ConfigError('report: expected an object with `title` (string) and `sections` (list)')
  }
  for (const [index, section] of report.sections.entries()) {
    const problem = problemOf(section)
    if (problem !== undefined) throw new ConfigError(`report "${report.title}", ${placeOf(section, index)}: ${problem}`)
  }
}

const placeOf = (section: Section, index: number): string =>
  `section ${index + 1}${typeof section?.title === 'string' ? ` "${section.title}"` : ''}`

const problemOf = (section: Section): string | undefined => {
  switch (section?.kind) {
    case 'text':
      return typeof section.markdown === 'string' ? undefined : 'expected `markdown` to be a string'
    case 'table':
      if (!Array.isArray(section.columns) || !Array.isArray(section.rows)) return 'expected `columns` and `rows` to be lists'
      return rowProblem(section.columns.length, section.rows)
    case 'line':
    case 'bar':
      return Array.isArray(section.series) && section.series.every((series) => Array.isArray(series?.points))
        ? undefined
        : 'expected `series` to be a list of { name, points }'
    case 'histogram':
      if (!Array.isArray(section.edges) || !Array.isArray(section.counts)) return 'expected `edges` and `counts` to be lists'
      return section.counts.length === 0 || section.edges.length === section.counts.length + 1
        ? undefined
        : `expected one edge more than counts, got ${section.edges.length} edges and ${section.counts.length} counts`
    case 'heatMap':
      if (![section.rows, section.columns, section.values].every(Array.isArray))
        return 'expected `rows`, `columns` and `values` to be lists'
      if (section.values.length !== section.rows.length) {
        return `expected ${section.rows.length} rows of values, got ${section.values.length}`
      }
      return rowProblem(section.columns.length, section.values)
    case 'samples':
      return Array.isArray(section.items) && section.items.every((item) => typeof item?.text === 'string')
        ? undefined
        : 'expected `items` to be a list of { text }'
    default:
      return `expected a kind out of ${kinds.join(', ')}, got ${JSON.stringify((section as { kind?: unknown } | undefined)?.kind)}`
  }
}

const rowProblem = (width: number, rows: readonly (readonly unknown[])[]): string | undefined => {
  const wrong = rows.findIndex((row) => !Array.isArray(row) || row.length !== width)
  return wrong < 0 ? undefined : `expected ${width} values in every row, row ${wrong + 1} has ${rows[wrong]?.length ?? 'none'}`
}
