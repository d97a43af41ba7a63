// How often each piece occurs in the training texts: all that learning the merges needs to know of them.
import { createByteStringTable } from '../text/byte-string-table.ts'
import { createPieceList, pushPiece, type Splitter } from '../pre-tokenizers/pieces.ts'
import { createAddedTokenMatcher, type AddedToken } from '../tokenizer/added-tokens.ts'
import { wellFormed } from '../text/well-formed.ts'

export interface PieceCounts {
  /** Counts the pieces of a text; the special tokens in it are left out. Returns its length in bytes. */
  add(text: string): number
  /** The pieces in the order in which they first occurred, as byte values in a row, with where each begins and how often it occurs. */
  finish(): CountedPieces
}

export interface CountedPieces {
  readonly bytes: Uint8Array
  /** One more than there are pieces. */
  readonly starts: Int32Array
  readonly counts: Float64Array
}

export const createPieceCounts = (splitter: Splitter, specialTokens: readonly AddedToken[]): PieceCounts => {
  const encoder = new TextEncoder()
  const matcher = createAddedTokenMatcher(specialTokens)
  const table = createByteStringTable()
  const whole = createPieceList()
  let pieces = createPieceList()
  let counts = new Float64Array(1024)

  const addStretch = (text: string): number => {
    const bytes = encoder.encode(text)
    if (pieces.spans.length > 1 << 20) pieces = createPieceList() // one huge text must not hold its memory for ever
    whole.count = pieces.count = 0
    pushPiece(whole, 0, bytes.length)
    splitter(text, bytes, whole, pieces)
    for (let piece = 0; piece < pieces.count; piece++) {
      const index = table.intern(bytes, pieces.spans[piece * 2]!, pieces.spans[piece * 2 + 1]!)
      if (index >= counts.length) {
        const grown = new Float64Array(counts.length * 2)
        grown.set(counts)
        counts = grown
      }
      counts[index]!++
    }
    return bytes.length
  }

  return {
    add: (text) => {
      const clean = wellFormed(text)
      let from = 0
      let size = 0
      for (const { start, end } of matcher(clean)) {
        size += addStretch(clean.slice(from, start))
        from = end
      }
      return size + addStretch(from === 0 ? clean : clean.slice(from))
    },
    finish: () => {
      const starts = new Int32Array(table.size + 1)
      for (let i = 0; i < table.size; i++) starts[i + 1] = starts[i]! + table.at(i).length
      const bytes = new Uint8Array(starts[table.size]!)
      for (let i = 0; i < table.size; i++) bytes.set(table.at(i), starts[i])
      return { bytes, starts, counts: counts.slice(0, table.size) }
    },
  }
}
