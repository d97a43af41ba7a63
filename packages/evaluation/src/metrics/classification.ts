// Predicted against true labels: accuracy, F1, Matthews' correlation. Labels are compared by identity.
import { checkLengths } from './likelihood.ts'

export type Label = string | number | boolean

export interface LabelPair {
  readonly predictions: readonly Label[]
  readonly references: readonly Label[]
}

/** The share of predictions that equal their reference; NaN for none. */
export const accuracy = ({ predictions, references }: LabelPair): number => {
  checkLengths('accuracy', { predictions, references })
  return predictions.filter((label, index) => label === references[index]).length / predictions.length
}

/**
 * F1 = 2·TP / (2·TP + FP + FN), 0 where nothing was found.
 *
 * @param options.positive the label that F1 is about; without it, F1 of every label that occurs is averaged.
 * @param options.average `macro`: labels count the same (default); `micro`: items count the same; `weighted`: labels by frequency.
 */
export const f1 = (options: LabelPair & { readonly positive?: Label; readonly average?: 'macro' | 'micro' | 'weighted' }): number => {
  const { predictions, references, positive, average = 'macro' } = options
  checkLengths('f1', { predictions, references })
  if (positive !== undefined) return labelF1(options, positive).f1
  if (average === 'micro') return accuracy(options) // every miss is one false positive and one false negative
  const labels = [...new Set([...references, ...predictions])].map((label) => labelF1(options, label))
  return average === 'macro'
    ? labels.reduce((total, label) => total + label.f1, 0) / labels.length
    : labels.reduce((total, label) => total + label.f1 * label.support, 0) / references.length
}

const labelF1 = ({ predictions, references }: LabelPair, label: Label): { f1: number; support: number } => {
  const support = references.filter((reference) => reference === label).length
  const predicted = predictions.filter((prediction) => prediction === label).length
  const hits = predictions.filter((prediction, index) => prediction === label && references[index] === label).length
  return { f1: hits === 0 ? 0 : (2 * hits) / (support + predicted), support }
}

/**
 * Matthews' correlation coefficient for any number of labels, −1 to 1; 0 where one side has a single label.
 *
 * R = (c·s − Σ pₖ·tₖ) / √((s² − Σ pₖ²)(s² − Σ tₖ²)) with c items right of s, pₖ predicted and tₖ true counts of label k.
 *
 * @see Gorodkin 2004.
 */
export const mcc = ({ predictions, references }: LabelPair): number => {
  checkLengths('mcc', { predictions, references })
  const right = predictions.filter((label, index) => label === references[index]).length
  const predicted = countLabels(predictions)
  const actual = countLabels(references)
  const squares = (counts: ReadonlyMap<Label, number>) => [...counts.values()].reduce((sum, count) => sum + count ** 2, 0)
  const cross = [...predicted].reduce((sum, [label, count]) => sum + count * (actual.get(label) ?? 0), 0)
  const total = predictions.length
  const denominator = Math.sqrt((total ** 2 - squares(predicted)) * (total ** 2 - squares(actual)))
  return denominator === 0 ? 0 : (right * total - cross) / denominator
}

const countLabels = (labels: readonly Label[]): Map<Label, number> => {
  const counts = new Map<Label, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return counts
}
