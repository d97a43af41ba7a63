// FineWeb's additional rules (Penedo et al. 2024) as datatrove's FineWebQualityFilter reads them: lines that end like sentences,
// short lines, repeated lines, and line breaks per word.
import { checkNames, dropFor, withDefaults } from './limits.ts'
import { endsWithTerminalPunctuation } from './punctuation.ts'
import { codePointLength, countOccurrences, strip } from './python-text.ts'
import { keep, pureStep, type Step } from './step.ts'
import { wordsOf, type WordOptions } from './word-options.ts'

const defaults = {
  /** Share of lines that end in terminal punctuation. */
  minEndingLines: 0.12,
  /** Share of lines of at most `shortLineLength` characters. */
  maxShortLines: 0.67,
  shortLineLength: 30,
  /** Share of the characters that stand in lines which occurred before. */
  maxDuplicateLineCharacters: 0.01,
  maxLineBreaksPerWord: 0.3,
}

export type FineWebQualityOptions = Partial<typeof defaults> & WordOptions

const repeatedCharacters = (lines: readonly string[]): number => {
  const seen = new Set<string>()
  let characters = 0
  for (const line of lines) {
    if (seen.has(line)) characters += codePointLength(line)
    else if (seen.size < 2 ** 24 - 1) seen.add(line) // where a Set ends
  }
  return characters
}

/** Drops a document that looks like a list or a menu rather than text; `rule` is the reason's name in datatrove. */
export const fineWebQuality = (options: FineWebQualityOptions = {}): Step => {
  const name = 'fineWebQuality'
  checkNames(name, options, [...Object.keys(defaults), 'words'])
  const limits = withDefaults(name, defaults, options)
  const split = wordsOf(options)
  return pureStep(name, limits, (document) => {
    const { text } = document
    const lines = text.split('\n').filter((line) => strip(line) !== '')
    if (lines.length === 0) return dropFor('empty', 0, 1)
    const ending = lines.filter(endsWithTerminalPunctuation).length / lines.length
    if (ending < limits.minEndingLines) return dropFor('line_punct_ratio', ending, limits.minEndingLines)
    const short = lines.filter((line) => codePointLength(line) <= limits.shortLineLength).length / lines.length
    if (short > limits.maxShortLines) return dropFor('short_line_ratio', short, limits.maxShortLines)
    const breaks = countOccurrences(text, '\n')
    const repeated = repeatedCharacters(lines) / (codePointLength(text) - breaks)
    if (repeated > limits.maxDuplicateLineCharacters) return dropFor('char_dup_ratio', repeated, limits.maxDuplicateLineCharacters)
    const perWord = breaks / split(document).length
    return perWord > limits.maxLineBreaksPerWord ? dropFor('list_ratio', perWord, limits.maxLineBreaksPerWord) : keep(document)
  })
}
