// What a model is to the rest: a vocabulary, and the tokens of one piece of text. BPE, WordPiece, Unigram and WordLevel are models.
import { UnsupportedError } from '@weft/contracts'

export interface Model {
  /** One more than the largest id. */
  readonly size: number
  tokenToId(token: string): number | undefined
  /** The token as the vocabulary writes it. */
  idToToken(id: number): string | undefined
  /** The token that stands for what the vocabulary lacks. */
  readonly unknownId?: number | undefined
  /** Whether what is unknown is written as it stands in the text, not as the unknown token. */
  readonly writesUnknownAsText?: boolean
  /** Appends the tokens of text[from, to), which is not empty. */
  encodePiece(text: string, from: number, to: number, output: TokenBuffer): void
}

/** Tokens with their ranges in the text, in UTF-16 units. */
export interface TokenBuffer {
  ids: Int32Array
  starts: Int32Array
  ends: Int32Array
  count: number
}

export const createTokenBuffer = (): TokenBuffer => ({
  ids: new Int32Array(256),
  starts: new Int32Array(256),
  ends: new Int32Array(256),
  count: 0,
})

export const reserveTokens = (buffer: TokenBuffer, more: number): void => {
  const needed = buffer.count + more
  if (needed <= buffer.ids.length) return
  const size = Math.max(buffer.ids.length * 2, needed)
  for (const name of ['ids', 'starts', 'ends'] as const) {
    const grown = new Int32Array(size)
    grown.set(buffer[name])
    buffer[name] = grown
  }
}

export const pushToken = (buffer: TokenBuffer, id: number, start: number, end: number): void => {
  if (buffer.count === buffer.ids.length) reserveTokens(buffer, 1)
  buffer.ids[buffer.count] = id
  buffer.starts[buffer.count] = start
  buffer.ends[buffer.count++] = end
}

/** A text that holds what the vocabulary lacks, where no token stands for that. */
export const missingUnknown = (what: string): UnsupportedError =>
  new UnsupportedError(`the text has ${JSON.stringify(what.slice(0, 40))}, for which the vocabulary has neither a token nor an unknown one; name one in model.unk_token`)
