import type { Pass, Tensor } from '@weft/tensor'

/**
 * What training minimises: Σ lossSum / Σ weight over the micro-batches of a step.
 * `weight` is a host number (a count of tokens, or a sum of their weights); metrics are scalars, averaged by weight.
 */
export type Objective<B> = (
  batch: B,
  pass: Pass,
) => { readonly lossSum: Tensor; readonly weight: number; readonly metrics?: Readonly<Record<string, Tensor>> }
