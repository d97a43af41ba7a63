// The loop: batches in, events out. Step n + 1 is enqueued before event n is yielded, so the device never waits for the caller, except
// where the weights must stand still: after a validation, a checkpoint, the last step or an abort.
import { ConfigError, WeftError, type Json } from '@weft/contracts'
import type { FileContent } from '@weft/sources'
import { disposeAll, readScalar, type Backend, type Parameter } from '@weft/tensor'
import type { BatchItem, BatchSource } from './batch-source.ts'
import { checkpointName, trainingStateFile, type CheckpointStore } from './checkpoint-store.ts'
import type { Objective } from './objective.ts'
import { nextTurn } from './next-turn.ts'
import { optimizerRule, type OptimizerConfig } from './optimizer.ts'
import { createOptimizerState, type OptimizerState } from './optimizer-state.ts'
import { defaultGroups, groupParameters, type GroupRule } from './parameter-groups.ts'
import { keepMasters, widenValues } from './precision.ts'
import { scheduleFactor, type Schedule } from './schedule.ts'
import { restoreTrainingState, trainingStateContent, type RunPosition } from './training-state.ts'
import { runEvaluationStep, runTrainingStep, type StepResult } from './training-step.ts'

export interface TrainOptions<B> {
  /** Exactly what is trained. */
  readonly parameters: readonly Parameter[]
  readonly objective: Objective<B>
  readonly batches: BatchSource<B>
  readonly optimizer: OptimizerConfig
  /** Default: constant. */
  readonly schedule?: Schedule
  /** Updates in all, those before a resume included. */
  readonly steps: number
  /** Go on from a checkpoint of `checkpoint.store`: its name, or the latest (from the start where there is none). */
  readonly resume?: 'latest' | (string & {})
  /** Default: no weight decay where the role is bias or norm. */
  readonly groups?: readonly GroupRule[]
  /** Micro-batches a step; default 1. */
  readonly gradientAccumulationSteps?: number
  /** Clips the global norm of the mean gradient; default 1, `Infinity` for none. */
  readonly maxGradNorm?: number
  /**
   * `bf16`: parameters (norms aside) and activations in bf16, with f32 masters that the updates go to and that files keep; gradients gather in f32.
   * Needs a backend with bf16. Default f32.
   */
  readonly precision?: 'f32' | 'bf16'
  readonly checkpoint?: {
    readonly store: CheckpointStore
    readonly everySteps: number
    /** How many to keep; default 2. */
    readonly keep?: number
    /** Files beside the training state, for example `modelFiles(…)`, so that a checkpoint opens as a model. */
    readonly extra?: () => Readonly<Record<string, FileContent>>
  }
  readonly validation?: { readonly batches: BatchSource<B>; readonly everySteps: number }
  /** Randomness of dropout and the like. */
  readonly seed: number
  /** The step in flight finishes, a checkpoint is written where there is a store, then the loop rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Read each step's values before the next one starts. */
  readonly lockstep?: boolean
  /** Steps in a row with a loss or gradient that is not finite (they change nothing) until it is an error; default 10. */
  readonly maxSkippedSteps?: number
}

export type TrainEvent =
  | {
      readonly kind: 'step'
      /** From 1: updates made. */
      readonly step: number
      /** Mean loss of the step, nats; not finite where the step was skipped. */
      readonly lossNats: number
      readonly learningRate: number
      /** Before clipping. */
      readonly gradientNorm: number
      readonly weight: number
      readonly metrics: Readonly<Record<string, number>>
      /** Loss or gradient was not finite: no weight changed. */
      readonly isSkipped: boolean
    }
  | { readonly kind: 'validation'; readonly step: number; readonly lossNats: number; readonly weight: number; readonly metrics: Readonly<Record<string, number>> }
  | { readonly kind: 'checkpoint'; readonly step: number; readonly name: string }
  /** `batches`: the source ended before the last step. */
  | { readonly kind: 'finished'; readonly step: number; readonly reason: 'steps' | 'batches' }

