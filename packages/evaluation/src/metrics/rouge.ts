// ROUGE-1, -2, -L and -Lsum (Lin 2004) as Google's rouge_score computes them, without its stemmer. Tokens are lower-case runs of
// ASCII letters and digits, so texts in other scripts score 0: use chrF there.
import { countNGrams } from './bleu.ts'
import { ConfigError } from '@weft/contracts'

export interface RougeScore {
  readonly precision: number
  readonly recall: number
  /** Their harmonic mean. */
  readonly f1: number
}

export interface RougeResult {
  readonly rouge1: RougeScore
  readonly rouge2: RougeScore
  /** Longest common subsequence of the whole text. */
  readonly rougeL: RougeScore
  /** Union of longest common subsequences, line by line. */
  readonly rougeLsum: RougeScore
}

/**
 * ROUGE of one text. Of several references, each variant takes the one with its best F1.
 *
 * @throws ConfigError without a reference.
 */
export const rouge = ({ prediction, references }: { readonly prediction: string; readonly references: readonly string[] }): RougeResult => {
  if (references.length === 0) throw new ConfigError('rouge: expected at least one reference')
  const results = references.map((reference) => againstReference(prediction, reference))
  const best = (variant: keyof RougeResult) => results.map((result) => result[variant]).reduce((a, b) => (b.f1 > a.f1 ? b : a))
  return { rouge1: best('rouge1'), rouge2: best('rouge2'), rougeL: best('rougeL'), rougeLsum: best('rougeLsum') }
}

export const rougeTokens = (text: string): string[] => text.toLowerCase().match(/[a-z0-9]+/g) ?? []

const againstReference = (prediction: string, reference: string): RougeResult => {
  const predicted = rougeTokens(prediction)
  const gold = rougeTokens(reference)
  return {
    rouge1: nGramScore(predicted, gold, 1),
    rouge2: nGramScore(predicted, gold, 2),
    rougeL: scoreOf(lcsIndices(gold, predicted).length, predicted.length, gold.length),
    rougeLsum: summaryScore(prediction, reference),
  }
}

const scoreOf = (common: number, predicted: number, gold: number): RougeScore => {
  const precision = predicted === 0 ? 0 : common / predicted
  const recall = gold === 0 ? 0 : common / gold
  return { precision, recall, f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall) }
}

const nGramScore = (predicted: readonly string[], gold: readonly string[], n: number): RougeScore => {
  const golds = countNGrams(gold, n)
  const common = [...countNGrams(predicted, n)].reduce((sum, [key, count]) => sum + Math.min(count, golds.get(key) ?? 0), 0)
  return scoreOf(common, Math.max(0, predicted.length - n + 1), Math.max(0, gold.length - n + 1))
}

/** Places in `gold` of one longest common subsequence; of equally long ones, the one that the reference implementation walks. */
const lcsIndices = (gold: readonly string[], predicted: readonly string[]): number[] => {
  const width = predicted.length + 1
  const lengths = new Uint32Array((gold.length + 1) * width)
  for (let i = 1; i <= gold.length; i++) {
    for (let j = 1; j < width; j++) {
      lengths[i * width + j] =
        gold[i - 1] === predicted[j - 1]
          ? lengths[(i - 1) * width + j - 1]! + 1
          : Math.max(lengths[(i - 1) * width + j]!, lengths[i * width + j - 1]!)
    }
  }
  const places: number[] = []
  for (let i = gold.length, j = predicted.length; i > 0 && j > 0;) {
    if (gold[i - 1] === predicted[j - 1]) {
      places.push(--i)
      j--
    } else if (lengths[i * width + j - 1]! > lengths[(i - 1) * width + j]!) j--
    else i--
  }
  return places.reverse()
}

/** Every reference line against all lines of the prediction; a token counts no more often than it stands on either side. */
const summaryScore = (prediction: string, reference: string): RougeScore => {
  const linesOf = (text: string) =>
    text
      .split('\n')
      .map(rougeTokens)
      .filter((line) => line.length > 0)
  const predictedLines = linesOf(prediction)
  const goldLines = linesOf(reference)
  const left = [predictedLines, goldLines].map((lines) => countNGrams(lines.flat(), 1)) as [Map<string, number>, Map<string, number>]
  let hits = 0
  for (const gold of goldLines) {
    const union = new Set(predictedLines.flatMap((line) => lcsIndices(gold, line)))
    for (const place of [...union].sort((a, b) => a - b)) {
      const token = gold[place]!
      if (left.some((counts) => (counts.get(token) ?? 0) <= 0)) continue
      for (const counts of left) counts.set(token, counts.get(token)! - 1)
      hits++
    }
  }
  return scoreOf(hits, predictedLines.flat().length, goldLines.flat().length)
}
