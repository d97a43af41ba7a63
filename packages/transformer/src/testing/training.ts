// The training that reference folders record: next-token loss on one batch, AdamW on everything, ten losses.
import { disposeAll, full, keep, noGrad, read, readScalar, tidy, valueAndGrad, zeros, randomKey, type HostArray, type Network, type Parameter, type Tensor, type TokenBatch } from '@weft/tensor'
import { adamWStep, mul, scalarLike, sum } from '@weft/tensor/ops'

/** Labels are the ids themselves: position t must say what stands at t + 1, the last one nothing. */
export const nextTokenBatch = (ids: ArrayLike<number>, shape: readonly [number, number]): TokenBatch => {
  const tokenIds = Int32Array.from(ids)
  const targetIds = Int32Array.from(tokenIds, (_, i) => (i % shape[1] === shape[1] - 1 ? -1 : tokenIds[i + 1]!))
  return { shape, tokenIds, targetIds }
}

/** Mean loss in nats and its gradients. */
export const lossAndGradients = (network: Network, batch: TokenBatch, parameters: readonly Parameter[]): { value: Tensor; gradients: Tensor[] } => {
  const count = batch.targetIds!.filter((id) => id >= 0).length
  const { result, gradients } = valueAndGrad(() => {
    const { hidden } = network.hiddenStates(batch, { key: randomKey(0), training: true })
    const total = sum(network.tokenLosses(hidden, batch))
    return { value: mul(total, scalarLike(total, 1 / count)) }
  }, parameters)
  return { value: result.value, gradients }
}

/** Values of the gradients, by the parameter's name. */
export const readGradients = async (gradients: readonly Tensor[], parameters: readonly Parameter[]): Promise<Map<string, HostArray>> => {
  const values = await Promise.all(gradients.map((gradient) => read(gradient)))
  return new Map(parameters.map(({ name }, i) => [name, values[i]!]))
}

/** losses[k] is the loss after k updates: lr 1e-3, betas 0.9 and 0.95, epsilon 1e-8, weight decay 0.1 on every tensor, no clipping. */
export const adamWLosses = async (network: Network, batch: TokenBatch, options: { readonly parameters: readonly Parameter[]; readonly steps: number }): Promise<number[]> => {
  const { parameters, steps } = options
  const { backend } = network
  const like = (): Tensor[] => keep(parameters.map(({ value }) => zeros(backend, value.shape, { dtype: value.dtype })))
  const dtype = parameters[0]!.value.dtype
  let state = { firstMoments: like(), secondMoments: like(), step: keep(zeros(backend, [], { dtype })) }
  const losses: number[] = []
  try {
    for (let k = 0; k < steps; k++) {
      const loss = keep(
        tidy(() => {
          const { value, gradients } = lossAndGradients(network, batch, parameters)
          if (k < steps - 1) state = update({ parameters, gradients, state, gradientScale: full(backend, [], 1, { dtype }) })
          return value
        }),
      )
      losses.push(await readScalar(loss))
      loss.dispose()
    }
    return losses
  } finally {
    disposeAll(state)
  }
}

interface AdamState {
  readonly firstMoments: Tensor[]
  readonly secondMoments: Tensor[]
  readonly step: Tensor
}

const update = (options: { readonly parameters: readonly Parameter[]; readonly gradients: readonly Tensor[]; readonly state: AdamState; readonly gradientScale: Tensor }): AdamState =>
  noGrad(() => {
    const { parameters, gradients, state, gradientScale } = options
    const next = adamWStep(
      { values: parameters.map(({ value }) => value), masters: [], gradients: [...gradients], ...state, gradientScale },
      { learningRate: 1e-3, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 },
    )
    parameters.forEach((parameter, i) => parameter.assign({ value: next.values[i]! }))
    return keep({ firstMoments: [...next.firstMoments], secondMoments: [...next.secondMoments], step: next.step })
  })
