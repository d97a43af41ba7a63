// What to minimise. Each factory closes over networks and returns an Objective.
import { ConfigError } from '@weft/contracts'
import { tensor, type Network, type Tensor, type TokenBatch } from '@weft/tensor'
import { add, mul, scalarLike, sum } from '@weft/tensor/ops'
import type { Objective } from './objective.ts'

/**
 * Next-token cross entropy: Σ_t w_t · (−ln p(target_t)), nats, over positions with a target.
 * Weights are the batch's lossWeights, else 1 where targetIds ≥ 0.
 */
export const causal = (options: { readonly network: Network; readonly labelSmoothing?: number; readonly zLoss?: number }): Objective<TokenBatch> => {
  const { network, ...lossOptions } = options
  return (batch, pass) => {
    const { hidden, auxiliaryLoss } = network.hiddenStates(batch, pass)
    const losses = network.tokenLosses(hidden, batch, lossOptions)
    const weighted = batch.lossWeights === undefined ? losses : mul(losses, tensor(network.backend, batch.lossWeights, batch.shape))
    const weight = batchWeight(batch)
    const total = sum(weighted)
    return { lossSum: auxiliaryLoss === undefined ? total : addScaled(total, auxiliaryLoss, weight), weight }
  }
}

/** Σ of the loss weights: a host sum, so that nothing waits for the device. */
export const batchWeight = ({ targetIds, lossWeights }: TokenBatch): number => {
  if (targetIds === undefined) throw new ConfigError('batch.targetIds: a causal objective needs them')
  let weight = 0
  for (let i = 0; i < targetIds.length; i++) if (targetIds[i]! >= 0) weight += lossWeights?.[i] ?? 1
  return weight
}

/** An auxiliary loss is a mean: scaled by the weight it joins the sum. */
const addScaled = (total: Tensor, auxiliary: Tensor, weight: number): Tensor => add(total, mul(auxiliary, scalarLike(auxiliary, weight)))
