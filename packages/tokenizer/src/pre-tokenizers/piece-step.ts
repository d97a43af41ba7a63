// One step of pre-tokenization: cuts every piece of a text further, and may write the text anew. Pieces are ranges in UTF-16 units,
// two numbers each; no piece is a string of its own until a model wants one.
import type { TrackedText } from '../text/tracked-text.ts'
import { createPieceList, pushPiece, type PieceList } from './pieces.ts'

/** Fills `output`, which is empty at the call, with pieces of the text that it returns: `input` itself, or another. */
export type PieceStep = (input: TrackedText, pieces: PieceList, output: PieceList) => TrackedText

/** Appends the pieces of text[from, to). */
export type Cutter = (text: string, from: number, to: number, output: PieceList) => void

export const cutting =
  (cut: Cutter): PieceStep =>
  (input, { spans, count }, output) => {
    for (let piece = 0; piece < count; piece++) cut(input.text, spans[piece * 2]!, spans[piece * 2 + 1]!, output)
    return input
  }

/** Runs all steps. The result holds until the next call. */
export const createPieceSteps = (steps: readonly PieceStep[]) => {
  let pieces = createPieceList()
  let other = createPieceList()
  return (input: TrackedText): { input: TrackedText; pieces: PieceList } => {
    if (pieces.spans.length > 1 << 20) pieces = createPieceList() // one huge text must not hold its memory for ever
    if (other.spans.length > 1 << 20) other = createPieceList()
    pieces.count = 0
    pushPiece(pieces, 0, input.text.length)
    for (const step of steps) {
      other.count = 0
      input = step(input, pieces, other)
      ;[pieces, other] = [other, pieces]
    }
    return { input, pieces }
  }
}