type StepEvent = Extract<TrainEvent, { kind: 'step' }>

/**
 * Trains. The gradient of a step is Σ∇lossSum / Σweight over all its micro-batches, so accumulation equals the big batch. Weights are
 * consistent at `checkpoint`, `validation` and `finished` events. Leaving the loop early lets the step in flight finish, saves a
 * checkpoint where there is a store, and frees all that training holds; the parameters stay the caller's.
 *
 * @throws ConfigError for impossible options; WeftError of kind `diverged` when the loss stays not finite; the signal's reason.
 */
export async function* train<B>(options: TrainOptions<B>): AsyncGenerator<TrainEvent, void, undefined> {
  const run = await startRun(options)
  try {
    yield* runSteps(options, run)
  } finally {
    run.optimizer.dispose()
  }
}

interface Run {
  readonly optimizer: OptimizerState
  readonly fingerprint: RunPosition['fingerprint']
  readonly validationIsDue: (step: number) => boolean
  readonly checkpointIsDue: (step: number) => boolean
  step: number
  position: Json
  /** Step of the newest checkpoint. */
  savedStep: number
}

const startRun = async <B>(options: TrainOptions<B>): Promise<Run> => {
  const { parameters, checkpoint, validation } = options
  options.signal?.throwIfAborted()
  checkOptions(options)
  const backend = parameters[0]!.value.backend
  if (options.precision === 'bf16') keepMasters(parameters, backend)
  else widenValues(parameters)
  const rule = optimizerRule(options.optimizer)
  const groups = groupParameters(parameters, options.groups ?? defaultGroups, options.optimizer.weightDecay ?? rule.defaultWeightDecay)
  const optimizer = createOptimizerState(options.optimizer, groups, backend)
  const run: Run = {
    optimizer,
    fingerprint: fingerprintOf(options),
    validationIsDue: (step) => validation !== undefined && (step % validation.everySteps === 0 || step === options.steps),
    checkpointIsDue: (step) => checkpoint !== undefined && (step % checkpoint.everySteps === 0 || step === options.steps),
    step: 0,
    position: null,
    savedStep: -1,
  }
  try {
    await resumeRun(options, run, backend)
  } catch (error) {
    optimizer.dispose()
    throw error
  }
  return run
}

const resumeRun = async <B>({ resume, checkpoint }: TrainOptions<B>, run: Run, backend: Backend): Promise<void> => {
  if (resume === undefined) return
  if (checkpoint === undefined) throw new ConfigError('resume: needs `checkpoint`, whose store holds what to resume from')
  const name = resume === 'latest' ? (await checkpoint.store.list()).at(-1) : resume
  if (name === undefined) return
  const source = await checkpoint.store.read(name, trainingStateFile)
  const { step, position } = await restoreTrainingState(source, run.optimizer, run.fingerprint, backend)
  run.step = step
  run.savedStep = step
  run.position = position
}

