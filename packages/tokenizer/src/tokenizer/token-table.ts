// The vocabulary as it is needed for decoding: the bytes of every token in one pool, by id. A token is written in files either in the
// byte alphabet or, when it holds other characters (added tokens mostly), as plain text; which of the two is kept for writing it back.
import { byteOfUnit, toAlphabet } from '../text/byte-alphabet.ts'

/** Tables are as long as the largest id: 4 M is sixteen times the largest vocabulary there is, and 21 bits + 1 fit the merge heap. */
export const maxVocabSize = 2 ** 22

export interface TokenTable {
  /** One more than the largest id. */
  readonly size: number
  readonly pool: Uint8Array
  readonly starts: Int32Array
  /** −1: no token has this id. */
  readonly lengths: Int32Array
  /** 1: written as plain text; 0: in the byte alphabet. */
  readonly isText: Uint8Array
}

export interface TokenTableBuilder {
  has(id: number): boolean
  /** A token as a vocabulary writes it. */
  addWritten(id: number, token: string): void
  /** A token that stands for its own text; replaces what the id had. */
  setText(id: number, text: string): void
  addBytes(id: number, bytes: Uint8Array): void
  finish(): TokenTable
}

const encoder = new TextEncoder()

export const createTokenTable = (size: number): TokenTableBuilder => {
  const starts = new Int32Array(size)
  const lengths = new Int32Array(size).fill(-1)
  const isText = new Uint8Array(size)
  let pool = new Uint8Array(1024 + size * 8)
  let used = 0
  const reserve = (length: number): void => {
    if (used + length <= pool.length) return
    const grown = new Uint8Array(Math.max(pool.length * 2, used + length))
    grown.set(pool)
    pool = grown
  }
  const addBytes = (id: number, bytes: Uint8Array): void => {
    reserve(bytes.length)
    pool.set(bytes, used)
    starts[id] = used
    lengths[id] = bytes.length
    used += bytes.length
  }
  const setText = (id: number, text: string): void => {
    addBytes(id, encoder.encode(text))
    isText[id] = 1
  }
  const addWritten = (id: number, token: string): void => {
    reserve(token.length)
    for (let i = 0; i < token.length; i++) {
      const unit = token.charCodeAt(i)
      const byte = unit < byteOfUnit.length ? byteOfUnit[unit]! : -1
      if (byte < 0) return setText(id, token)
      pool[used + i] = byte
    }
    starts[id] = used
    lengths[id] = token.length
    used += token.length
  }
  return {
    has: (id) => lengths[id]! >= 0,
    addWritten,
    setText,
    addBytes,
    finish: () => ({ size, pool: pool.slice(0, used), starts, lengths, isText }),
  }
}

/** A view of the token's bytes; empty where no token has the id. */
export const bytesOfToken = (tokens: TokenTable, id: number): Uint8Array =>
  tokens.pool.subarray(tokens.starts[id]!, tokens.starts[id]! + Math.max(0, tokens.lengths[id]!))

/** The token as a vocabulary file writes it. */
export const writtenToken = (tokens: TokenTable, id: number): string =>
  tokens.isText[id] === 1 ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytesOfToken(tokens, id)) : toAlphabet(bytesOfToken(tokens, id))
