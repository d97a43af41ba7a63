// Text of SentencePiece's pieces: visible spaces become spaces, the one that was put before the text goes, bytes become characters and
// what is no UTF-8 one U+FFFD per byte. Control pieces do not count as text.
// Reference: google/sentencepiece, src/sentencepiece_processor.cc, Decode.
import { spaceSymbol } from '../normalizers/sentencepiece-normalizer.ts'
import { byteOfToken } from './byte-decoders.ts'
import type { DecodeStepKind, Emit } from './decode-step.ts'

export interface SentencePieceDecoderOptions {
  /** Whether the first visible space of a text is not part of it. */
  readonly stripsFirstSpace: boolean
  /** Whether all of the visible spaces at its head are not. */
  readonly stripsAllSpaces: boolean
  readonly hasBytes: boolean
  readonly isControl: (piece: string) => boolean
  readonly unknownPiece: string | undefined
  readonly unknownSurface: string
}

export const sentencePieceDecoder = (options: SentencePieceDecoderOptions): DecodeStepKind => ({
  start: () => {
    let isHead = true // no text yet, and no space taken off where one alone is
    const bytes = createByteJoiner()
    const show = (text: string, emit: Emit): void => {
      if (text === '') return
      isHead = false
      emit(text)
    }
    return {
      push: (piece, emit) => {
        const byte = options.hasBytes ? byteOfToken(piece) : undefined
        if (byte !== undefined) return show(bytes.push(byte), emit)
        show(bytes.flush(), emit)
        if (options.isControl(piece)) return emit(piece)
        if (piece === options.unknownPiece) return show(options.unknownSurface, emit)
        const strips = isHead && options.stripsFirstSpace && piece.startsWith(spaceSymbol)
        if (strips && !options.stripsAllSpaces) isHead = false
        show((strips ? piece.slice(1) : piece).replaceAll(spaceSymbol, ' '), emit)
      },
      flush: (emit) => {
        show(bytes.flush(), emit)
        isHead = true
      },
    }
  },
})

/** Characters of bytes as soon as they are whole; U+FFFD for each byte that cannot be part of one. */
const createByteJoiner = () => {
  let held: number[] = []
  /** @param isEnd no byte follows: an unfinished character is none. */
  const take = (isEnd: boolean): string => {
    let text = ''
    while (held.length > 0) {
      const size = sizeOf(held[0]!)
      const isPossible = size > 0 && held.slice(1, size).every((byte, i) => isContinuation(held[0]!, i, byte))
      if (isPossible && held.length < size && !isEnd) break
      if (isPossible && held.length >= size) text += new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(held.splice(0, size)))
      else {
        text += '\ufffd'
        held.shift()
      }
    }
    return text
  }
  return {
    push: (byte: number): string => {
      held.push(byte)
      return take(false)
    },
    flush: (): string => {
      const text = take(true)
      held = []
      return text
    },
  }
}

const sizeOf = (lead: number): number => (lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0)

/** Whether a byte may stand behind this lead; the first behind it excludes overlong forms, surrogates and what lies beyond U+10FFFF. */
const isContinuation = (lead: number, index: number, byte: number): boolean => {
  if ((byte & 0xc0) !== 0x80) return false
  if (index > 0) return true
  if (lead === 0xe0) return byte >= 0xa0
  if (lead === 0xed) return byte < 0xa0
  if (lead === 0xf0) return byte >= 0x90
  return lead !== 0xf4 || byte < 0x90
}
