// Sentences as spaCy's rule-based sentencizer finds them over the tokens of ./tokenize.ts: a sentence ends at the first token that is
// not punctuation after one that is a sentence end. "Mr." and single letters with a stop are tokens of their own and end nothing.
import { endsSentence } from '../punctuation.ts'
import { isSpace, strip } from '../python-text.ts'
import { tokenizeChunk } from './tokenize.ts'

const punctuationOnly = /^\p{P}+$/u

const isSentenceEnd = (token: string): boolean => {
  const codePoint = token.codePointAt(0)!
  return token.length === (codePoint > 0xffff ? 2 : 1) && endsSentence(codePoint)
}

/** Where the sentences begin, UTF-16 offsets; white space after an end counts to the next sentence, a single space to the last. */
const sentenceStarts = (text: string): number[] => {
  const starts = [0]
  let hasEnded = false
  const see = (token: string, start: number): void => {
    const isEnd = isSentenceEnd(token)
    if (isEnd) hasEnded = true
    else if (hasEnded && !punctuationOnly.test(token)) {
      starts.push(start)
      hasEnded = false
    }
  }
  let i = 0
  while (i < text.length) {
    const gapStart = i
    while (i < text.length && isSpace(text.charCodeAt(i))) i++
    // One space belongs to the token before it; any further white space is a token.
    const tokenStart = gapStart > 0 && text.charCodeAt(gapStart) === 0x20 ? gapStart + 1 : gapStart
    if (i > tokenStart) see(text.slice(tokenStart, i), tokenStart)
    const start = i
    while (i < text.length && !isSpace(text.charCodeAt(i))) i++
    if (i === start) continue
    let at = start
    for (const token of tokenizeChunk(text.slice(start, i))) {
      see(token, at)
      at += token.length
    }
  }
  return starts
}

/** The sentences, white space at their ends removed, blank ones left out. */
export const englishSentences = (text: string): string[] => {
  const starts = sentenceStarts(text)
  return starts.map((start, i) => strip(text.slice(start, starts[i + 1] ?? text.length))).filter((sentence) => sentence !== '')
}

/** The text cut at the ends of sentences: the pieces give the text when joined, and begin with the white space before them. */
export const splitIntoSentences = (text: string): string[] => {
  const starts = sentenceStarts(text)
  const cuts = starts.map((start, i) => {
    if (i === 0) return 0
    // The white space between two sentences goes with the second, a lone space in front of it too.
    return text.charCodeAt(start - 1) === 0x20 ? start - 1 : start
  })
  return cuts.map((start, i) => text.slice(start, cuts[i + 1] ?? text.length))
}
