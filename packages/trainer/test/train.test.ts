import { isWeftError } from '@weft/contracts'
import { disposeAll, memory, read, type Tensor } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { mul, scalarLike } from '@weft/tensor/ops'
import { expect, test } from 'vitest'
import { describeTraining, packDocuments, tokenCorpus, train, type Objective, type TrainEvent, type TrainOptions } from '../src/index.ts'
import { causal } from '../src/objectives.ts'
import type { TokenBatch } from '@weft/tensor'
import { memoryStore } from './memory-store.ts'
import { smallNetwork, vocabSize } from './small-network.ts'

const corpus = tokenCorpus(Array.from({ length: 40 }, (_, d) => ({ tokenIds: Array.from({ length: 30 + d }, (_, i) => (d + i * ((d % 3) + 1)) % vocabSize) })))
const batchesOf = (batchSize: number) => packDocuments({ corpus, sequenceLength: 8, batchSize, seed: 3 })

const setUp = (options: Partial<TrainOptions<TokenBatch>> = {}) => {
  const backend = createCpuBackend()
  const network = smallNetwork(backend)
  const run = train({
    parameters: network.list,
    objective: causal({ network }),
    batches: batchesOf(4),
    optimizer: { kind: 'adamW', learningRate: 1e-2 },
    schedule: { kind: 'warmupCosine', warmupSteps: 3 },
    steps: 20,
    seed: 1,
    ...options,
  })
  return { backend, network, run }
}

const collect = async (run: AsyncIterable<TrainEvent>): Promise<TrainEvent[]> => {
  const events: TrainEvent[] = []
  for await (const event of run) events.push(event)
  return events
}

const losses = (events: readonly TrainEvent[]): number[] => events.flatMap((event) => (event.kind === 'step' ? [event.lossNats] : []))

test('the loss falls, the last event is finished, nothing leaks and every donation is used', async () => {
  const { backend, network, run } = setUp({ steps: 60 })
  const before = memory(backend).buffers
  const events = await collect(run)
  const values = losses(events)
  expect(values.at(-1)).toBeLessThan(values[0]! - 0.5)
  expect(events.at(-1)).toEqual({ kind: 'finished', step: 60, reason: 'steps' })
  expect(memory(backend)).toMatchObject({ buffers: before, missedDonations: 0 })
  disposeAll(network.list.map(({ value }) => value))
  expect(memory(backend).buffers).toBe(0)
})

test('lockstep and pipelined runs give the same numbers', async () => {
  expect(losses(await collect(setUp({ lockstep: true }).run))).toEqual(losses(await collect(setUp().run)))
})

test('accumulated micro-batches equal the big batch', async () => {
  const big = losses(await collect(setUp({ batches: batchesOf(4), steps: 12 }).run))
  const accumulated = losses(await collect(setUp({ batches: batchesOf(2), gradientAccumulationSteps: 2, steps: 12 }).run))
  accumulated.forEach((loss, i) => expect(Math.abs(loss - big[i]!)).toBeLessThan(2e-5))
})

test('clipping bounds the step, and reports the norm before it', async () => {
  const events = await collect(setUp({ maxGradNorm: 1e-9, optimizer: { kind: 'sgd', learningRate: 1 }, schedule: { kind: 'constant' }, steps: 3 }).run)
  const values = losses(events)
  expect(Math.abs(values[2]! - values[0]!)).toBeLessThan(0.2) // the batches differ, the weights hardly
  for (const event of events) if (event.kind === 'step') expect(event.gradientNorm).toBeGreaterThan(1e-3)
})

test('validation is the mean over its batches and changes nothing', async () => {
  const validation = { batches: packDocuments({ corpus, sequenceLength: 8, batchSize: 16, seed: 1, shuffle: false, epochs: 1 }), everySteps: 5 }
  const events = await collect(setUp({ validation, steps: 10 }).run)
  expect(events.filter(({ kind }) => kind === 'validation').map(({ step }) => step)).toEqual([5, 10])
  expect(losses(events)).toEqual(losses(await collect(setUp({ steps: 10 }).run)))
})

test('a run stopped at a checkpoint and resumed gives the same losses to the last bit', async () => {
  const whole = losses(await collect(setUp({ steps: 20 }).run))
  const store = memoryStore()
  const checkpoint = { store, everySteps: 7 }
  const first: number[] = []
  for await (const event of setUp({ steps: 20, checkpoint }).run) {
    if (event.kind === 'step') first.push(event.lossNats)
    if (event.kind === 'checkpoint' && event.step === 14) break
  }
  const rest = losses(await collect(setUp({ steps: 20, checkpoint, resume: 'latest' }).run))
  expect([...first, ...rest]).toEqual(whole)
  expect(await store.list()).toEqual(['step-000000014', 'step-000000020']) // the older ones are gone
})

test('abort finishes the step in flight, saves, and rejects with its reason', async () => {
  const controller = new AbortController()
  const store = memoryStore()
  const seen: TrainEvent[] = []
  const { run } = setUp({ steps: 50, signal: controller.signal, checkpoint: { store, everySteps: 1000 } })
  const loop = async (): Promise<void> => {
    for await (const event of run) {
      seen.push(event)
      if (event.kind === 'step' && event.step === 5) controller.abort(new Error('enough'))
    }
  }
  await expect(loop()).rejects.toThrow('enough')
  const lastStep = seen.findLast(({ kind }) => kind === 'step')!.step
  expect(await store.list()).toEqual([`step-${String(lastStep).padStart(9, '0')}`])
  const resumed = await collect(setUp({ steps: 50, checkpoint: { store, everySteps: 1000 }, resume: 'latest' }).run)
  expect([...losses(seen), ...losses(resumed)]).toEqual(losses(await collect(setUp({ steps: 50 }).run)))
})

