// Pre-tokenizers that look at one character at a time: white space, punctuation, digits, one delimiter, words, scripts.
import { codePointAt, codePointSet, type CodePointSet } from '../text/code-point-set.ts'
import { engineIsNewer, newerThanReference, punctuation } from '../text/unicode-differences.ts'
import type { Cutter } from './piece-step.ts'
import { pushPiece } from './pieces.ts'
import { emitStretches, type SplitBehavior } from './stretches.ts'

const known = (source: string): RegExp => new RegExp(engineIsNewer ? `[[${source}]--[${newerThanReference}]]` : `[${source}]`, 'v')

const space = codePointSet(/\p{White_Space}/u)
const punctuationMark = codePointSet(punctuation)
const numeric = codePointSet(/\p{N}/u) // the one table of the reference that is as new as the engine's
const word = codePointSet(known('\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}'))

/** Cuts at every character of a set. */
const cutAt =
  (set: CodePointSet, behavior: SplitBehavior): Cutter =>
  (text, from, to, output) => {
    const cuts = [0]
    const matched: boolean[] = []
    let last = from
    for (let at = from; at < to; ) {
      const codePoint = codePointAt(text, at)
      const next = at + (codePoint > 0xffff ? 2 : 1)
      if (set.has(codePoint)) {
        if (last < at) {
          cuts.push(at - from)
          matched.push(false)
        }
        cuts.push(next - from)
        matched.push(true)
        last = next
      }
      at = next
    }
    if (last < to) {
      cuts.push(to - from)
      matched.push(false)
    }
    emitStretches({ cuts, matched }, behavior, from, output)
  }

export const cutPunctuation = (behavior: SplitBehavior): Cutter => cutAt(punctuationMark, behavior)

export const cutDigits = (individual: boolean): Cutter => cutAt(numeric, individual ? 'Isolated' : 'Contiguous')

export const cutAtCharacter = (delimiter: string): Cutter => {
  const wanted = delimiter.codePointAt(0)!
  return cutAt({ has: (codePoint) => codePoint === wanted }, 'Removed')
}

/** What lies between white space. */
export const cutWhitespace: Cutter = (text, from, to, output) => {
  let start = from
  for (let at = from; at < to; at++) {
    const unit = text.charCodeAt(at)
    if (unit > 0x20 && unit < 0x85) continue
    if (!space.has(unit)) continue
    pushPiece(output, start, at)
    start = at + 1
  }
  pushPiece(output, start, to)
}

/** White space goes, every punctuation mark stands alone. */
export const cutBert: Cutter = (text, from, to, output) => {
  let start = from
  for (let at = from; at < to; ) {
    const codePoint = codePointAt(text, at)
    const next = at + (codePoint > 0xffff ? 2 : 1)
    const isMark = punctuationMark.has(codePoint)
    if (isMark || space.has(codePoint)) {
      pushPiece(output, start, at)
      if (isMark) pushPiece(output, at, next)
      start = next
    }
    at = next
  }
  pushPiece(output, start, to)
}

/** `\w+|[^\w\s]+`: runs of word characters and of what is neither word nor space. */
export const cutWords: Cutter = (text, from, to, output) => {
  let start = from
  let before = 0 // 0 space, 1 word, 2 other
  for (let at = from; at < to; ) {
    const codePoint = codePointAt(text, at)
    const kind = word.has(codePoint) ? 1 : space.has(codePoint) ? 0 : 2
    if (kind !== before) {
      if (before !== 0) pushPiece(output, start, at)
      start = at
      before = kind
    }
    at += codePoint > 0xffff ? 2 : 1
  }
  if (before !== 0) pushPiece(output, start, to)
}
