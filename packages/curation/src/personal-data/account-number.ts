// Numbers with a check: payment cards (Luhn, ISO/IEC 7812), bank accounts (IBAN, ISO 13616, with each country's length), and US social
// security numbers, which have none but a fixed shape and forbidden parts. All patterns are of bounded length.
import type { Span } from '../step.ts'

const cardCandidate = /(?<![\w.+])[1-9](?:[ -]?\d){11,18}(?![\w]|\.\d)/g
const ssnCandidate = /(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])/g
const ibanCandidate = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,32}/gi

const spansOf = (text: string, pattern: RegExp): { span: Span; value: string }[] =>
  [...text.matchAll(pattern)].map((match) => ({ span: [match.index, match.index + match[0].length], value: match[0] }))

/** The check digit of a card number, other characters ignored. */
const passesLuhn = (number: string): boolean => {
  let sum = 0
  let isSecond = false
  for (let i = number.length - 1; i >= 0; i--) {
    const digit = number.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) continue
    const doubled = isSecond ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
    isSecond = !isSecond
  }
  return sum % 10 === 0
}

export const findCreditCards = (text: string): Span[] =>
  spansOf(text, cardCandidate)
    .filter(({ value }) => passesLuhn(value) && !/^(\d)(?:[ -]?\1)+$/.test(value))
    .map(({ span }) => span)

export const findUsSocialSecurityNumbers = (text: string): Span[] => spansOf(text, ssnCandidate).map(({ span }) => span)

/** Characters of an IBAN by country (SWIFT's registry). */
const ibanLengths = new Map(
  (
    'NO15 BE16 DK18 FI18 FO18 GL18 NL18 SD18 MK19 SI19 AT20 BA20 EE20 KZ20 LT20 LU20 XK20 CH21 HR21 LI21 LV21 BG22 BH22 CR22 DE22 GB22 GE22 IE22 ' +
    'ME22 RS22 VA22 AE23 GI23 IL23 IQ23 OM23 SO23 TL23 AD24 CZ24 ES24 MD24 PK24 RO24 SA24 SE24 SK24 TN24 VG24 LY25 PT25 ST25 IS26 TR26 FR27 ' +
    'GR27 IT27 MC27 MR27 SM27 AL28 AZ28 BY28 CY28 DO28 GT28 HU28 LB28 NI28 PL28 SV28 BR29 EG29 PS29 QA29 UA29 BI27 DJ27 JO30 KW30 MU30 MN20 ' +
    'YE30 MT31 SC31 LC32 RU33 FK18'
  )
    .split(' ')
    .map((entry): [string, number] => [entry.slice(0, 2), Number(entry.slice(2))]),
)

/** ISO 7064 MOD 97-10 of an IBAN without spaces. */
const passesIbanCheck = (iban: string): boolean => {
  let remainder = 0
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(character, 36)
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97
  }
  return remainder === 1
}

export const findIbans = (text: string): Span[] =>
  spansOf(text, ibanCandidate).flatMap(({ span: [start], value }) => {
    const length = ibanLengths.get(value.slice(0, 2).toUpperCase())
    const end = length === undefined ? undefined : endAfter(value, length)
    if (end === undefined || /[A-Za-z0-9]/.test(text.charAt(start + end))) return []
    return passesIbanCheck(value.slice(0, end).replaceAll(' ', '')) ? [[start, start + end] as const] : []
  })

/** Where the first `count` characters other than spaces end; undefined if there are fewer. */
const endAfter = (value: string, count: number): number | undefined => {
  let seen = 0
  for (let i = 0; i < value.length; i++) {
    if (value[i] !== ' ' && ++seen === count) return i + 1
  }
  return undefined
}
