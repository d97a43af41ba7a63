// The loop that `weft train` and `weft tune` share: its settings, its bar, its checkpoints, and what Ctrl-C leaves behind.
import { join } from 'node:path'
import type { FileContent } from '@weft/sources'
import type { Network, Parameter, TokenBatch } from '@weft/tensor'
import { train, type BatchSource, type TrainEvent } from '@weft/trainer'
import { folderStore } from '@weft/trainer/node'
import { causal } from '@weft/trainer/objectives'
import type { Session } from './session.ts'

export interface LoopSettings {
  readonly steps: number
  readonly batchSize: number
  readonly accumulate: number
  readonly learningRate: number
  readonly warmupSteps: number
  readonly weightDecay: number
  readonly saveEvery: number
  readonly validateEvery: number
  readonly validationFraction: number
  readonly seed: number
}

export const loopKeys = ['steps', 'batchSize', 'accumulate', 'learningRate', 'warmupSteps', 'weightDecay', 'saveEvery', 'validateEvery', 'validationFraction', 'seed'] as const

/** What was given, else the command's defaults, else what follows from the number of steps. */
export const loopSettings = (given: Partial<LoopSettings>, defaults: Pick<LoopSettings, 'steps' | 'batchSize' | 'learningRate' | 'weightDecay' | 'validationFraction'>): LoopSettings => {
  const steps = given.steps ?? defaults.steps
  return {
    steps,
    batchSize: given.batchSize ?? defaults.batchSize,
    accumulate: given.accumulate ?? 1,
    learningRate: given.learningRate ?? defaults.learningRate,
    warmupSteps: given.warmupSteps ?? Math.ceil(steps / 20),
    weightDecay: given.weightDecay ?? defaults.weightDecay,
    saveEvery: given.saveEvery ?? Math.ceil(steps / 10),
    validateEvery: given.validateEvery ?? Math.ceil(steps / 10),
    validationFraction: given.validationFraction ?? defaults.validationFraction,
    seed: given.seed ?? 0,
  }
}

export interface LoopOptions {
  readonly out: string
  /** For the line that says how to go on. */
  readonly command: string
  readonly isResumed: boolean
  readonly settings: LoopSettings
  readonly network: Network
  readonly parameters: readonly Parameter[]
  readonly batches: BatchSource<TokenBatch>
  readonly validation: BatchSource<TokenBatch> | undefined
  /** What lies in a checkpoint beside the training state, so that it opens as a model. */
  readonly extra: () => Readonly<Record<string, FileContent>>
}

/** Trains to the end; the events of this part of the run. */
export const runLoop = async (session: Session, options: LoopOptions): Promise<TrainEvent[]> => {
  const { out, settings, validation, isResumed } = options
  const events: TrainEvent[] = []
  const bar = session.bar('training', 'steps')
  let [heldOut, savedStep] = ['', 0]
  try {
    for await (const event of train({
      parameters: options.parameters,
      objective: causal({ network: options.network }),
      batches: options.batches,
      optimizer: { kind: 'adamW', learningRate: settings.learningRate, weightDecay: settings.weightDecay },
      schedule: { kind: 'warmupCosine', warmupSteps: settings.warmupSteps },
      steps: settings.steps,
      gradientAccumulationSteps: settings.accumulate,
      checkpoint: { store: folderStore(join(out, 'checkpoints')), everySteps: settings.saveEvery, extra: options.extra },
      ...(validation === undefined ? {} : { validation: { batches: validation, everySteps: settings.validateEvery } }),
      ...(isResumed ? { resume: 'latest' } : {}),
      seed: settings.seed,
      signal: session.signal,
    })) {
      events.push(event)
      await session.turn()
      if (event.kind === 'validation') heldOut = `, held out ${event.lossNats.toFixed(3)}`
      if (event.kind === 'checkpoint') savedStep = event.step
      if (event.kind === 'step') bar.update(event.step, settings.steps, `loss ${event.lossNats.toFixed(3)}${heldOut}`)
    }
  } catch (error) {
    if (session.signal.aborted && savedStep > 0) session.warn(`saved at step ${savedStep} of ${settings.steps}; go on with: weft ${options.command} --resume --out ${out}`)
    throw error
  } finally {
    bar.end()
  }
  return events
}

/** Losses for the closing line and for --json. */
export const lossesOf = (events: readonly TrainEvent[]) => {
  const steps = events.filter((event) => event.kind === 'step')
  const validation = events.filter((event) => event.kind === 'validation').at(-1)
  return {
    steps: events.at(-1)?.kind === 'finished' ? events.at(-1)!.step : (steps.at(-1)?.step ?? 0),
    lossNats: steps.at(-1)?.lossNats ?? null,
    validationLossNats: validation?.lossNats ?? null,
  }
}

