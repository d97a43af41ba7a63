// Optimizers as data: which settings, which state tensors, which step operation of @weft/tensor. Knows no layer.
import { ConfigError } from '@weft/contracts'
import type { Tensor } from '@weft/tensor'
import { adamWStep, lionStep, muonStep, sgdStep } from '@weft/tensor/ops'

export type OptimizerConfig =
  /** Loshchilov, Hutter, "Decoupled weight decay regularization" (2019), PyTorch's order of operations. */
  | {
      readonly kind: 'adamW'
      readonly learningRate: number
      /** Default 0.9. */
      readonly beta1?: number
      /** Default 0.95, as language models use; PyTorch's own default is 0.999. */
      readonly beta2?: number
      /** Default 1e-8. */
      readonly epsilon?: number
      /** Default 0.1. */
      readonly weightDecay?: number
    }
  /** Chen et al., "Symbolic discovery of optimization algorithms" (2023). */
  | { readonly kind: 'lion'; readonly learningRate: number; readonly beta1?: number; readonly beta2?: number; readonly weightDecay?: number }
  | { readonly kind: 'sgd'; readonly learningRate: number; readonly momentum?: number; readonly nesterov?: boolean; readonly weightDecay?: number }
  /** Jordan et al., "Muon" (2024), as torch.optim.Muon; trains matrices alone. */
  | {
      readonly kind: 'muon'
      readonly learningRate: number
      /** Default 0.95. */
      readonly momentum?: number
      /** Default true. */
      readonly nesterov?: boolean
      /** Default 0.1. */
      readonly weightDecay?: number
      /** Step size by shape: `original` (default) √max(1, rows / columns); `matchRmsAdamW` 0.2 · √max(rows, columns). */
      readonly adjust?: 'original' | 'matchRmsAdamW'
    }

interface StepState {
  readonly values: readonly Tensor[]
  readonly masters: readonly Tensor[]
  readonly state: readonly (readonly Tensor[])[]
  readonly step: Tensor
}

interface OptimizerRule<C> {
  /** Names of the state lists, one tensor a parameter each. */
  readonly stateNames: readonly string[]
  readonly defaultWeightDecay: number
  readonly matricesOnly?: true
  apply(config: C, now: StepState & { readonly gradients: readonly Tensor[]; readonly gradientScale: Tensor }, settings: { readonly learningRate: number; readonly weightDecay: number }): StepState
}

type ConfigOf<K extends OptimizerConfig['kind']> = Extract<OptimizerConfig, { kind: K }>

const rules: { readonly [K in OptimizerConfig['kind']]: OptimizerRule<ConfigOf<K>> } = {
  adamW: {
    stateNames: ['firstMoments', 'secondMoments'],
    defaultWeightDecay: 0.1,
    apply: (config, { values, masters, gradients, gradientScale, step, state: [firstMoments, secondMoments] }, settings) => {
      const next = adamWStep(
        { values, masters, gradients, firstMoments: firstMoments!, secondMoments: secondMoments!, step, gradientScale },
        { beta1: config.beta1 ?? 0.9, beta2: config.beta2 ?? 0.95, epsilon: config.epsilon ?? 1e-8, ...settings },
      )
      return { values: next.values, masters: next.masters, state: [next.firstMoments, next.secondMoments], step: next.step }
    },
  },
  lion: {
    stateNames: ['momenta'],
    defaultWeightDecay: 0.1,
    apply: (config, { values, masters, gradients, gradientScale, step, state: [momenta] }, settings) => {
      const next = lionStep({ values, masters, gradients, momenta: momenta!, step, gradientScale }, { beta1: config.beta1 ?? 0.9, beta2: config.beta2 ?? 0.99, ...settings })
      return { values: next.values, masters: next.masters, state: [next.momenta], step: next.step }
    },
  },
  sgd: {
    stateNames: ['momenta'],
    defaultWeightDecay: 0,
    apply: (config, { values, masters, gradients, gradientScale, step, state: [momenta] }, settings) => {
      const next = sgdStep({ values, masters, gradients, momenta: momenta!, step, gradientScale }, { momentum: config.momentum ?? 0, nesterov: config.nesterov ?? false, ...settings })
      return { values: next.values, masters: next.masters, state: [next.momenta], step: next.step }
    },
  },
  muon: {
    stateNames: ['momenta'],
    defaultWeightDecay: 0.1,
    matricesOnly: true,
    apply: (config, { values, masters, gradients, gradientScale, step, state: [momenta] }, settings) => {
      const next = muonStep(
        { values, masters, gradients, momenta: momenta!, step, gradientScale },
        { momentum: config.momentum ?? 0.95, nesterov: config.nesterov ?? true, adjust: config.adjust ?? 'original', ...settings },
      )
      return { values: next.values, masters: next.masters, state: [next.momenta], step: next.step }
    },
  },
}

/** The rule of a configuration. @throws ConfigError for an unknown kind or a learning rate that is not a number ≥ 0. */
export const optimizerRule = (config: OptimizerConfig): OptimizerRule<OptimizerConfig> => {
  const rule = rules[config.kind] as OptimizerRule<OptimizerConfig> | undefined
  if (rule === undefined) throw new ConfigError(`optimizer.kind: expected one of ${Object.keys(rules).join(', ')}, got ${JSON.stringify(config.kind)}`)
  if (!(config.learningRate >= 0)) throw new ConfigError(`optimizer.learningRate: expected a number ≥ 0, got ${config.learningRate}`)
  return rule
}
