// The pieces into which a pre-tokenizer cuts a text: byte ranges in its UTF-8, two numbers each, no object per piece.

export interface PieceList {
  /** start, end, start, end, … in bytes; only the first 2 · count are valid. */
  spans: Int32Array
  count: number
}

/**
 * Cuts every piece of `input` further and writes the result to `output`, which is empty at the call. `text` is the well-formed
 * text of which `bytes` is the UTF-8.
 */
export type Splitter = (text: string, bytes: Uint8Array, input: PieceList, output: PieceList) => void

export const createPieceList = (): PieceList => ({ spans: new Int32Array(1024), count: 0 })

/** Appends the range unless it is empty. */
export const pushPiece = (list: PieceList, start: number, end: number): void => {
  if (start >= end) return
  const at = list.count * 2
  if (at === list.spans.length) {
    const grown = new Int32Array(at * 2)
    grown.set(list.spans)
    list.spans = grown
  }
  list.spans[at] = start
  list.spans[at + 1] = end
  list.count++
}

/** A splitter from a function that finds the end of the piece at `at`, always beyond `at`. */
export const scanningSplitter =
  (pieceEnd: (bytes: Uint8Array, at: number, end: number) => number): Splitter =>
  (_text, bytes, input, output) => {
    for (let piece = 0; piece < input.count; piece++) {
      const end = input.spans[piece * 2 + 1]!
      for (let at = input.spans[piece * 2]!; at < end; ) {
        const next = pieceEnd(bytes, at, end)
        pushPiece(output, at, next)
        at = next
      }
    }
  }
