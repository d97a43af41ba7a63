// A table for a terminal: columns padded, numbers flush right.
type Cell = string | number

export const textTable = (columns: readonly string[], rows: readonly (readonly Cell[])[]): string => {
  const lines = [columns, ...rows].map((row) => row.map(String))
  const widths = columns.map((_, c) => Math.max(...lines.map((row) => [...(row[c] ?? '')].length)))
  const isNumber = columns.map((_, c) => rows.length > 0 && rows.every((row) => typeof row[c] === 'number'))
  const line = (row: readonly string[]): string => row.map((cell, c) => (isNumber[c] ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!))).join('  ').trimEnd()
  return `${lines.map(line).join('\n')}\n`
}
