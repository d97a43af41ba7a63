// Short answers against references: lm-evaluation-harness's exact match and SQuAD's.
import { checkLengths } from './likelihood.ts'
import { splitSpaced } from './text-units.ts'

const asciiPunctuation = /[!-/:-@[-`{-~]/g

export interface ExactMatchOptions {
  readonly ignoreCase?: boolean
  /** ASCII punctuation. */
  readonly ignorePunctuation?: boolean
  /** ASCII digits. */
  readonly ignoreNumbers?: boolean
  /** Whatever these match is removed from both sides first; make them global where all matches are meant. */
  readonly ignorePatterns?: readonly RegExp[]
}

/** The share of predictions that equal their reference after what is to be ignored has been removed. */
export const exactMatch = (
  options: ExactMatchOptions & { readonly predictions: readonly string[]; readonly references: readonly string[] },
): number => {
  const { predictions, references } = options
  checkLengths('exactMatch', { predictions, references })
  return predictions.filter((prediction, index) => isExactMatch(prediction, references[index]!, options)).length / predictions.length
}

export const isExactMatch = (prediction: string, reference: string, options: ExactMatchOptions): boolean => {
  const clean = (text: string): string => {
    let cleaned = (options.ignorePatterns ?? []).reduce((rest, pattern) => rest.replace(pattern, ''), text)
    if (options.ignoreCase) cleaned = cleaned.toLowerCase()
    if (options.ignorePunctuation) cleaned = cleaned.replace(asciiPunctuation, '')
    return options.ignoreNumbers ? cleaned.replace(/[0-9]/g, '') : cleaned
  }
  return clean(prediction) === clean(reference)
}

/** Lower case, without ASCII punctuation and the articles a, an, the, white space collapsed: SQuAD's normal form. */
export const normalizeAnswer = (text: string): string =>
  splitSpaced(
    text
      .toLowerCase()
      .replace(asciiPunctuation, '')
      .replace(/(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu, ' '),
  ).join(' ')

/**
 * SQuAD's scores of one answer: whether it equals a reference in normal form, and the best F1 over words in common.
 *
 * Two empty answers agree, so that "no answer" can be right (SQuAD 2.0; version 1.1 gave an F1 of 0 there).
 *
 * @see Rajpurkar et al. 2016.
 */
export const answerScores = ({
  prediction,
  references,
}: {
  readonly prediction: string
  readonly references: readonly string[]
}): { exactMatch: 0 | 1; f1: number } => {
  const answer = normalizeAnswer(prediction)
  const golds = references.map(normalizeAnswer)
  return { exactMatch: golds.includes(answer) ? 1 : 0, f1: golds.reduce((best, gold) => Math.max(best, wordF1(answer, gold)), 0) }
}

const wordF1 = (answer: string, gold: string): number => {
  const answerWords = splitSpaced(answer)
  const goldWords = splitSpaced(gold)
  if (answerWords.length === 0 || goldWords.length === 0) return Number(answerWords.length === goldWords.length)
  const left = new Map<string, number>()
  for (const word of goldWords) left.set(word, (left.get(word) ?? 0) + 1)
  let shared = 0
  for (const word of answerWords) {
    const count = left.get(word) ?? 0
    if (count > 0) shared++
    left.set(word, count - 1)
  }
  return (2 * shared) / (answerWords.length + goldWords.length)
}
