// The scores by name: which way each improves, and how those that are not means come from sums over the items.
import { bleuFromSums } from './metrics/bleu.ts'
import { chrFFromSums } from './metrics/chr-f.ts'
import type { Better } from './task.ts'

export interface MetricDefinition {
  readonly better: Better
  /** From the summed statistics of the items; absent: the mean of the items' scores. */
  readonly fromSums?: (sums: readonly number[], numItems: number) => number
}

/** exp(−Σ ln p / Σ weight), from [ln p, weight]. */
const perWeight = (sums: readonly number[]): number => Math.exp(-sums[0]! / sums[1]!)

export const metricDefinitions: ReadonlyMap<string, MetricDefinition> = new Map(
  Object.entries({
    accuracy: { better: 'higher' },
    accuracyNorm: { better: 'higher' },
    accuracyBytes: { better: 'higher' },
    brier: { better: 'lower' },
    expectedCalibrationError: { better: 'lower' },
    bitsPerByte: { better: 'lower', fromSums: (sums) => -sums[0]! / (sums[1]! * Math.LN2) },
    bytePerplexity: { better: 'lower', fromSums: perWeight },
    wordPerplexity: { better: 'lower', fromSums: perWeight },
    perplexity: { better: 'lower', fromSums: perWeight },
    pctStereotype: { better: 'half' },
    pctStereotypePerToken: { better: 'half' },
    likelihoodDiff: { better: 'lower' },
    ties: { better: 'neither' },
    exactMatch: { better: 'higher' },
    answerMatch: { better: 'higher' },
    answerF1: { better: 'higher' },
    bleu: { better: 'higher', fromSums: (sums) => bleuFromSums(sums).score },
    chrF: { better: 'higher', fromSums: (sums) => chrFFromSums(sums) },
    rouge1: { better: 'higher' },
    rouge2: { better: 'higher' },
    rougeL: { better: 'higher' },
    rougeLsum: { better: 'higher' },
    distinct1: { better: 'higher' },
    distinct2: { better: 'higher' },
    distinct3: { better: 'higher' },
    repetition: { better: 'lower' },
    longestRepeat: { better: 'lower' },
    numWords: { better: 'neither' },
  } satisfies Record<string, MetricDefinition>),
)