async function* runSteps<B>(options: TrainOptions<B>, run: Run): AsyncGenerator<TrainEvent, void, undefined> {
  const { batches, signal, steps } = options
  const skips = skipCounter(options.maxSkippedSteps ?? 10)
  const lockstep = options.lockstep === true || batches.needsCurrentWeights === true
  const items = iterate(run.step < steps ? batches.open(run.position ?? undefined) : [])
  let inFlight: Promise<StepEvent> | undefined
  let hasFailed = false
  const land = async (): Promise<StepEvent> => {
    const event = await inFlight!
    inFlight = undefined
    skips.count(event)
    return event
  }
  try {
    while (run.step < steps) {
      await nextTurn()
      const microBatches = await takeMicroBatches(items, options.gradientAccumulationSteps ?? 1, signal)
      if (isAborted(signal) || microBatches.length === 0) break
      const next = launch(options, run, microBatches)
      if (inFlight !== undefined) yield await land().finally(() => next.catch(() => undefined))
      inFlight = next
      const mustLand = lockstep || isAborted(signal) || run.step === steps || run.validationIsDue(run.step) || run.checkpointIsDue(run.step)
      if (mustLand) yield await land()
      if (isAborted(signal)) break
      if (run.validationIsDue(run.step)) yield await validate(options, run)
      if (run.checkpointIsDue(run.step)) yield await save(options, run)
    }
    if (inFlight !== undefined) yield await land()
    if (isAborted(signal)) {
      if (options.checkpoint !== undefined && run.savedStep !== run.step) yield await save(options, run)
      signal?.throwIfAborted()
    }
    const endedEarly = run.step < steps
    if (endedEarly && run.step === 0) throw new ConfigError('batches: the source gave no batch at all; is the text shorter than one batch?')
    if (endedEarly && options.checkpoint !== undefined && run.savedStep !== run.step) yield await save(options, run)
    yield { kind: 'finished', step: run.step, reason: endedEarly ? 'batches' : 'steps' }
  } catch (error) {
    hasFailed = true
    throw error
  } finally {
    await inFlight?.catch(() => undefined)
    await items.return?.()
    // The caller left the loop.
    if (!hasFailed && options.checkpoint !== undefined && run.savedStep !== run.step) await save(options, run)
  }
}

/** Asked afresh each time: the compiler would take the answer for constant. */
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted ?? false

const iterate = <T>(iterable: AsyncIterable<T> | Iterable<T>): AsyncIterator<T> | Iterator<T> =>
  Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]()

/** A whole step's batches, or none where the source ends within it: half a step would train with another batch size. */
const takeMicroBatches = async <B>(items: AsyncIterator<BatchItem<B>> | Iterator<BatchItem<B>>, count: number, signal: AbortSignal | undefined): Promise<BatchItem<B>[]> => {
  const taken: BatchItem<B>[] = []
  while (taken.length < count) {
    if (isAborted(signal)) return []
    const { done, value } = await items.next()
    if (done === true) return []
    taken.push(value)
  }
  return taken
}

/** Enqueues a step; the promise reads its values. */
const launch = <B>(options: TrainOptions<B>, run: Run, items: readonly BatchItem<B>[]): Promise<StepEvent> => {
  const learningRate = options.optimizer.learningRate * scheduleFactor(options.schedule ?? { kind: 'constant' }, run.step, options.steps)
  const { maxGradNorm = 1 } = options
  const result = runTrainingStep({
    parameters: options.parameters,
    objective: options.objective,
    optimizer: run.optimizer,
    microBatches: items.map(({ batch }) => batch),
    learningRate,
    maxGradNorm: maxGradNorm === Infinity ? undefined : maxGradNorm,
    precision: options.precision ?? 'f32',
    seed: options.seed,
    step: run.step,
  })
  run.step++
  run.position = items.at(-1)!.position // only now: batches that an abort left unused come again after a resume
  const step = run.step
  return readResult(result).then(({ lossNats, gradientNorm, metrics }) => ({
    kind: 'step',
    step,
    lossNats,
    learningRate,
    gradientNorm,
    weight: result.weight,
    metrics,
    isSkipped: !Number.isFinite(lossNats) || !Number.isFinite(gradientNorm),
  }))
}

const readResult = async (result: StepResult): Promise<{ lossNats: number; gradientNorm: number; metrics: Record<string, number> }> => {
  const { lossSum, gradientNorm, metricSums, weight } = result
  try {
    const sums = await Promise.all([lossSum, gradientNorm, ...metricSums.values()].map(readScalar))
    const metrics = Object.fromEntries([...metricSums.keys()].map((name, i) => [name, sums[i + 2]! / weight]))
    return { lossNats: sums[0]! / weight, gradientNorm: sums[1]!, metrics }
  } finally {
    disposeAll(result)
  }
}

