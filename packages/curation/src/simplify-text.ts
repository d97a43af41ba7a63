// The form in which texts are compared for near-duplicates, as datatrove's `simplify_text` with its defaults: lower case, each
// number a zero, marks and white space one space, accents gone. Plain text takes one pass over a table, the rest regular expressions.
import { isHighSurrogate, isLowSurrogate, isSpace, strip } from './python-text.ts'
import { isSimplifiedMark } from './punctuation.ts'

const copy = 0
const gap = 1 // a mark or white space
const digit = 2
const complex = 3 // an accent, a letter that has one, half of a pair: left to the slow path

const numberSeparators = new Set([...'.,،٫⎖⎗⎘'].map((character) => character.charCodeAt(0)))

const buildClasses = (): Uint8Array => {
  const classes = new Uint8Array(0x10000)
  for (let unit = 0; unit < 0x10000; unit++) classes[unit] = classOf(unit)
  return classes
}

const classOf = (unit: number): number => {
  if (isHighSurrogate(unit) || isLowSurrogate(unit)) return complex
  const character = String.fromCharCode(unit)
  if (/\p{Nd}/u.test(character)) return digit // before marks: the full-width one is both
  if (isSimplifiedMark(unit) || isSpace(unit)) return gap
  return /\p{Mn}/u.test(character) || character.normalize('NFD') !== character ? complex : copy
}

let classes: Uint8Array | undefined

/** Lower case, numbers → 0, marks and white space → one space, no accents, no space at the ends. */
export const simplifyText = (text: string): string => {
  const lower = text.toLowerCase()
  return simplifyPlain(lower) ?? simplifyAny(lower)
}

const simplifyPlain = (text: string): string | undefined => {
  classes ??= buildClasses()
  const units = new Uint16Array(text.length)
  let length = 0
  let hasGap = false
  for (let i = 0; i < text.length; i++) {
    let unit = text.charCodeAt(i)
    const kind = classes[unit]!
    if (kind === complex) return undefined
    if (kind === gap) {
      hasGap = true
      continue
    }
    if (kind === digit) {
      i = endOfNumber(text, i, classes) - 1
      unit = 0x30
    }
    if (hasGap && length > 0) units[length++] = 0x20
    hasGap = false
    units[length++] = unit
  }
  return fromUnits(units.subarray(0, length))
}

/** Digits, and once a separator with digits after it. */
const endOfNumber = (text: string, start: number, table: Uint8Array): number => {
  const skipDigits = (from: number): number => {
    let end = from
    while (end < text.length && table[text.charCodeAt(end)] === digit) end++
    return end
  }
  const end = skipDigits(start)
  if (!numberSeparators.has(text.charCodeAt(end))) return end
  const decimals = skipDigits(end + 1)
  return decimals > end + 1 ? decimals : end
}

const fromUnits = (units: Uint16Array): string => {
  const parts: string[] = []
  for (let i = 0; i < units.length; i += 8192) parts.push(String.fromCharCode(...units.subarray(i, i + 8192)))
  return parts.join('')
}

const number = /\p{Nd}+(?:[.,،٫⎖⎗⎘]\p{Nd}+)?/gu

const buildGaps = (): RegExp => {
  const units = Array.from({ length: 0x10000 }, (_, unit) => unit).filter((unit) => isSimplifiedMark(unit) || isSpace(unit))
  return new RegExp(`[${units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}]+`, 'gu')
}

let gaps: RegExp | undefined

const simplifyAny = (text: string): string => {
  gaps ??= buildGaps()
  return strip(text.replace(number, '0').replace(gaps, ' ').normalize('NFD').replace(/\p{Mn}+/gu, ''))
}
