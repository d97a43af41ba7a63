// What a character is to a pre-tokenizer: one byte of flags per code point, page by page as they are met, asked of the engine's own
// Unicode tables less what is newer than those of the references (an older engine knows fewer characters). `\s` is Unicode's
// White_Space here, as in the reference implementations: it has U+0085 and lacks U+FEFF, unlike JavaScript's own `\s`.
import { engineIsNewer, newerThanReference } from './unicode-differences.ts'

/** \p{L} */
export const LETTER = 1
/** \p{N} */
export const NUMBER = 2
/** \p{White_Space} */
export const SPACE = 4
/** None of the three above. */
export const OTHER = 8
/** [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}] */
export const UPPER = 16
/** [\p{Ll}\p{Lm}\p{Lo}\p{M}] */
export const LOWER = 32

const letter = /\p{L}/u
const number = /\p{N}/u
const space = /\p{White_Space}/u
const upper = /[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]/u
const lower = /[\p{Ll}\p{Lm}\p{Lo}\p{M}]/u

const newer = engineIsNewer ? new RegExp(`[${newerThanReference}]`, 'v') : undefined

const classify = (codePoint: number): number => {
  const text = String.fromCodePoint(codePoint)
  if (codePoint > 0x7f && newer?.test(text) === true) return OTHER
  if (codePoint === 0x295) return LETTER | LOWER // so it was until Unicode 16
  const kind = letter.test(text) ? LETTER : number.test(text) ? NUMBER : space.test(text) ? SPACE : OTHER
  return kind | (upper.test(text) ? UPPER : 0) | (lower.test(text) ? LOWER : 0)
}

const ascii = Uint8Array.from({ length: 128 }, (_, codePoint) => classify(codePoint))
const pages: (Uint8Array | undefined)[] = new Array<Uint8Array | undefined>(0x1100).fill(undefined)

const fillPage = (page: number): Uint8Array => {
  const classes = Uint8Array.from({ length: 256 }, (_, low) => classify(page * 256 + low))
  pages[page] = classes
  return classes
}

const wideClassAt = (bytes: Uint8Array, at: number, lead: number): number => {
  const codePoint =
    lead < 0xe0
      ? ((lead & 0x1f) << 6) | (bytes[at + 1]! & 0x3f)
      : lead < 0xf0
        ? ((lead & 0x0f) << 12) | ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f)
        : ((lead & 0x07) << 18) | ((bytes[at + 1]! & 0x3f) << 12) | ((bytes[at + 2]! & 0x3f) << 6) | (bytes[at + 3]! & 0x3f)
  return (pages[codePoint >> 8] ?? fillPage(codePoint >> 8))[codePoint & 255]!
}

/** The flags of the character that begins at byte `at` of well-formed UTF-8. */
export const classAt = (bytes: Uint8Array, at: number): number => {
  const lead = bytes[at]!
  return lead < 0x80 ? ascii[lead]! : wideClassAt(bytes, at, lead)
}

/** How many bytes the character at `at` has, 1 to 4. */
export const widthAt = (bytes: Uint8Array, at: number): number => {
  const lead = bytes[at]!
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
}

/** The end of the run of characters from `at` on that have any flag of `mask`. */
export const skipRun = (bytes: Uint8Array, at: number, end: number, mask: number): number => {
  while (at < end && (classAt(bytes, at) & mask) !== 0) at += widthAt(bytes, at)
  return at
}

/** Where the character before `at` begins. */
export const stepBack = (bytes: Uint8Array, at: number): number => {
  do at--
  while ((bytes[at]! & 0xc0) === 0x80)
  return at
}
