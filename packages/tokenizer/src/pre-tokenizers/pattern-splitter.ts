// Splitting by a pattern that has no hand-written scanner: JavaScript's regular expressions on the text, brought back to byte ranges.
// The five behaviours and `invert` are those of Hugging Face's Split; each piece is matched on its own, so that look-arounds end
// with it.
import type { Matcher } from './matcher.ts'
import type { Splitter } from './pieces.ts'
import { emitStretches, stretchesOf, type SplitBehavior } from './stretches.ts'

export const patternSplitter =
  (matcher: Matcher, behavior: SplitBehavior, invert: boolean): Splitter =>
  (text, bytes, input, output) => {
    const cursor = createByteCursor(text, bytes)
    for (let piece = 0; piece < input.count; piece++) {
      const start = input.spans[piece * 2]!
      const end = input.spans[piece * 2 + 1]!
      const unitStart = cursor.unitsUpTo(start)
      const part = text.slice(unitStart, cursor.unitsUpTo(end))
      cursor.rewind(start, unitStart)
      const { cuts, matched } = stretchesOf(part.length, matcher(part), invert)
      emitStretches({ cuts: cuts.map((cut) => cursor.bytesUpTo(unitStart + cut)), matched }, behavior, 0, output)
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
