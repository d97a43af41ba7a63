// Strip: white space off the ends. StripAccents: combining marks out of a decomposed text. Nmt: the cleaning of a translation system.
import { filtered, mapped, sliced, type Normalizer, type TrackedText } from '../text/tracked-text.ts'
import { combiningMark } from '../text/unicode-differences.ts'

const leading = /^\p{White_Space}+/u
const isSpace = /\p{White_Space}/u

export const strip =
  (left: boolean, right: boolean): Normalizer =>
  (input) => {
    const from = left ? (leading.exec(input.text)?.[0].length ?? 0) : 0
    let to = input.text.length
    if (right) while (to > from && isSpace.test(input.text[to - 1]!)) to--
    if (from === 0 && to === input.text.length) return input
    return { ...sliced(input, from, to), start: input.start }
  }

export const stripAccents: Normalizer = (input) => (combiningMark.test(input.text) ? keepOnly(input, (character) => !combiningMark.test(character)) : input)

/** As `filtered`; a plain text is not taken apart. */
export const keepOnly = (input: TrackedText, isKept: (character: string) => boolean): TrackedText => {
  if (input.origins !== undefined) return filtered(input, isKept)
  let text = ''
  for (const character of input.text) if (isKept(character)) text += character
  return { text, start: input.start }
}

const nmtRemoved = /[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]/g
const nmtSpaces = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g

export const nmt: Normalizer = (input) => {
  if (input.origins === undefined) return { text: input.text.replace(nmtRemoved, '').replace(nmtSpaces, ' '), start: input.start }
  const kept = filtered(input, (character) => character.search(nmtRemoved) < 0)
  return mapped(kept, (character) => character.replace(nmtSpaces, ' '))
}
