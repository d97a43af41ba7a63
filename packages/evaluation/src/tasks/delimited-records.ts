// CSV and TSV with a header line, as bias data sets are published. In CSV quotes, doubled quotes and line breaks within quotes are
// read as RFC 4180 has it; in TSV a quote is a character like any other.
import { FormatError } from '@weft/contracts'

const MAX_CHARACTERS = 64 * 1024 * 1024 // the data sets read here have half a megabyte; more is another file

/**
 * One record per line after the header, by column name. Blank lines are skipped.
 *
 * @param options.columns those that the header must have.
 * @throws FormatError with the line for a missing column, a wrong number of fields or a quote that never ends.
 */
export const delimitedRecords = (
  text: string,
  options: { readonly source: string; readonly delimiter: ',' | '\t'; readonly columns: readonly string[] },
): Record<string, string>[] => {
  const { source, delimiter, columns } = options
  if (text.length > MAX_CHARACTERS) throw new FormatError(`expected at most ${MAX_CHARACTERS} characters, got ${text.length}`, { source })
  const [header, ...rows] = readRows(text.replace(/^\uFEFF/, ''), delimiter, source)
  if (header === undefined) throw new FormatError('expected a header line, the file is empty', { source })
  const missing = columns.find((column) => !header.fields.includes(column))
  if (missing !== undefined)
    throw new FormatError(`expected a column "${missing}", the header has ${header.fields.join(', ')}`, { source, line: header.line })
  return rows.map(({ fields, line }) => {
    if (fields.length !== header.fields.length)
      throw new FormatError(`expected ${header.fields.length} fields as in the header, got ${fields.length}`, { source, line })
    return Object.fromEntries(header.fields.map((name, index) => [name, fields[index]!]))
  })
}

interface Row {
  readonly fields: string[]
  readonly line: number
}

const readRows = (text: string, delimiter: string, source: string): Row[] => {
  // A field: quoted, or all up to the next delimiter or line end; then what ends it.
  const field = delimiter === ',' ? /(?:"([^"]*(?:""[^"]*)*)"|((?!")[^,\r\n]*))(,|\r\n|\n|\r|$)/y : /()??([^\t\r\n]*)(\t|\r\n|\n|\r|$)/y
  const rows: Row[] = []
  let fields: string[] = []
  let line = 1
  let startLine = 1
  while (field.lastIndex < text.length || fields.length > 0) {
    const match = field.exec(text)
    if (match === null)
      throw new FormatError('a quoted field does not end as it should: expected a closing quote before the next delimiter', {
        source,
        line: startLine,
      })
    fields.push(match[1] === undefined ? match[2]! : match[1].replaceAll('""', '"'))
    line += match[0].match(/\r\n|\n|\r/g)?.length ?? 0
    if (match[3] === delimiter) continue
    if (fields.length > 1 || fields[0] !== '') rows.push({ fields, line: startLine })
    fields = []
    startLine = line
  }
  return rows
}