const validate = async <B>(options: TrainOptions<B>, run: Run): Promise<TrainEvent> => {
  let loss = 0
  let weight = 0
  const totals: Record<string, number> = {}
  for await (const { batch } of options.validation!.batches.open()) {
    await nextTurn()
    if (isAborted(options.signal)) break
    const result = runEvaluationStep(options.objective, batch, { seed: options.seed, precision: options.precision ?? 'f32' })
    const values = await readResult(result)
    loss += values.lossNats * result.weight
    weight += result.weight
    for (const [name, value] of Object.entries(values.metrics)) totals[name] = (totals[name] ?? 0) + value * result.weight
  }
  const metrics = Object.fromEntries(Object.entries(totals).map(([name, total]) => [name, total / weight]))
  return { kind: 'validation', step: run.step, lossNats: loss / weight, weight, metrics }
}

const save = async <B>({ checkpoint }: TrainOptions<B>, run: Run): Promise<TrainEvent> => {
  const { store, keep = 2, extra } = checkpoint!
  const name = checkpointName(run.step)
  await store.write(name, {
    ...extra?.(),
    [trainingStateFile]: trainingStateContent(run.optimizer, { step: run.step, position: run.position, fingerprint: run.fingerprint }),
  })
  run.savedStep = run.step
  const names = await store.list()
  for (const old of names.slice(0, Math.max(0, names.length - keep))) if (old !== name) await store.remove(old)
  return { kind: 'checkpoint', step: run.step, name }
}

/** Counts steps in a row that changed nothing. */
const skipCounter = (most: number): { count(event: StepEvent): void } => {
  let skipped = 0
  return {
    count: ({ isSkipped, step, lossNats, gradientNorm }) => {
      skipped = isSkipped ? skipped + 1 : 0
      if (skipped < most) return
      throw new WeftError('diverged', `train: step ${step}: loss ${lossNats}, gradient norm ${gradientNorm}; ${skipped} steps in a row were not finite and changed nothing. The weights are those of step ${step - skipped}. Lower the learning rate, lengthen the warm-up, or look for broken batches`)
    },
  }
}

const checkOptions = <B>({ parameters, steps, gradientAccumulationSteps = 1, checkpoint, validation, seed }: TrainOptions<B>): void => {
  const positive = (name: string, value: number): void => {
    if (!Number.isInteger(value) || value < 1) throw new ConfigError(`${name}: expected an integer ≥ 1, got ${value}`)
  }
  if (parameters.length === 0) throw new ConfigError('parameters: expected at least one; what is trained is exactly this list')
  positive('steps', steps)
  positive('gradientAccumulationSteps', gradientAccumulationSteps)
  if (checkpoint !== undefined) positive('checkpoint.everySteps', checkpoint.everySteps)
  if (checkpoint?.keep !== undefined) positive('checkpoint.keep', checkpoint.keep)
  if (validation !== undefined) positive('validation.everySteps', validation.everySteps)
  if (!Number.isSafeInteger(seed)) throw new ConfigError(`seed: expected an integer, got ${seed}`)
}

/** What decides the numbers of a run; a resume with another value would silently be another run. `steps` counts only through a schedule. */
const fingerprintOf = <B>(options: TrainOptions<B>): RunPosition['fingerprint'] => {
  const schedule: Schedule = options.schedule ?? { kind: 'constant' }
  const groups = (options.groups ?? defaultGroups).map(({ name, ...rest }) => ({ ...rest, ...(name === undefined ? {} : { name: String(name) }) }))
  return JSON.parse(
    JSON.stringify({
      optimizer: options.optimizer,
      schedule,
      ...(schedule.kind === 'constant' ? {} : { steps: options.steps }),
      groups,
      gradientAccumulationSteps: options.gradientAccumulationSteps ?? 1,
      maxGradNorm: String(options.maxGradNorm ?? 1),
      precision: options.precision ?? 'f32',
      seed: options.seed,
    }),
  ) as RunPosition['fingerprint']
}
