// Metaspace: spaces become a visible character, one is put before the text, and pieces begin with it. ByteLevel: every byte of the
// text becomes a character of the byte alphabet.
import { alphabetUnits } from '../text/byte-alphabet.ts'
import { codePointAt } from '../text/code-point-set.ts'
import { trackedWriter, type TrackedText } from '../text/tracked-text.ts'
import type { Cutter, PieceStep } from './piece-step.ts'
import { pushPiece, type PieceList } from './pieces.ts'

export type PrependScheme = 'always' | 'first' | 'never'

/** @param replacement one character. */
export const metaspace = (replacement: string, scheme: PrependScheme, isSplit: boolean): PieceStep => {
  const takesPrefix = ({ text, origins, start }: TrackedText, from: number): boolean => {
    if (scheme === 'never' || text.startsWith(replacement, from) || text[from] === ' ') return false
    return scheme === 'always' || (origins === undefined ? start + from : origins.starts[from]) === 0
  }
  return (input, pieces, output) => {
    const rewritten = rewrite(input, pieces, output, (from) => (takesPrefix(input, from) ? replacement : ''), replacement)
    if (isSplit) splitBefore(rewritten.text, replacement, output)
    return rewritten
  }
}

/** Copies every piece behind its prefix, spaces replaced, and writes the new ranges to `output`. */
const rewrite = (
  input: TrackedText,
  { spans, count }: PieceList,
  output: PieceList,
  prefixOf: (from: number) => string,
  replacement: string,
): TrackedText => {
  const { text, origins } = input
  if (origins === undefined) {
    let written = ''
    for (let piece = 0; piece < count; piece++) {
      const from = spans[piece * 2]!
      const before = written.length
      written += prefixOf(from) + text.slice(from, spans[piece * 2 + 1]!).replaceAll(' ', replacement)
      pushPiece(output, before, written.length)
    }
    return { text: written, start: input.start }
  }
  const writer = trackedWriter(input)
  let length = 0
  const write = (character: string, from: number): void => {
    writer.write(character, from)
    length += character.length
  }
  for (let piece = 0; piece < count; piece++) {
    const before = length
    const prefix = prefixOf(spans[piece * 2]!)
    if (prefix !== '') write(prefix, spans[piece * 2]!)
    for (let at = spans[piece * 2]!; at < spans[piece * 2 + 1]!; at++) write(text[at] === ' ' ? replacement : text[at]!, at)
    pushPiece(output, before, length)
  }
  return writer.finish()
}

/** Cuts every piece before each replacement in it. */
const splitBefore = (text: string, replacement: string, pieces: PieceList): void => {
  const whole = pieces.spans.slice(0, pieces.count * 2)
  pieces.count = 0
  let next = text.indexOf(replacement)
  for (let i = 0; i < whole.length; i += 2) {
    let start = whole[i]!
    const end = whole[i + 1]!
    while (next >= 0 && next <= start) next = text.indexOf(replacement, next + replacement.length)
    while (next >= 0 && next < end) {
      pushPiece(pieces, start, next)
      start = next
      next = text.indexOf(replacement, next + replacement.length)
    }
    pushPiece(pieces, start, end)
  }
}

/** Writes the bytes of every piece in the byte alphabet. */
export const toByteAlphabet: PieceStep = (input, { spans, count }, output) => {
  const writer = trackedWriter(input, input.text.length * 2)
  const { text } = input
  let length = 0
  for (let piece = 0; piece < count; piece++) {
    const before = length
    for (let at = spans[piece * 2]!; at < spans[piece * 2 + 1]!; ) {
      const codePoint = codePointAt(text, at)
      const written = alphabetUnits(codePoint)
      writer.write(written, at)
      length += written.length
      at += codePoint > 0xffff ? 2 : 1
    }
    pushPiece(output, before, length)
  }
  const { text: result, origins, start } = writer.finish()
  return input.origins === undefined ? { text: result, start } : { text: result, origins, start }
}

/** Puts a space before every piece that does not begin with one. */
export const prefixSpace: PieceStep = (input, pieces, output) => rewrite(input, pieces, output, (from) => (input.text[from] === ' ' ? '' : ' '), ' ')

/** Cuts before each visible space, as SentencePiece tells words apart. */
export const cutBeforeSpaces: Cutter = (text, from, to, output) => {
  for (let start = from; start < to; ) {
    const next = text.indexOf('\u2581', start + 1)
    const end = next < 0 || next > to ? to : next
    pushPiece(output, start, end)
    start = end
  }
}
