// What a person sees: headings, tables, bars. Everything is also written to the run's log, without colours.
import { appendFileSync } from 'node:fs'
import { stripVTControlCharacters, styleText } from 'node:util'
import { SingleBar } from 'cli-progress'

interface Bar {
  update(done: number, note?: string): void
  end(): void
}

export interface Terminal {
  heading(number: number, title: string, about: string): void
  line(text?: string): void
  table(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): void
  /** A file that was written. */
  file(path: string): void
  /**
   * @param unit what is counted, for the rate: `documents`, `steps`, `MB`
   * @param from what an earlier run had done already
   */
  bar(label: string, total: number, unit: string, from?: number): Bar
  logTo(path: string): void
}

type Style = 'bold' | 'dim' | 'cyan' | 'yellow'

export const createTerminal = (): Terminal => {
  let log: string | undefined
  const pending: string[] = []
  const line = (text = ''): void => {
    process.stdout.write(`${text}\n`)
    const plain = `${stripVTControlCharacters(text)}\n`
    if (log === undefined) pending.push(plain)
    else appendFileSync(log, plain)
  }
  return {
    line,
    heading: (number, title, about) => {
      line()
      line(paint('bold', `${number}. ${title}`))
      line(paint('dim', `   ${about}`))
    },
    table: (columns, rows) => formatTable(columns, rows).forEach((row) => line(`   ${row}`)),
    file: (path) => line(paint('dim', `   → ${path}`)),
    bar: (label, total, unit, from = 0) => startBar({ label, total, unit, from }, line),
    logTo: (path) => {
      log = path
      appendFileSync(path, pending.splice(0).join(''))
    },
  }
}

/** Colours where the output is a terminal and nobody asked for none. */
export const paint = (style: Style, text: string): string => (process.stdout.isTTY && process.env['NO_COLOR'] === undefined ? styleText(style, text) : text)

const formatTable = (columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] => {
  const cells = [columns, ...rows].map((row) => row.map((value) => (typeof value === 'number' ? formatNumber(value) : value)))
  const isNumber = columns.map((_, c) => rows.length > 0 && rows.every((row) => typeof row[c] === 'number'))
  const widths = columns.map((_, c) => Math.max(...cells.map((row) => [...(row[c] ?? '')].length)))
  const lines = cells.map((row) => row.map((cell, c) => (isNumber[c] ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!))).join('  ').trimEnd())
  lines[0] = paint('cyan', lines[0]!)
  return lines
}

export const formatNumber = (value: number): string =>
  Number.isInteger(value) ? value.toLocaleString('en-US') : Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3)

/** Text for one line of the screen. */
export const excerpt = (text: string, length = 96): string => {
  const flat = text.replace(/\s+/g, ' ').trim()
  return [...flat].length <= length ? flat : `${[...flat].slice(0, length - 1).join('')}…`
}

/** Between two lines of progress where there is no terminal. */
const quietSeconds = 20

const duration = (seconds: number): string => (seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`)

const startBar = ({ label, total, unit, from }: { readonly label: string; readonly total: number; readonly unit: string; readonly from: number }, line: (text: string) => void): Bar => {
  const start = performance.now()
  const elapsed = (): number => (performance.now() - start) / 1000
  const bar = new SingleBar({
    format: `   ${label} {bar} {percentage}%  {rate} ${unit}/s  {left} left  {note}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    fps: 8,
  })
  // Bars are for terminals; elsewhere a line now and then says that it goes on, and the closing line how it went.
  if (process.stdout.isTTY) bar.start(Math.max(1, total), from, { rate: '…', left: '…', note: '' })
  let last = from
  let nextLine = quietSeconds
  return {
    update: (done, note = '') => {
      last = done
      const rate = (done - from) / Math.max(elapsed(), 1e-9)
      const left = duration(Math.max(0, total - done) / Math.max(rate, 1e-9))
      if (process.stdout.isTTY) bar.update(done, { rate: formatNumber(Math.round(rate * 10) / 10), left, note })
      else if (elapsed() > nextLine) {
        nextLine = elapsed() + quietSeconds
        line(`   ${label}: ${formatNumber(Math.round(done * 10) / 10)} of ${formatNumber(Math.round(total * 10) / 10)} ${unit}, ${left} left  ${note}`)
      }
    },
    end: () => {
      if (process.stdout.isTTY) bar.stop()
      const seconds = elapsed()
      line(`   ${label}: ${formatNumber(Math.round((last - from) * 10) / 10)} ${unit} in ${duration(seconds)} (${formatNumber(Math.round(((last - from) / Math.max(seconds, 1e-9)) * 10) / 10)} ${unit}/s)`)
    },
  }
}
