// One training step on the device: micro-batches, accumulated gradients, clipping, the update. Synchronous; nothing here waits for a value.
import type { Parameter, Tensor } from '@weft/tensor'
import { childKey, noGrad, randomKey, tidy, valueAndGrad } from '@weft/tensor'
import { add, addInto, cast, div, full, globalNorm, minimum, mul, scalarLike } from '@weft/tensor/ops'
import type { Objective } from './objective.ts'
import type { OptimizerState } from './optimizer-state.ts'

export interface StepResult {
  /** Σ lossSum, f32 scalar on the device; owned by whoever holds the result. */
  readonly lossSum: Tensor
  /** Norm of the mean gradient before clipping. */
  readonly gradientNorm: Tensor
  readonly metricSums: ReadonlyMap<string, Tensor>
  readonly weight: number
}

export const runTrainingStep = <B>(options: {
  readonly parameters: readonly Parameter[]
  readonly objective: Objective<B>
  readonly optimizer: OptimizerState
  readonly microBatches: readonly B[]
  readonly learningRate: number
  readonly maxGradNorm: number | undefined
  readonly precision: 'f32' | 'bf16'
  readonly seed: number
  /** Updates already made. */
  readonly step: number
}): StepResult =>
  tidy(() => {
    const { parameters, objective, optimizer, microBatches, learningRate, precision, seed, step } = options
    const sums = new Map<string, Tensor>()
    let gradients: Tensor[] | undefined
    let lossSum: Tensor | undefined
    let weight = 0
    const stepKey = childKey(randomKey(seed), `step ${step}`)
    microBatches.forEach((batch, index) => {
      const { result, gradients: fresh } = tidy(() =>
        valueAndGrad(() => {
          const { lossSum: value, ...rest } = objective(batch, { key: childKey(stepKey, index), training: true, precision })
          return { value, ...rest }
        }, parameters),
      )
      weight += result.weight
      noGrad(() => {
        gradients = accumulated(gradients, fresh, microBatches.length)
        lossSum = lossSum === undefined ? result.value : add(lossSum, result.value)
        for (const [name, metric] of Object.entries(result.metrics ?? {})) {
          const part = mul(metric, scalarLike(metric, result.weight))
          const before = sums.get(name)
          sums.set(name, before === undefined ? part : add(before, part))
        }
      })
    })
    return noGrad(() => {
      const { norm, gradientScale } = gradientScaling(gradients!, weight, options.maxGradNorm)
      const named = new Map(parameters.map(({ name }, i) => [name, gradients![i]!]))
      optimizer.update(named, gradientScale, { learningRate, step })
      return { lossSum: lossSum!, gradientNorm: norm, metricSums: sums, weight }
    })
  })

/** Narrow gradients of several micro-batches gather in f32: small ones must not be lost beside a large sum. Frees what came in. */
const accumulated = (sums: readonly Tensor[] | undefined, fresh: readonly Tensor[], count: number): Tensor[] => {
  if (sums === undefined) return fresh.map((gradient) => (count > 1 && (gradient.dtype === 'bf16' || gradient.dtype === 'f16') ? replaced(gradient, cast(gradient, 'f32')) : gradient))
  return sums.map((sum, i) => replaced(fresh[i]!, addInto(sum, fresh[i]!)))
}

const replaced = (before: Tensor, after: Tensor): Tensor => {
  before.dispose()
  return after
}

/**
 * norm = ‖Σ∇‖ / Σweight; scale = min(1, maxGradNorm / norm) / Σweight. An infinite or undefined norm must make the scale so too, for
 * that is how the update knows to change nothing: hence + 0·norm.
 */
const gradientScaling = (gradients: readonly Tensor[], weight: number, maxGradNorm: number | undefined): { norm: Tensor; gradientScale: Tensor } => {
  const total = globalNorm(gradients)
  const norm = mul(total, scalarLike(total, 1 / weight))
  const clip = maxGradNorm === undefined ? full(total.backend, [], 1) : minimum(scalarLike(norm, 1), div(scalarLike(norm, maxGradNorm), norm))
  return { norm, gradientScale: add(mul(clip, scalarLike(clip, 1 / weight)), mul(norm, scalarLike(norm, 0))) }
}

/** Loss and metrics without gradients. */
export const runEvaluationStep = <B>(objective: Objective<B>, batch: B, { seed, precision }: { readonly seed: number; readonly precision: 'f32' | 'bf16' }): StepResult =>
  noGrad(() =>
    tidy(() => {
      const { lossSum, weight, metrics } = objective(batch, { key: randomKey(seed, 'validation'), training: false, precision })
      const metricSums = new Map(Object.entries(metrics ?? {}).map(([name, x]) => [name, mul(x, scalarLike(x, weight))]))
      return { lossSum, gradientNorm: full(lossSum.backend, [], 0), metricSums, weight }
    }),
  )

