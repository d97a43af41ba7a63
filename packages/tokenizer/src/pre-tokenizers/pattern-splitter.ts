// Splitting by a pattern that has no hand-written scanner: JavaScript's regular expressions on the text, brought back to byte ranges.
// The five behaviours and `invert` are those of Hugging Face's Split; each piece is matched on its own, so that look-arounds end
// with it.
import type { PieceList, Splitter } from './pieces.ts'
import { pushPiece } from './pieces.ts'

export type SplitBehavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous'

/** @param pattern has the flag g. */
export const patternSplitter =
  (pattern: RegExp, behavior: SplitBehavior, invert: boolean): Splitter =>
  (text, bytes, input, output) => {
    const cursor = createByteCursor(text, bytes)
    for (let piece = 0; piece < input.count; piece++) {
      const start = input.spans[piece * 2]!
      const end = input.spans[piece * 2 + 1]!
      const unitStart = cursor.unitsUpTo(start)
      const part = text.slice(unitStart, cursor.unitsUpTo(end))
      cursor.rewind(start, unitStart)
      const { cuts, matched } = findCuts(part, pattern, invert)
      emit(cuts.map((cut) => cursor.bytesUpTo(unitStart + cut)), matched, behavior, output)
      cursor.rewind(end, unitStart + part.length)
    }
  }

/** Walks bytes and UTF-16 units side by side, forwards only. */
const createByteCursor = (text: string, bytes: Uint8Array) => {
  let byte = 0
  let unit = 0
  const step = (): void => {
    const lead = bytes[byte]!
    byte += lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
    unit += lead < 0xf0 ? 1 : 2
  }
  return {
    unitsUpTo: (target: number): number => {
      while (byte < target) step()
      return unit
    },
    bytesUpTo: (target: number): number => {
      while (unit < target && unit < text.length) step()
      return byte
    },
    rewind: (toByte: number, toUnit: number): void => {
      byte = toByte
      unit = toUnit
    },
  }
}

/** The text as a row of stretches [cuts[i], cuts[i + 1]); matched[i] says whether stretch i is a match (inverted: is none). */
const findCuts = (text: string, pattern: RegExp, invert: boolean): { cuts: number[]; matched: boolean[] } => {
  const cuts = [0]
  const matched: boolean[] = []
  let last = 0
  const push = (end: number, isMatch: boolean): void => {
    if (end === last) return
    cuts.push(end)
    matched.push(isMatch !== invert)
    last = end
  }
  pattern.lastIndex = 0
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    push(match.index, false)
    push(match.index + match[0].length, true)
    if (match[0] === '') pattern.lastIndex += text.codePointAt(match.index)! > 0xffff ? 2 : 1
  }
  push(text.length, false)
  return { cuts, matched }
}

const emit = (cuts: readonly number[], matched: readonly boolean[], behavior: SplitBehavior, output: PieceList): void => {
  let start = 0
  for (let i = 0; i < matched.length; i++) {
    if (behavior === 'Removed') {
      if (!matched[i]) pushPiece(output, cuts[i]!, cuts[i + 1]!)
    } else if (i + 1 === matched.length || !staysTogether(behavior, matched[i]!, matched[i + 1]!)) {
      pushPiece(output, cuts[start]!, cuts[i + 1]!)
      start = i + 1
    }
  }
}

const staysTogether = (behavior: SplitBehavior, isMatch: boolean, nextIsMatch: boolean): boolean => {
  if (behavior === 'Contiguous') return isMatch === nextIsMatch
  if (behavior === 'MergedWithPrevious') return !isMatch && nextIsMatch
  if (behavior === 'MergedWithNext') return isMatch && !nextIsMatch
  return false
}
