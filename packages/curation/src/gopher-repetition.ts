// The repetition rules of Gopher (Rae et al. 2021, table A1) as datatrove's GopherRepetitionFilter reads them: repeated paragraphs
// and lines, the most common 2- to 4-gram, and 5- to 10-grams that occur again. All shares are of the text's code points.
import { createGramTables } from './gram-table.ts'
import { checkNames, dropFor, withDefaults } from './limits.ts'
import { codePointLength, strip } from './python-text.ts'
import { keep, pureStep, type Step } from './step.ts'
import { wordsOf, type WordOptions } from './word-options.ts'

const defaults = {
  maxDuplicateParagraphs: 0.3,
  maxDuplicateParagraphCharacters: 0.2,
  maxDuplicateLines: 0.3,
  maxDuplicateLineCharacters: 0.2,
}

const topLimits = { 2: 0.2, 3: 0.18, 4: 0.16 }
const duplicateLimits = { 5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.1 }

type Limits = Readonly<Record<number, number>>

export type GopherRepetitionOptions = Partial<typeof defaults> &
  WordOptions & {
    /** n → largest share of the text that the most common n-gram may cover. */
    readonly maxTopNgrams?: Limits
    /** n → largest share of the text in n-grams that occurred before. */
    readonly maxDuplicateNgrams?: Limits
  }

interface Rule {
  readonly name: string
  readonly threshold: number
  /** undefined: does not apply. */
  measure(): number | undefined
}

/** Elements that occurred before, and the code points in them. */
const countDuplicates = (elements: readonly string[]): { count: number; characters: number } => {
  const seen = new Set<string>()
  let count = 0
  let characters = 0
  for (const element of elements) {
    if (seen.has(element)) {
      count++
      characters += codePointLength(element)
    } else if (seen.size < maxRemembered) seen.add(element)
  }
  return { count, characters }
}

/** A Set ends at 2^24 elements; a text with more different lines than this is not repetitive by its lines. */
const maxRemembered = 2 ** 24 - 1

/** Characters covered by the most common n-gram, its spaces included; of equally common ones the first. */
const topNgramCharacters = (words: readonly string[], tables: ReturnType<typeof createGramTables>, n: number): number => {
  const table = tables(n)
  const counts = new Uint32Array(words.length)
  let best = 0
  for (let i = 0; i + n <= words.length; i++) counts[table.findOrAdd(i)]!++
  for (let i = 1; i + n <= words.length; i++) if (counts[i]! > counts[best]!) best = i
  return (table.length(best) + n - 1) * counts[best]!
}

/** Characters in n-grams that occurred before: a repeated one is counted whole and jumped over. */
const duplicateNgramCharacters = (words: readonly string[], tables: ReturnType<typeof createGramTables>, n: number): number => {
  const table = tables(n)
  let characters = 0
  let i = 0
  while (i + n <= words.length) {
    if (table.findOrAdd(i) === i) i++
    else {
      characters += table.length(i)
      i += n
    }
  }
  return characters
}

const rulesFor = (text: string, split: () => readonly string[], limits: typeof defaults, top: Limits, duplicate: Limits): Rule[] => {
  const length = codePointLength(text)
  const once = <T>(make: () => T): (() => T) => {
    let made: { value: T } | undefined
    return () => (made ??= { value: make() }).value
  }
  const paragraphs = once(() => strip(text).split(/\n{2,}/))
  const duplicateParagraphs = once(() => countDuplicates(paragraphs()))
  const lines = once(() => text.split(/\n+/))
  const duplicateLines = once(() => countDuplicates(lines()))
  const words = once(split)
  const spaced = once(() => createGramTables(words(), ' '))
  const joined = once(() => createGramTables(words(), ''))
  const entries = (of: Limits): [number, number][] => Object.entries(of).map(([n, limit]): [number, number] => [Number(n), limit])
  return [
    { name: 'dup_para_frac', threshold: limits.maxDuplicateParagraphs, measure: () => duplicateParagraphs().count / paragraphs().length },
    { name: 'dup_para_char_frac', threshold: limits.maxDuplicateParagraphCharacters, measure: () => duplicateParagraphs().characters / length },
    { name: 'dup_line_frac', threshold: limits.maxDuplicateLines, measure: () => duplicateLines().count / lines().length },
    { name: 'dup_line_char_frac', threshold: limits.maxDuplicateLineCharacters, measure: () => duplicateLines().characters / length },
    ...entries(top).map(([n, threshold]) => ({
      name: `top_${n}_gram`,
      threshold,
      measure: () => (words().length < n ? undefined : topNgramCharacters(words(), spaced(), n) / length),
    })),
    ...entries(duplicate).map(([n, threshold]) => ({
      name: `duplicated_${n}_n_grams`,
      threshold,
      measure: () => duplicateNgramCharacters(words(), joined(), n) / length,
    })),
  ]
}

/** All values behind the rules, for inspection; undefined where a rule does not apply. An empty text has none. */
export const gopherRepetitionValues = (text: string, words: readonly string[]): Record<string, number | undefined> =>
  text === '' ? {} : Object.fromEntries(rulesFor(text, () => words, defaults, topLimits, duplicateLimits).map((rule) => [rule.name, rule.measure()]))

/** Drops a document that repeats itself; `rule` is the reason's name in datatrove. An empty text goes too. */
export const gopherRepetition = (options: GopherRepetitionOptions = {}): Step => {
  const name = 'gopherRepetition'
  checkNames(name, options, [...Object.keys(defaults), 'maxTopNgrams', 'maxDuplicateNgrams', 'words'])
  const limits = withDefaults(name, defaults, options)
  const { maxTopNgrams = topLimits, maxDuplicateNgrams = duplicateLimits } = options
  const split = wordsOf(options)
  return pureStep(name, { ...limits, maxTopNgrams: { ...maxTopNgrams }, maxDuplicateNgrams: { ...maxDuplicateNgrams } }, (document) => {
    if (document.text === '') return dropFor('empty', 0, 1)
    for (const rule of rulesFor(document.text, () => split(document), limits, maxTopNgrams, maxDuplicateNgrams)) {
      const value = rule.measure()
      if (value !== undefined && value > rule.threshold) return dropFor(rule.name, value, rule.threshold)
    }
    return keep(document)
  })
}
