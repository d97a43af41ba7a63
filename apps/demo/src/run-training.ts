// One training, shown: a bar with tokens a second and time left, the loss, checkpoints in the run's folder, so that nothing is lost.
import type { Parameter, TokenBatch } from '@weft/tensor'
import { train, type BatchSource, type Objective, type TrainEvent } from '@weft/trainer'
import { folderStore } from '@weft/trainer/node'
import type { DemoContext } from './context.ts'
import { lossChart, lossLine } from './loss-chart.ts'
import { formatNumber } from './terminal.ts'

export interface TrainingRun {
  readonly label: string
  readonly parameters: readonly Parameter[]
  readonly objective: Objective<TokenBatch>
  readonly batches: BatchSource<TokenBatch>
  readonly validation?: BatchSource<TokenBatch>
  readonly steps: number
  readonly learningRate: number
  readonly weightDecay?: number
}

export const runTraining = async (context: DemoContext, { label, parameters, objective, batches, validation, steps, learningRate, weightDecay }: TrainingRun): Promise<TrainEvent[]> => {
  const { run, terminal, signal, seed } = context
  const store = folderStore(run.file('checkpoints', label))
  // Checkpoint and curve go together: what an interrupted run saw up to its checkpoint is not seen again.
  const [lastCheckpoint] = (await store.list()).slice(-1)
  const record = `events-${label}`
  const events: TrainEvent[] = lastCheckpoint !== undefined && run.has(record) ? run.load<TrainEvent[]>(record).filter(({ step }) => step <= Number(/\d+$/.exec(lastCheckpoint)![0])) : []
  if (events.length > 0) terminal.line(`   going on after step ${formatNumber(events.at(-1)!.step)}`)
  const bar = terminal.bar(`training ${label}`, steps, 'steps', events.at(-1)?.step)
  const losses = lossesOf(events)
  let tokens = 0
  const start = performance.now()
  try {
    for await (const event of train({
      parameters,
      objective,
      batches,
      optimizer: { kind: 'adamW', learningRate, beta2: 0.99, ...(weightDecay === undefined ? {} : { weightDecay }) },
      schedule: { kind: 'warmupCosine', warmupSteps: Math.max(1, Math.round(steps / 20)), minFactor: 0.1 },
      steps,
      maxGradNorm: 1,
      checkpoint: { store, everySteps: Math.max(10, Math.ceil(steps / 5)), keep: 1 },
      ...(validation === undefined ? {} : { validation: { batches: validation, everySteps: Math.max(10, Math.ceil(steps / 4)) } }),
      resume: 'latest',
      seed,
      signal,
    })) {
      events.push(event)
      if (event.kind === 'checkpoint') await run.save(record, events)
      if (event.kind !== 'step') continue
      tokens += event.weight
      const rate = tokens / ((performance.now() - start) / 1000)
      losses.push(event.lossNats)
      bar.update(event.step, `${lossLine(losses)} loss ${event.lossNats.toFixed(3)}, ${Math.round(rate)} tokens/s`)
    }
  } finally {
    bar.end()
  }
  show(context, events, tokens / ((performance.now() - start) / 1000))
  return events
}

const show = ({ terminal }: DemoContext, events: readonly TrainEvent[], rate: number): void => {
  const losses = lossesOf(events)
  for (const line of lossChart(losses, { height: 6 })) terminal.line(`   ${line}`)
  const validations = events.filter((event) => event.kind === 'validation')
  const last = validations.at(-1)
  terminal.line(`   ${Math.round(rate)} tokens/s; loss ${losses[0]?.toFixed(3) ?? '–'} → ${losses.at(-1)?.toFixed(3) ?? '–'} nats a token${last === undefined ? '' : `; on held-out text ${last.lossNats.toFixed(3)}`}`)
}

const lossesOf = (events: readonly TrainEvent[]): number[] => events.flatMap((event) => (event.kind === 'step' ? [event.lossNats] : []))
