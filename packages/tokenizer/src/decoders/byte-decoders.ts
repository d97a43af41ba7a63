// Decoders that make text of bytes: ByteLevel (tokens in the byte alphabet) and ByteFallback (tokens `<0x..>` among others).
import { byteOfUnit } from '../text/byte-alphabet.ts'
import type { DecodeStepKind } from './decode-step.ts'

const encoder = new TextEncoder()

/** The bytes of a token in the alphabet; of a token that has other characters, its UTF-8. */
export const alphabetBytes = (token: string): Uint8Array => {
  const bytes = new Uint8Array(token.length)
  for (let i = 0; i < token.length; i++) {
    const unit = token.charCodeAt(i)
    const byte = unit < byteOfUnit.length ? byteOfUnit[unit]! : -1
    if (byte < 0) return encoder.encode(token)
    bytes[i] = byte
  }
  return bytes
}

export const byteLevelDecoder: DecodeStepKind = {
  fuses: true,
  start: () => {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
    return {
      push: (token, emit) => {
        const text = decoder.decode(alphabetBytes(token), { stream: true })
        if (text !== '') emit(text)
      },
      flush: (emit) => emit(decoder.decode()),
    }
  },
}

const byteTokenPattern = /^<0x([0-9A-Fa-f]{2}|\+[0-9A-Fa-f])>$/ // the reference reads a sign too

/** The byte that a token `<0x..>` stands for; undefined for any other. */
export const byteOfToken = (token: string): number | undefined => {
  if (token.length !== 6 || token.charCodeAt(0) !== 0x3c) return undefined
  const hex = byteTokenPattern.exec(token)?.[1]
  return hex === undefined ? undefined : parseInt(hex, 16)
}

/**
 * A run of byte tokens is text if it is UTF-8 whole, else each byte is one U+FFFD. A run is therefore held back until it ends.
 */
export const byteFallbackDecoder: DecodeStepKind = {
  start: () => {
    let run: number[] = []
    const end = (emit: (token: string) => void): void => {
      if (run.length === 0) return
      const text = decodeStrictly(Uint8Array.from(run))
      if (text !== undefined) emit(text)
      else for (let i = 0; i < run.length; i++) emit('\ufffd')
      run = []
    }
    return {
      push: (token, emit) => {
        const byte = byteOfToken(token)
        if (byte !== undefined) return void run.push(byte)
        end(emit)
        emit(token)
      },
      flush: end,
    }
  },
}

const decodeStrictly = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
