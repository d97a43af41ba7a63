// Decoders that work on the text of tokens: Fuse, Strip, Replace; and the tidying of spaces that transformers does at the very end.
import { joined } from '../normalizers/replace.ts'
import type { Matcher } from '../pre-tokenizers/matcher.ts'
import { perToken, type DecodeStep, type DecodeStepKind } from './decode-step.ts'

const passing = (): DecodeStep => ({ push: (token, emit) => emit(token), flush: () => undefined })

/** Makes one token of all. */
export const fuseDecoder: DecodeStepKind = { fuses: true, start: passing, startFused: passing }

/** Takes up to `start` and `stop` times the character off the ends of each token. */
export const stripDecoder = (content: string, start: number, stop: number): DecodeStepKind => ({
  ...perToken((token) => strippedEnd(strippedStart(token, content, start).text, content, stop)),
  startFused: () => {
    let left = start
    let held = ''
    return {
      push: (part, emit) => {
        const stripped = strippedStart(part, content, left)
        left = stripped.text === '' ? left - stripped.count : 0
        held += stripped.text
        // What may still prove to be the end is held back
        const certain = strippedEnd(held, content, stop)
        if (certain !== '') emit(certain)
        held = held.slice(certain.length)
      },
      flush: () => {
        left = start
        held = ''
      },
    }
  },
})

const strippedStart = (text: string, content: string, most: number): { text: string; count: number } => {
  let count = 0
  while (count < most && text.startsWith(content, count * content.length)) count++
  return { text: text.slice(count * content.length), count }
}

const strippedEnd = (text: string, content: string, most: number): string => {
  let end = text.length
  for (let count = 0; count < most && end > 0 && text.endsWith(content, end); count++) end -= content.length
  return text.slice(0, end)
}

/** Replaces every match. @param literal the text that is looked for, where it is one. */
export const replaceDecoder = (matcher: Matcher, content: string, literal?: string): DecodeStepKind => ({
  ...perToken((token) => joined(token, matcher(token), content)),
  ...(literal === undefined ? {} : { startFused: () => replaceInParts(literal, content) }),
})

const replaceInParts = (literal: string, content: string): DecodeStep => {
  let held = ''
  return {
    push: (part, emit) => {
      held += part
      const last = literal === '' ? -1 : held.lastIndexOf(literal)
      // Scanning from the left: only what stands behind the last whole match may be the head of another
      const behind = last < 0 ? 0 : endOfMatches(held, literal)
      const certain = held.length - headLength(held.slice(behind), literal)
      const text = held.slice(0, certain).replaceAll(literal, content)
      held = held.slice(certain)
      if (text !== '') emit(text)
    },
    flush: (emit) => {
      if (held !== '') emit(held)
      held = ''
    },
  }
}

const endOfMatches = (text: string, literal: string): number => {
  let end = 0
  for (let at = text.indexOf(literal); at >= 0; at = text.indexOf(literal, end)) end = at + literal.length
  return end
}

/** How much of the end of `text` is the beginning of `literal`, short of all of it. */
const headLength = (text: string, literal: string): number => {
  for (let length = Math.min(text.length, literal.length - 1); length > 0; length--) {
    if (text.endsWith(literal.slice(0, length))) return length
  }
  return 0
}

/** What `clean_up_tokenization_spaces` of transformers does to a decoded text. */
const cleanups: readonly (readonly [string, string])[] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
]

const cleaned = (text: string): string => cleanups.reduce((result, [from, to]) => result.replaceAll(from, to), text)

/** Fuses, and tidies the spaces before punctuation; the last word is held back until its end is known. */
export const cleanUpSpaces: DecodeStepKind = (() => {
  const start = (): DecodeStep => {
    let held = ''
    return {
      push: (part, emit) => {
        held += part
        let cut = held.lastIndexOf(' ')
        while (cut > 0 && (held[cut - 1] === "'" || held[cut - 1] === ' ')) cut = held.lastIndexOf(' ', cut - 1)
        if (cut <= 0) return
        emit(cleaned(held.slice(0, cut)))
        held = held.slice(cut)
      },
      flush: (emit) => {
        emit(cleaned(held))
        held = ''
      },
    }
  }
  return { fuses: true, start, startFused: start }
})()
