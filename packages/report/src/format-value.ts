// Values as a person reads them in a table cell or under an axis: thousands separators, four significant digits, a dash for "none".
import type { Json } from '@weft/contracts'

const NONE = '–'

/** Four significant digits; integers whole; a power of ten where the number is very small or very large. */
export const formatNumber = (value: number): string => {
  if (Number.isNaN(value)) return NONE
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞'
  const size = Math.abs(value)
  if (Number.isInteger(value) && size < 1e15) return withMinus(size.toLocaleString('en-US'), value)
  if (size >= 1e6 || size < 1e-4)
    return withMinus(
      size
        .toExponential(3)
        .replace(/\.?0+e/, 'e')
        .replace('e+', 'e'),
      value,
    )
  const decimals = Math.max(0, 3 - Math.floor(Math.log10(size)))
  return withMinus(size.toLocaleString('en-US', { minimumFractionDigits: 0, maximumFractionDigits: Math.min(decimals, 8) }), value)
}

const withMinus = (digits: string, value: number): string => (value < 0 ? `−${digits}` : digits)

/** A table cell. `null` is how JSON carries a number that is not finite, so it reads as "none". */
export const formatCell = (value: Json | undefined): string => {
  if (value === null || value === undefined) return NONE
  if (typeof value === 'number') return formatNumber(value)
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Whether a column reads as numbers, and is set flush right: it has a number and nothing but numbers and gaps. */
export const isNumericColumn = (rows: readonly (readonly Json[])[], column: number): boolean => {
  const cells = rows.map((row) => row[column]).filter((cell) => cell !== null && cell !== undefined)
  return cells.length > 0 && cells.every((cell) => typeof cell === 'number')
}

/** At most `limit` characters; what is left out is marked. Cut between characters, never inside a surrogate pair. */
export const shorten = (text: string, limit: number): string => {
  const characters = [...text]
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join('')}…`
}

/** `1 point`, `3 points`. */
export const counted = (count: number, noun: string): string => `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`
