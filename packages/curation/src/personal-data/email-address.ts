// E-mail addresses as datatrove finds them: a dotted local part, then a domain with a dot in it or an IPv4 address in brackets. Found from
// the @ outward instead of by one regular expression, which would be quadratic on a long line of hyphens.
import type { Span } from '../step.ts'

const isLocalCharacter = (unit: number): boolean => unit < 0x80 && /[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]/.test(String.fromCharCode(unit))
const isAlphanumeric = (unit: number): boolean => (unit >= 0x30 && unit <= 0x39) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a)
const dot = 0x2e
const hyphen = 0x2d
const octet = '(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)'
const bracketedAddress = new RegExp(`\\[(?:${octet}\\.){3}${octet}\\]`, 'y')
const wordCharacter = /[\p{L}\p{N}_]/u

/** Python's \w of the code point that ends or begins here. */
const isWord = (text: string, at: number): boolean => {
  const unit = text.charCodeAt(at)
  if (unit < 0x80) return isAlphanumeric(unit) || unit === 0x5f
  const isLow = (unit & 0xfc00) === 0xdc00 && at > 0
  return wordCharacter.test(String.fromCodePoint(text.codePointAt(isLow ? at - 1 : at)!))
}

/** Whether \b holds before the character at this place. */
const isBoundary = (text: string, at: number): boolean => isWord(text, at) !== (at > 0 && isWord(text, at - 1))

export const findEmailAddresses = (text: string): Span[] => {
  const found: Span[] = []
  let free = 0 // where the last address ended
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', Math.max(at + 1, free))) {
    const start = localPartStart(text, at, free)
    const end = start === undefined ? undefined : domainEnd(text, at + 1)
    if (start === undefined || end === undefined) continue
    found.push([start, end])
    free = end
  }
  return found
}

/** The leftmost place from which a local part reaches the @; it must begin at a word boundary. */
const localPartStart = (text: string, at: number, free: number): number | undefined => {
  let start: number | undefined
  for (let i = at - 1; i >= free; i--) {
    const unit = text.charCodeAt(i)
    if (unit === dot) {
      // dots stand alone between two other characters
      if (i === at - 1 || text.charCodeAt(i + 1) === dot || i === free || !isLocalCharacter(text.charCodeAt(i - 1))) break
      continue
    }
    if (!isLocalCharacter(unit)) break
    if (isBoundary(text, i)) start = i
  }
  return start
}

const domainEnd = (text: string, from: number): number | undefined => {
  if (text.charAt(from) === '[') {
    bracketedAddress.lastIndex = from
    const bracketed = bracketedAddress.exec(text)
    return bracketed === null ? undefined : from + bracketed[0].length
  }
  let end: number | undefined
  let at = from
  for (let labels = 1; ; labels++) {
    if (at >= text.length || !isAlphanumeric(text.charCodeAt(at))) return end
    let labelEnd = at
    while (at < text.length && (isAlphanumeric(text.charCodeAt(at)) || text.charCodeAt(at) === hyphen)) {
      if (text.charCodeAt(at) !== hyphen) labelEnd = at + 1
      at++
    }
    if (labels > 1) end = labelEnd
    if (labelEnd < at || text.charCodeAt(at) !== dot) return end
    at++
  }
}
