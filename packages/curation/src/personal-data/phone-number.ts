// Telephone numbers, by shape and by the words around them. A long number with a country code or area code in brackets, or grouped as
// telephone numbers are, is taken as one; anything less needs a word such as "call" or "fax" beside it. No table of numbering plans.
import type { Span } from '../step.ts'

const candidate = /(?<![\w+.\-/])(?:\+|\(\+?)?\d(?:[ .()\-/]{0,3}\d){6,16}(?: ?(?:x|ext\.? ?)\d{1,6})?(?![\w]|[.\-/]\d)/g
const cueBefore = /(?:phone|telephone|tel|fax|mobile|cell|desk|office|call|dial|text|sms|whatsapp|hotline|answering|messages|reach|contact|registered)\b[^\n\w]{0,4}(?:\w+[ .:\\,]{1,2}){0,3}$/i
const labelledBefore = /(?:phone|tel|fax|mobile|cell|desk|office|info)[^\n\w]{0,3}\n?$/i
const cueAfter = /^[ -]{0,2}(?:office|fax|mobile|cell|phone|home|work)\b/i
const shapes = {
  /** 555-010-1234, 555.010.1234, (555) 010-1234, with or without 1 or +1 in front */
  northAmerican: /^(?:\+?0{0,2}1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[.-]\d{4}$/,
  /** 01 84 17 61 18 and the like, in pairs with a leading zero */
  pairs: /^0\d(?:[ .-]\d\d){4}$/,
  dayOrYear: /^(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2})(?!\d)/,
  socialSecurity: /^\d{3}-\d{2}-\d{4}$/,
  thousands: /^\d{1,3}(?:([ .])\d{3})(?:\1\d{3})+$/,
  years: /^[12]\d{3}[ .\-/]{1,3}[12]\d{3}$/,
}

export const findPhoneNumbers = (text: string): Span[] => {
  const found: Span[] = []
  for (const match of text.matchAll(candidate)) {
    const end = match.index + match[0].length
    if (isPhoneNumber(match[0], text.slice(Math.max(0, match.index - 40), match.index), text.slice(end, end + 12))) found.push([match.index, end])
  }
  return found
}

const isPhoneNumber = (value: string, before: string, after: string): boolean => {
  const number = value.replace(/ ?(?:x|ext).*$/, '')
  const numDigits = number.replaceAll(/\D/g, '').length
  if (shapes.northAmerican.test(number) || shapes.pairs.test(number)) return true
  if (shapes.dayOrYear.test(number) || shapes.years.test(number)) return false
  if (numDigits > 15 || (number.match(/\(/g)?.length ?? 0) !== (number.match(/\)/g)?.length ?? 0)) return false
  if (cueBefore.test(before) || labelledBefore.test(before) || cueAfter.test(after)) return true
  if (numDigits < 9 || shapes.thousands.test(number) || shapes.socialSecurity.test(number)) return false
  const groups = number.split(/[ .()\-/]+/).filter((group) => group !== '')
  const isGrouped = groups.length >= 3 && groups.every((group) => group.replace('+', '').length <= 5)
  return number.startsWith('+') || number.startsWith('00') || (isGrouped && /^(?:\(|0)/.test(number))
}