test('break saves the step in flight; what follows is as if nothing had happened', async () => {
  const store = memoryStore()
  const checkpoint = { store, everySteps: 1000 }
  for await (const event of setUp({ checkpoint }).run) if (event.step === 5) break
  expect(await store.list()).toEqual(['step-000000006'])
  const whole = losses(await collect(setUp().run))
  expect(losses(await collect(setUp({ checkpoint, resume: 'latest' }).run))).toEqual(whole.slice(6))
})

test('an abort while a batch is awaited loses no batch', async () => {
  const controller = new AbortController()
  const store = memoryStore()
  const checkpoint = { store, everySteps: 1000 }
  const slow = { open: async function* () {
    let count = 0
    for await (const item of batchesOf(4).open()) {
      if (++count === 6) controller.abort(new Error('enough'))
      yield item
    }
  } }
  const first: TrainEvent[] = []
  const loop = async (): Promise<void> => {
    for await (const event of setUp({ batches: slow, checkpoint, signal: controller.signal }).run) first.push(event)
  }
  await expect(loop()).rejects.toThrow('enough')
  expect(losses(first)).toHaveLength(5)
  const rest = losses(await collect(setUp({ checkpoint, resume: 'latest' }).run))
  expect([...losses(first), ...rest]).toEqual(losses(await collect(setUp().run)))
})

test('a resume with other settings is refused and names them', async () => {
  const store = memoryStore()
  await collect(setUp({ steps: 5, checkpoint: { store, everySteps: 5 } }).run)
  const other = setUp({ steps: 5, checkpoint: { store, everySteps: 5 }, resume: 'latest', optimizer: { kind: 'adamW', learningRate: 0.5 } })
  await expect(collect(other.run)).rejects.toThrow(/optimizer was .* and is now/)
})

test('a failed save is an error, the older checkpoint stays', async () => {
  let writes = 0
  const store = memoryStore(() => {
    if (++writes === 2) throw new Error('no space left on device')
  })
  await expect(collect(setUp({ checkpoint: { store, everySteps: 5 } }).run)).rejects.toThrow('no space left')
  expect(await store.list()).toEqual(['step-000000005'])
})

const poisoned = (network: ReturnType<typeof smallNetwork>, isBad: (call: number) => boolean): Objective<TokenBatch> => {
  const objective = causal({ network })
  let calls = 0
  return (batch, pass) => {
    const result = objective(batch, pass)
    return isBad(calls++) ? { ...result, lossSum: mul(result.lossSum, scalarLike(result.lossSum, NaN)) } : result
  }
}

test('a step that is not finite changes no weight and is marked', async () => {
  const backend = createCpuBackend()
  const network = smallNetwork(backend)
  const snapshot = async (): Promise<number[]> => (await Promise.all(network.list.map(({ value }: { value: Tensor }) => read(value)))).flatMap((values) => [...values])
  const before: number[][] = []
  const events: TrainEvent[] = []
  for await (const event of train({ parameters: network.list, objective: poisoned(network, (call) => call === 3), batches: batchesOf(4), optimizer: { kind: 'adamW', learningRate: 1e-2 }, steps: 6, seed: 1, lockstep: true })) {
    events.push(event)
    before.push(await snapshot())
  }
  expect(events.filter((event) => event.kind === 'step' && event.isSkipped).map(({ step }) => step)).toEqual([4])
  expect(before[3]).toEqual(before[2])
  expect(before[4]).not.toEqual(before[3])
})

test('a loss that stays not finite is an error with advice', async () => {
  const network = smallNetwork(createCpuBackend())
  const run = train({ parameters: network.list, objective: poisoned(network, (call) => call >= 2), batches: batchesOf(4), optimizer: { kind: 'adamW', learningRate: 1e-2 }, steps: 60, seed: 1, maxSkippedSteps: 4 })
  const error: unknown = await collect(run).catch((reason: unknown) => reason)
  expect(isWeftError(error, 'diverged')).toBe(true)
  expect(String(error)).toMatch(/those of step 2\. Lower the learning rate/)
})

test('timers and signals are served while a backend computes at once', async () => {
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  await collect(setUp({ steps: 60 }).run)
  clearInterval(timer)
  expect(turns).toBeGreaterThan(5)
})

test('break frees all that training held', async () => {
  const { backend, run } = setUp({ steps: 50 })
  const before = memory(backend).buffers
  for await (const event of run) if (event.step === 4) break
  expect(memory(backend).buffers).toBe(before)
})

test.each([
  [{ steps: 0 }, /steps: expected an integer ≥ 1/],
  [{ parameters: [] }, /parameters: expected at least one/],
  [{ resume: 'latest' as const }, /resume: needs `checkpoint`/],
  [{ precision: 'bf16' as const, checkpoint: undefined }, undefined],
])('options are checked: %o', async (options, message) => {
  const { run } = setUp(options as Partial<TrainOptions<TokenBatch>>)
  if (message === undefined) expect((await collect(run)).at(-1)?.kind).toBe('finished')
  else await expect(collect(run)).rejects.toThrow(message)
})

test('a source without batches is an error, one that ends early is said', async () => {
  await expect(collect(setUp({ batches: { open: () => [] } }).run)).rejects.toThrow(/no batch at all/)
  const short = packDocuments({ corpus, sequenceLength: 8, batchSize: 16, seed: 1, epochs: 1 })
  expect((await collect(setUp({ batches: short, steps: 1000 }).run)).at(-1)).toMatchObject({ kind: 'finished', reason: 'batches' })
})

test('a run describes itself', async () => {
  const report = describeTraining(await collect(setUp().run))
  expect(report.sections.map(({ title }) => title)).toEqual(['Run', 'Loss', 'Learning rate', 'Gradient norm before clipping'])
})

