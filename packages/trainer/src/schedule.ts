// The learning rate over a run, as a factor of the optimizer's. The formulas are those of transformers' optimization.py, evaluated at
// the number of updates already made, so a warm-up starts at 0 and the first update of it changes nothing.
import { ConfigError } from '@weft/contracts'

export type Schedule =
  | { readonly kind: 'constant'; readonly warmupSteps?: number }
  /** Half a cosine from 1 down to minFactor (default 0.1). */
  | { readonly kind: 'warmupCosine'; readonly warmupSteps: number; readonly minFactor?: number }
  | { readonly kind: 'warmupLinear'; readonly warmupSteps: number; readonly minFactor?: number }
  /** 1 until decaySteps before the end, then down a straight line to minFactor (default 0). */
  | { readonly kind: 'warmupStableDecay'; readonly warmupSteps: number; readonly decaySteps: number; readonly minFactor?: number }

/**
 * The factor for the update number `step` (from 0) of `totalSteps`; in [0, 1].
 * @throws ConfigError for negative or fractional step counts and unknown kinds.
 */
export const scheduleFactor = (schedule: Schedule, step: number, totalSteps: number): number => {
  const warmupSteps = schedule.warmupSteps ?? 0
  if (!Number.isInteger(warmupSteps) || warmupSteps < 0) throw new ConfigError(`schedule.warmupSteps: expected an integer ≥ 0, got ${warmupSteps}`)
  if (step < warmupSteps) return step / Math.max(1, warmupSteps)
  switch (schedule.kind) {
    case 'constant':
      return 1
    case 'warmupCosine': {
      const minFactor = schedule.minFactor ?? 0.1
      const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps))
      return minFactor + (1 - minFactor) * 0.5 * (1 + Math.cos(Math.PI * progress))
    }
    case 'warmupLinear': {
      const minFactor = schedule.minFactor ?? 0
      return minFactor + (1 - minFactor) * Math.max(0, (totalSteps - step) / Math.max(1, totalSteps - warmupSteps))
    }
    case 'warmupStableDecay': {
      const minFactor = schedule.minFactor ?? 0
      const left = Math.max(0, totalSteps - step)
      return left >= schedule.decaySteps ? 1 : minFactor + (1 - minFactor) * (left / Math.max(1, schedule.decaySteps))
    }
    default:
      throw new ConfigError(`schedule.kind: expected constant, warmupCosine, warmupLinear or warmupStableDecay, got ${JSON.stringify((schedule as { kind: unknown }).kind)}`)
  }
}
