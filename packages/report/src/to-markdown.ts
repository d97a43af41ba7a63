// A report as GitHub-flavoured Markdown: tables, plots as tables where they are small and as sparklines where they are not.
import type { Json, Report, Section, Series } from '@weft/contracts'
import { checkReport } from './check-report.ts'
import { formatCell, formatNumber, isNumericColumn } from './format-value.ts'
import { dataTable } from './plot-data.ts'
import { barOf, sparkline } from './sparkline.ts'

const MAX_ROWS = 1000

/**
 * The report as Markdown. Text sections pass as they are written; every other value is escaped, so that model output cannot
 * become markup.
 *
 * @throws ConfigError for a section whose shape is not that of its kind.
 */
export const toMarkdown = (report: Report): string => {
  checkReport(report)
  const parts = [`# ${escapeMarkdown(report.title)}`]
  for (const section of report.sections) {
    if (section.title !== undefined) parts.push(`## ${escapeMarkdown(section.title)}`)
    parts.push(sectionMarkdown(section))
  }
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

const sectionMarkdown = (section: Section): string => {
  switch (section.kind) {
    case 'text':
      return section.markdown.trim()
    case 'table':
      return tableMarkdown(section.columns, section.rows)
    case 'line':
    case 'bar':
      return seriesMarkdown(section)
    case 'histogram':
      return histogramMarkdown(section)
    case 'heatMap':
      return tableMarkdown(
        ['', ...section.columns],
        section.rows.map((row, index) => [row, ...section.values[index]!.map(orNull)]),
      )
    case 'samples':
      return samplesMarkdown(section)
  }
}

/** Everything that Markdown or HTML would read as markup, on one line. */
const escapeMarkdown = (text: string): string =>
  text
    .replace(/[\\`*[\]<>|~&#]/g, (character) =>
      character === '&' ? '&amp;' : character === '<' ? '&lt;' : character === '>' ? '&gt;' : `\\${character}`,
    )
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\_')
    .replace(/\r\n|[\r\n]/g, ' ')

const tableMarkdown = (columns: readonly string[], rows: readonly (readonly Json[])[]): string => {
  if (rows.length === 0) return '_No rows._'
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = columns.map((_, column) => (isNumericColumn(rows, column) ? '---:' : '---'))
  const body = rows.slice(0, MAX_ROWS).map((row) => line(row.map((cell) => escapeMarkdown(formatCell(cell)))))
  const note = rows.length > MAX_ROWS ? `\n\nThe first ${MAX_ROWS} of ${rows.length} rows are shown.` : ''
  return [line(columns.map(escapeMarkdown)), line(rule), ...body].join('\n') + note
}

const orNull = (value: number): Json => (Number.isFinite(value) ? value : null)

const seriesMarkdown = (section: Extract<Section, { kind: 'line' | 'bar' }>): string => {
  if (section.series.every((series) => series.points.length === 0)) return '_No data._'
  const axes = `${escapeMarkdown(section.yLabel)} by ${escapeMarkdown(section.xLabel)}`
  const table = dataTable(section)
  const isSmall = table !== undefined && (section.kind === 'bar' || table.rows.length <= 12)
  return `${axes}:\n\n${isSmall ? tableMarkdown(table.columns, table.rows) : sparklineTable(section.series)}`
}

const sparklineTable = (series: readonly Series[]): string =>
  tableMarkdown(
    ['series', 'course', 'points', 'first', 'last', 'lowest', 'highest'],
    series.map(({ name, points }) => {
      const values = points.map((point) => point.y)
      const known = values.filter(Number.isFinite)
      const extreme = (pick: (a: number, b: number) => number) => (known.length === 0 ? null : known.reduce(pick))
      return [
        name,
        sparkline(values),
        values.length,
        known[0] ?? null,
        known.at(-1) ?? null,
        extreme((a, b) => Math.min(a, b)),
        extreme((a, b) => Math.max(a, b)),
      ]
    }),
  )

const histogramMarkdown = ({ xLabel, edges, counts }: Extract<Section, { kind: 'histogram' }>): string => {
  const largest = counts.filter(Number.isFinite).reduce((a, b) => Math.max(a, b), 0)
  const rows = counts.map((count, index): Json[] => [
    `${formatNumber(edges[index]!)} to ${formatNumber(edges[index + 1]!)}`,
    orNull(count),
    barOf(count, largest, 20),
  ])
  return tableMarkdown([xLabel, 'count', ''], rows)
}

const samplesMarkdown = ({ items }: Extract<Section, { kind: 'samples' }>): string => {
  if (items.length === 0) return '_No samples._'
  return items
    .map((item) => {
      const tags = (item.tags ?? []).map((tag) => ` \`${tag.replace(/[`\r\n]/g, ' ')}\``).join('')
      const head = item.title === undefined && tags === '' ? '' : `**${escapeMarkdown(item.title ?? 'Sample')}**${tags}\n\n`
      const fence = '`'.repeat(1 + Math.max(2, ...(item.text.match(/`+/g) ?? []).map((run) => run.length)))
      return `${head}${fence}text\n${item.text}\n${fence}`
    })
    .join('\n\n')
}
