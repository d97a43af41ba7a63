// BertNormalizer: control characters out, white space to spaces, Chinese characters spaced, accents stripped, lower case.
// Reference: google-research/bert, tokenization.py, as huggingface/tokenizers (normalizers/bert.rs) runs it.
import { codePointAt, codePointSet } from '../text/code-point-set.ts'
import { mapped, transformed, type Normalizer, type TrackedText } from '../text/tracked-text.ts'
import { bertAccent, bertControl } from '../text/unicode-differences.ts'
import { lowercase } from './letter-case.ts'
import { keepOnly } from './strip.ts'
import { unicodeForm } from './unicode-form.ts'

export interface BertNormalizerOptions {
  readonly cleanText: boolean
  readonly handleChineseChars: boolean
  /** Absent: as `lowercase`. */
  readonly stripAccents?: boolean | undefined
  readonly lowercase: boolean
}

const control = codePointSet(bertControl)
const accents = codePointSet(bertAccent)
const needsCleaning = /[^\x20-\x7e\n\t\r\xa1-\xac\xae-\u02ff]|[\n\t\r]/
const whiteSpace = /\p{White_Space}/gu
const nfd = unicodeForm('NFD')

const isControl = (codePoint: number): boolean =>
  codePoint !== 9 && codePoint !== 10 && codePoint !== 13 && (codePoint === 0 || codePoint === 0xfffd || control.has(codePoint))

const cleanText: Normalizer = (input) => {
  if (!needsCleaning.test(input.text)) return input
  const kept = keepOnly(input, (character) => !isControl(character.codePointAt(0)!))
  if (kept.origins === undefined) return { text: kept.text.replace(whiteSpace, ' '), start: kept.start }
  return mapped(kept, (character) => character.replace(whiteSpace, ' '))
}

const chineseRanges: readonly (readonly [number, number])[] = [
  [0x4e00, 0x9fff],
  [0x3400, 0x4dbf],
  [0x20000, 0x2a6df],
  [0x2a700, 0x2b73f],
  [0x2b740, 0x2b81f],
  [0x2b920, 0x2ceaf], // sic: the reference begins here, not at 2b820
  [0xf900, 0xfaff],
  [0x2f800, 0x2fa1f],
]
const isChinese = (codePoint: number): boolean =>
  codePoint >= 0x3400 && chineseRanges.some(([first, last]) => codePoint >= first && codePoint <= last)
const chinese = new RegExp(`[${chineseRanges.map(([a, b]) => `\\u{${a.toString(16)}}-\\u{${b.toString(16)}}`).join('')}]`, 'gu')

const spaceChinese: Normalizer = (input) => {
  if (input.text.search(chinese) < 0) return input
  if (input.origins === undefined) return { text: input.text.replace(chinese, ' $& '), start: input.start }
  return spaceTracked(input)
}

const spaceTracked = (input: TrackedText): TrackedText => {
  const characters: string[] = []
  const changes: number[] = []
  for (const character of input.text) {
    if (isChinese(codePointAt(character, 0))) {
      characters.push(' ', character, ' ')
      changes.push(0, 1, 1)
    } else {
      characters.push(character)
      changes.push(0)
    }
  }
  return transformed(input, characters, changes)
}

const ascii = /^[\0-\x7f]*$/

const stripDecomposed: Normalizer = (input) => {
  if (ascii.test(input.text)) return input
  return keepOnly(nfd(input), (character) => !accents.has(character.codePointAt(0)!))
}

export const bertNormalizer = (options: BertNormalizerOptions): Normalizer => {
  const steps = [
    ...(options.cleanText ? [cleanText] : []),
    ...(options.handleChineseChars ? [spaceChinese] : []),
    ...((options.stripAccents ?? options.lowercase) ? [stripDecomposed] : []),
    ...(options.lowercase ? [lowercase] : []),
  ]
  return (input) => steps.reduce((text, step) => step(text), input)
}
