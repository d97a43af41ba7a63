// Decoders that put words together again: WordPiece, BPE with a suffix, Metaspace, CTC; and none at all.
import type { DecodeStepKind } from './decode-step.ts'

/** What both libraries tidy up in English texts, in this order. */
const tidyings: readonly (readonly [string, string])[] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [' do not', " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
]

const tidied = (text: string): string => (text.includes(' ') ? tidyings.reduce((result, [from, to]) => result.replaceAll(from, to), text) : text)

/** Tokens that do not continue a word get a space before them, but for the first. */
export const wordPieceDecoder = (prefix: string, cleanup: boolean): DecodeStepKind => ({
  start: () => {
    let isFirst = true
    return {
      push: (token, emit) => {
        const text = isFirst ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`
        isFirst = false
        emit(cleanup ? tidied(text) : text)
      },
      flush: () => {
        isFirst = true
      },
    }
  },
})

/** The suffix of a word is a space, but in the last token. */
export const bpeDecoder = (suffix: string): DecodeStepKind => ({
  start: (isLast) => {
    let held = ''
    return {
      push: (token, emit) => {
        if (held !== '') emit(held.replaceAll(suffix, ' '))
        held = ''
        const at = suffix === '' ? -1 : token.indexOf(suffix)
        if (at < 0) return emit(token)
        if (at > 0 && isLast) emit(token.slice(0, at))
        held = isLast ? token.slice(at) : token
      },
      flush: (emit) => {
        if (held !== '') emit(held.replaceAll(suffix, ''))
        held = ''
      },
    }
  },
})

/** The replacement is a space; in the first token it is dropped where one was put before the text. */
export const metaspaceDecoder = (replacement: string, addsPrefix: boolean): DecodeStepKind => {
  const first = (token: string): string => token.replaceAll(replacement, addsPrefix ? '' : ' ')
  return {
    start: () => {
      let isFirst = true
      return {
        push: (token, emit) => {
          emit(isFirst ? first(token) : token.replaceAll(replacement, ' '))
          isFirst = false
        },
        flush: () => {
          isFirst = true
        },
      }
    },
    startFused: () => ({ push: (part, emit) => emit(first(part)), flush: () => undefined }),
  }
}

/** Equal tokens in a row are one, the padding is nothing. */
export const ctcDecoder = (pad: string, wordDelimiter: string, cleanup: boolean): DecodeStepKind => ({
  start: () => {
    let before: string | undefined
    return {
      push: (token, emit) => {
        if (token === before) return
        before = token
        const bare = pad === '' ? token : token.replaceAll(pad, '')
        const text = cleanup ? spaced(tidied(bare), wordDelimiter) : bare
        if (text !== '') emit(text)
      },
      flush: () => {
        before = undefined
      },
    }
  },
})

const spaced = (text: string, delimiter: string): string => (delimiter === '' ? text : text.replaceAll(delimiter, ' '))

/** Without a decoder, tokens stand apart. */
export const spacedTokens: DecodeStepKind = {
  start: () => {
    let isFirst = true
    return {
      push: (token, emit) => {
        emit(isFirst ? token : ` ${token}`)
        isFirst = false
      },
      flush: () => {
        isFirst = true
      },
    }
  },
}
