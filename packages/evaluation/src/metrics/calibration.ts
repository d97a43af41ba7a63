// Whether probabilities mean what they say.
import { checkLengths } from './likelihood.ts'

/**
 * The multi-class Brier score: the mean over items of Σ over classes of (p − 1 where right, 0 elsewhere)², 0 (best) to 2.
 *
 * @param options.probabilities per item, one per class, summing to 1.
 * @param options.answers per item, the index of the right class.
 */
export const brier = ({
  probabilities,
  answers,
}: {
  readonly probabilities: readonly (readonly number[])[]
  readonly answers: readonly number[]
}): number => {
  checkLengths('brier', { probabilities, answers })
  return probabilities.reduce((sum, row, item) => sum + brierOfItem(row, answers[item]!), 0) / probabilities.length
}

export const brierOfItem = (probabilities: readonly number[], answer: number): number =>
  probabilities.reduce((sum, probability, index) => sum + (probability - (index === answer ? 1 : 0)) ** 2, 0)

export interface CalibrationOptions {
  /** The probability that the model gave to its answer, per item. */
  readonly confidences: readonly number[]
  readonly correct: readonly boolean[]
  /** Default 10. */
  readonly numBins?: number
  /** `equalWidth`: bins (k/n, (k + 1)/n] (default); `equalMass`: as many items in each, the first ones taking the rest. */
  readonly binning?: 'equalWidth' | 'equalMass'
}

export interface CalibrationBin {
  readonly numItems: number
  /** Share right; NaN for an empty bin. */
  readonly accuracy: number
  /** Mean confidence; NaN for an empty bin. */
  readonly confidence: number
}

/** The bins of a reliability diagram, from low to high confidence. */
export const calibrationBins = ({ confidences, correct, numBins = 10, binning = 'equalWidth' }: CalibrationOptions): CalibrationBin[] => {
  checkLengths('calibrationBins', { confidences, correct })
  const order = confidences.map((_, index) => index).sort((a, b) => confidences[a]! - confidences[b]!)
  const bins = Array.from({ length: numBins }, (): number[] => [])
  const large = order.length % numBins
  const small = Math.floor(order.length / numBins)
  const massBin = (rank: number) =>
    rank < large * (small + 1) ? Math.floor(rank / (small + 1)) : large + Math.floor((rank - large * (small + 1)) / small)
  const widthBin = (confidence: number) => Math.min(numBins - 1, Math.max(0, Math.ceil(confidence * numBins) - 1))
  for (const [rank, item] of order.entries()) bins[binning === 'equalMass' ? massBin(rank) : widthBin(confidences[item]!)]!.push(item)
  return bins.map((items) => ({
    numItems: items.length,
    accuracy: items.filter((item) => correct[item]).length / items.length,
    confidence: items.reduce((sum, item) => sum + confidences[item]!, 0) / items.length,
  }))
}

/**
 * The expected calibration error: Σ over bins of (share of items)·|accuracy − confidence|, 0 (best) to 1. Its value depends on the
 * number and kind of bins; below some 300 items it is mostly noise.
 *
 * @see Guo et al. 2017.
 */
export const expectedCalibrationError = (options: CalibrationOptions): number =>
  calibrationBins(options)
    .filter((bin) => bin.numItems > 0)
    .reduce((sum, bin) => sum + (bin.numItems / options.confidences.length) * Math.abs(bin.accuracy - bin.confidence), 0)
