// The line rules of C4 (Raffel et al. 2020) in the order and reading of datatrove's C4QualityFilter: a line that one rule removes is not
// seen by the later ones, so a "{" in a line without an end mark does not cost the document.
import { splitIntoSentences } from './english/sentences.ts'
import { checkNames, dropFor, withDefaults } from './limits.ts'
import { codePointLength, lineSpans, nonSpaceSpans, stripSpan } from './python-text.ts'
import { editDocument, pureStep, type Cut, type Span, type Step } from './step.ts'

const defaults = {
  /** Sentences in the lines that stay. */
  minSentences: 5,
  /** Words between white space. */
  minWordsPerLine: 3,
  /** Characters of the longest word that a line may have. */
  maxWordLength: 1000,
}

const switches = {
  /** Removes lines that do not end in . ? ! " or ', or end in "...". */
  terminalPunctuation: true,
  /** Removes [1], [edit] and [citation needed]. */
  removeCitations: true,
  /** Drops a document with "lorem ipsum". */
  loremIpsum: true,
  /** Removes lines about javascript. */
  javascript: true,
  /** Drops a document with a curly bracket. */
  curlyBracket: true,
  /** Removes lines about cookies and terms of use. */
  policy: true,
}

export type C4QualityOptions = Partial<typeof defaults> &
  Partial<typeof switches> & {
    /** What the rules take for a line: lines (the default) or sentences, joined again by a space. */
    readonly unit?: 'line' | 'sentence'
    /** Cuts a text into sentences that give the text when joined. Default: English. */
    readonly sentences?: (text: string) => readonly string[]
  }

type Settings = typeof defaults & typeof switches

const citation = /\[\d*\]|\[edit\]|\[citation needed\]/g
const policyPhrases = ['terms of use', 'privacy policy', 'cookie policy', 'uses cookies', 'use of cookies', 'use cookies']
const endMarks = ['.', '?', '!', '"', "'"]

/** What is left of a line: the pieces around citations; or that it goes; or why the document goes. */
type LineVerdict = { readonly pieces: readonly Span[] } | 'remove' | { readonly drop: Cut }

const judgeLine = (text: string, [start, end]: Span, settings: Settings): LineVerdict => {
  const words = nonSpaceSpans(text, start, end)
  if (words.some(([from, to]) => to - from > settings.maxWordLength && codePointLength(text.slice(from, to)) > settings.maxWordLength)) return 'remove'
  const pieces = settings.removeCitations ? withoutCitations(text, [start, end]) : ([[start, end]] as const)
  const line = pieces.map((piece) => text.slice(...piece)).join('')
  if (settings.terminalPunctuation && (!endMarks.some((mark) => line.endsWith(mark)) || line.endsWith('...'))) return 'remove'
  if (words.length < settings.minWordsPerLine) return 'remove'
  const lower = line.toLowerCase()
  const found = (rule: string, what: string): LineVerdict => ({ drop: { rule, value: 1, threshold: 0, ...placeOf(text, what, start, end) } })
  if (settings.loremIpsum && lower.includes('lorem ipsum')) return found('lorem_ipsum', 'lorem ipsum')
  if (settings.javascript && lower.includes('javascript')) return 'remove'
  if (settings.curlyBracket && line.includes('{')) return found('curly_bracket', '{')
  if (settings.policy && policyPhrases.some((phrase) => lower.includes(phrase))) return 'remove'
  return { pieces }
}

const withoutCitations = (text: string, [start, end]: Span): Span[] => {
  const pieces: Span[] = []
  let from = start
  for (const match of text.slice(start, end).matchAll(citation)) {
    pieces.push([from, start + match.index])
    from = start + match.index + match[0].length
  }
  return [...pieces, [from, end]]
}

const placeOf = (text: string, what: string, start: number, end: number): { span?: Span } => {
  const at = text.slice(start, end).search(new RegExp(what.replace('{', '\\{'), 'i'))
  return at < 0 ? {} : { span: [start + at, start + at + what.length] }
}

const sentenceSpans = (text: string, split: (text: string) => readonly string[]): Span[] => {
  let at = 0
  return split(text).map((sentence) => [at, (at += sentence.length)])
}

/**
 * Removes a document's weak lines, and drops it where too little is left or a rule condemns it whole. `rule` is the reason's name in
 * datatrove; each removed part is an edit.
 */
export const c4Quality = (options: C4QualityOptions = {}): Step => {
  const name = 'c4Quality'
  checkNames(name, options, [...Object.keys(defaults), ...Object.keys(switches), 'unit', 'sentences'])
  const { unit = 'line', sentences = splitIntoSentences } = options
  const given = Object.fromEntries(Object.keys(switches).map((key) => [key, options[key as keyof typeof switches] ?? true])) as typeof switches
  const settings: Settings = { ...withDefaults(name, defaults, options), ...given }
  return pureStep(name, { ...settings, unit }, (document) => {
    const { text } = document
    const spans = unit === 'line' ? lineSpans(text) : sentenceSpans(text, sentences)
    const kept: (readonly Span[])[] = []
    let count = 0
    for (const span of spans) {
      const verdict = judgeLine(text, stripSpan(text, ...span), settings)
      if (verdict === 'remove') continue
      if ('drop' in verdict) return verdict
      count += unit === 'line' ? sentences(verdict.pieces.map((piece) => text.slice(...piece)).join('')).length : 1
      kept.push(verdict.pieces)
    }
    if (count < settings.minSentences) return dropFor('too_few_sentences', count, settings.minSentences)
    return editDocument(name, document, gapsBetween(text, kept, unit === 'line' ? '\n' : ' '))
  })
}

/** The replacements that leave the kept pieces, lines joined by `separator`, white space at both ends removed. */
const gapsBetween = (text: string, lines: readonly (readonly Span[])[], separator: string) => {
  const pieces = lines.flatMap((line, i) => line.map((span, j) => ({ span, before: i > 0 && j === 0 ? separator : '' })))
  trimEnds(text, pieces)
  const replacements: { span: Span; replacement: string }[] = []
  let end = 0
  let separators = ''
  let isFirst = true
  for (const { span, before } of pieces) {
    separators += before
    if (span[0] === span[1]) continue // nothing left of it; its separator waits for the next piece
    const replacement = isFirst ? '' : separators
    if (text.slice(end, span[0]) !== replacement) replacements.push({ span: [end, span[0]], replacement })
    end = span[1]
    separators = ''
    isFirst = false
  }
  if (end < text.length) replacements.push({ span: [end, text.length], replacement: '' })
  return replacements
}

/** Shrinks the outermost pieces as stripping the joined text would. */
const trimEnds = (text: string, pieces: { span: Span; before: string }[]): void => {
  const shrink = (order: Iterable<number>, cut: (span: Span, stripped: Span) => Span): void => {
    for (const i of order) {
      const piece = pieces[i]!
      piece.span = cut(piece.span, stripSpan(text, ...piece.span))
      if (piece.span[0] < piece.span[1]) return
    }
  }
  const indexes = [...pieces.keys()]
  shrink(indexes, (span, [start]) => [start, span[1]])
  shrink(indexes.toReversed(), (span, [, end]) => [span[0], end])
}
