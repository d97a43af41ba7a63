// The quality rules of Gopher (Rae et al. 2021, table A1), in the order, with the limits and the reading of datatrove's
// GopherQualityFilter: comparisons are strict, so a value on the limit passes.
import { checkNames, dropFor, withDefaults } from './limits.ts'
import { isSymbol } from './punctuation.ts'
import { codePointLength, countOccurrences, splitLines, stripSpan } from './python-text.ts'
import { keep, pureStep, type Step, type Verdict } from './step.ts'
import { wordsOf, type WordOptions } from './word-options.ts'

const defaults = {
  /** Words with something other than symbols in them. */
  minWords: 50,
  maxWords: 100_000,
  /** Characters, over the same words. */
  minAverageWordLength: 3,
  maxAverageWordLength: 10,
  /** `#` per word, ellipses per word (symbols count as words here). */
  maxHashRatio: 0.1,
  maxEllipsisRatio: 0.1,
  /** Shares of lines. */
  maxBulletLines: 0.9,
  maxEllipsisLines: 0.3,
  /** Share of words with a letter in them, symbols counted as words. */
  minAlphabeticWords: 0.8,
  /** How many different ones of `stopWords` must occur. */
  minStopWords: 2,
}

const stopWords = ['the', 'be', 'to', 'of', 'and', 'that', 'have', 'with']

export type GopherQualityOptions = Partial<typeof defaults> & WordOptions & { /** Case-sensitive. */ readonly stopWords?: readonly string[] }

export interface GopherQualityValues {
  readonly words: number
  readonly nonSymbolWords: number
  /** null where there are no words. */
  readonly averageWordLength: number | null
  readonly hashRatio: number | null
  readonly ellipsisRatio: number | null
  readonly bulletLines: number | null
  readonly ellipsisLines: number | null
  readonly alphabeticWords: number | null
  readonly stopWords: number
}

const letter = /\p{L}/u
const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)

/** What the rules measure. */
export const gopherQualityValues = (text: string, words: readonly string[], stops: readonly string[] = stopWords): GopherQualityValues => {
  let nonSymbolWords = 0
  let letters = 0
  let alphabetic = 0
  const missing = new Set(stops)
  for (const word of words) {
    if (hasNonSymbol(word)) {
      nonSymbolWords++
      letters += codePointLength(word)
    }
    if (letter.test(word)) alphabetic++
    missing.delete(word)
  }
  const lines = splitLines(text)
  return {
    words: words.length,
    nonSymbolWords,
    averageWordLength: ratio(letters, nonSymbolWords),
    hashRatio: ratio(countOccurrences(text, '#'), words.length),
    ellipsisRatio: ratio(countOccurrences(text, '...') + countOccurrences(text, '…'), words.length),
    bulletLines: ratio(lines.filter((line) => /^[•-]/.test(stripStart(line))).length, lines.length),
    ellipsisLines: ratio(lines.filter(endsInEllipsis).length, lines.length),
    alphabeticWords: ratio(alphabetic, words.length),
    stopWords: new Set(stops).size - missing.size,
  }
}

/** Drops a document that breaks one of Gopher's quality rules; `rule` is the reason's name in datatrove. */
export const gopherQuality = (options: GopherQualityOptions = {}): Step => {
  const name = 'gopherQuality'
  checkNames(name, options, [...Object.keys(defaults), 'stopWords', 'words'])
  const limits = withDefaults(name, defaults, options)
  const stops = options.stopWords ?? stopWords
  const split = wordsOf(options)
  return pureStep(name, { ...limits, stopWords: stops }, (document) => {
    const values = gopherQualityValues(document.text, split(document), stops)
    return firstBroken(values, limits) ?? keep(document)
  })
}

const firstBroken = (values: GopherQualityValues, limits: typeof defaults): Verdict | undefined => {
  const below = (rule: string, value: number | null, limit: number) => (value !== null && value < limit ? dropFor(rule, value, limit) : undefined)
  const above = (rule: string, value: number | null, limit: number) => (value !== null && value > limit ? dropFor(rule, value, limit) : undefined)
  return (
    below('gopher_short_doc', values.nonSymbolWords, limits.minWords) ??
    above('gopher_long_doc', values.nonSymbolWords, limits.maxWords) ??
    below('gopher_below_avg_threshold', values.averageWordLength, limits.minAverageWordLength) ??
    above('gopher_above_avg_threshold', values.averageWordLength, limits.maxAverageWordLength) ??
    above('gopher_too_many_hashes', values.hashRatio, limits.maxHashRatio) ??
    above('gopher_too_many_ellipsis', values.ellipsisRatio, limits.maxEllipsisRatio) ??
    above('gopher_too_many_bullets', values.bulletLines, limits.maxBulletLines) ??
    above('gopher_too_many_end_ellipsis', values.ellipsisLines, limits.maxEllipsisLines) ??
    below('gopher_below_alpha_threshold', values.alphabeticWords, limits.minAlphabeticWords) ??
    below('gopher_enough_stop_words', values.stopWords, limits.minStopWords)
  )
}

const hasNonSymbol = (word: string): boolean => {
  for (let i = 0; i < word.length; i++) {
    const codePoint = word.codePointAt(i)!
    if (!isSymbol(codePoint)) return true
    if (codePoint > 0xffff) i++
  }
  return false
}

const stripStart = (line: string): string => line.slice(stripSpan(line)[0])
const endsInEllipsis = (line: string): boolean => {
  const text = line.slice(0, stripSpan(line)[1])
  return text.endsWith('...') || text.endsWith('…')
}
