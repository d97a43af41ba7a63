// llama2.c's tok.bin: per token a score and its text, SentencePiece's BPE without its settings, which are Llama 2's.
// Reference: karpathy/llama2.c, tokenizer.py and run.c.
import { FormatError, type Tokenizer } from '@weft/contracts'
import { byteToken } from '../models/token-ids.ts'
import type { TokenRoles } from '../tokenizer/token-roles.ts'
import { maxVocabSize } from '../tokenizer/token-table.ts'
import type { PieceType, SentencePiece } from './sentencepiece-model.ts'
import { tokenizerOfPieces } from './sentencepiece.ts'

export interface TokenizerFromLlama2cOptions {
  /** How many tokens the model has, where the file may hold more or fewer; default all. */
  readonly vocabSize?: number
  readonly roles?: TokenRoles
  /** The file's name, for errors. */
  readonly source?: string
}

const longestToken = 65_536 // the longest token of Llama has 48 bytes

/**
 * The tokenizer of a tok.bin: tokens 0 to 2 are `<unk>`, `<s>`, `</s>`, then come the 256 bytes. `<s>` is put before a text.
 * @throws FormatError with the byte, where the file is cut off or no tok.bin.
 */
export const tokenizerFromLlama2c = (bytes: Uint8Array, options: TokenizerFromLlama2cOptions = {}): Tokenizer => {
  const { source } = options
  const pieces = readPieces(bytes, options)
  return tokenizerOfPieces(
    {
      pieces,
      algorithm: 'bpe',
      byteFallback: true,
      treatWhitespaceAsSuffix: false,
      unknownSurface: ' \u2047 ',
      normalizer: { name: 'identity', charsmap: new Uint8Array(0), addDummyPrefix: true, removeExtraWhitespaces: false, escapeWhitespaces: true },
      beginId: 1,
      endId: 2,
      padId: -1,
    },
    { addBegin: true, ...(options.roles === undefined ? {} : { roles: options.roles }), ...(source === undefined ? {} : { source }) },
  )
}

const readPieces = (bytes: Uint8Array, { source, vocabSize = maxVocabSize }: TokenizerFromLlama2cOptions): SentencePiece[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const fail = (what: string, byteOffset: number): FormatError => new FormatError(what, { byteOffset, ...(source === undefined ? {} : { source }) })
  const pieces: SentencePiece[] = []
  let at = 4
  while (at < bytes.length && pieces.length < vocabSize) {
    if (at + 8 > bytes.length) throw fail('expected a score and a length; the file is cut off', at)
    const score = view.getFloat32(at, true)
    const length = view.getInt32(at + 4, true)
    if (length < 0 || length > longestToken) throw fail(`expected a token of 0 to ${longestToken} bytes, got ${length}; is this a tok.bin?`, at + 4)
    if (at + 8 + length > bytes.length) throw fail(`expected a token of ${length} bytes; the file is cut off`, at + 8)
    if (!Number.isFinite(score)) throw fail(`expected a finite score, got ${score}`, at)
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(at + 8, at + 8 + length))
    pieces.push(pieceOf(text, score, pieces.length))
    at += 8 + length
  }
  if (pieces.length < 259) throw fail(`expected at least 259 tokens (three special ones and the bytes), got ${pieces.length}`, bytes.length)
  return pieces
}

const special: readonly { piece: string; type: PieceType }[] = [
  { piece: '<unk>', type: 'unknown' },
  { piece: '<s>', type: 'control' },
  { piece: '</s>', type: 'control' },
]

/** The exporter writes special tokens decorated with line feeds, and visible spaces as spaces. */
const pieceOf = (text: string, score: number, id: number): SentencePiece => {
  if (id < 3) return { ...special[id]!, score }
  if (id < 259) return { piece: byteToken(id - 3), score, type: 'byte' }
  return { piece: text.replaceAll(' ', '\u2581'), score, type: 'normal' }
}
