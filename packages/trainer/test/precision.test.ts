// Mixed precision: bf16 values with f32 masters. The masters are what is trained, saved and resumed.
import { UnsupportedError } from '@weft/contracts'
import { createParameter, memory, read, tensor, type Backend, type Parameter, type Pass, type TokenBatch } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { add, cast, mul, sum } from '@weft/tensor/ops'
import { openSafetensors } from '@weft/weights'
import { describe, expect, test } from 'vitest'
import { packDocuments, tokenCorpus, train, type TrainEvent, type TrainOptions } from '../src/index.ts'
import { causal } from '../src/objectives.ts'
import { memoryStore } from './memory-store.ts'
import { smallNetwork, vocabSize } from './small-network.ts'

const corpus = tokenCorpus(Array.from({ length: 40 }, (_, d) => ({ tokenIds: Array.from({ length: 30 + d }, (_, i) => (d + i * ((d % 3) + 1)) % vocabSize) })))

const setUp = (options: Partial<TrainOptions<TokenBatch>> = {}, backend: Backend = createCpuBackend()) => {
  const network = smallNetwork(backend)
  const run = train({
    parameters: network.list,
    objective: causal({ network }),
    batches: packDocuments({ corpus, sequenceLength: 8, batchSize: 4, seed: 3 }),
    optimizer: { kind: 'adamW', learningRate: 1e-2 },
    steps: 40,
    seed: 1,
    precision: 'bf16',
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
const mastersOf = (parameters: readonly Parameter[]): Promise<ArrayLike<number>[]> => Promise.all(parameters.map(({ master }) => read(master!)))

describe('training in bf16', () => {
  test('follows the losses of f32, in place, and leaves values that are their masters, rounded', async () => {
    const f32 = losses(await collect(setUp({ precision: 'f32' }).run))
    const { backend, network, run } = setUp()
    const bf16 = losses(await collect(run))
    expect(bf16.at(-1)).toBeLessThan(bf16[0]! - 0.5)
    bf16.forEach((loss, i) => expect(Math.abs(loss - f32[i]!) / f32[i]!, `step ${i + 1}`).toBeLessThan(0.03))
    expect(bf16).not.toEqual(f32)
    expect(memory(backend).missedDonations).toBe(0)
    for (const { value, master } of network.list) {
      expect([value.dtype, master!.dtype]).toEqual(['bf16', 'f32'])
      expect(await read(value)).toEqual(await read(cast(master!, 'bf16')))
    }
  })

  test('tells the network what its activations are to be held in, in training and validation', async () => {
    const seen = new Set<Pass['precision']>()
    const { network } = setUp()
    const plain = causal({ network })
    const batches = packDocuments({ corpus, sequenceLength: 8, batchSize: 4, seed: 3, epochs: 1 })
    const objective = (batch: TokenBatch, pass: Pass) => {
      seen.add(pass.precision)
      return plain(batch, pass)
    }
    for (const precision of ['f32', 'bf16'] as const) {
      await collect(setUp({ objective, parameters: network.list, precision, steps: 2, validation: { batches, everySteps: 2 } }).run)
      expect([...seen]).toEqual([precision])
      seen.clear()
    }
  })

  test('a run that is resumed goes on to the last bit, from masters', async () => {
    const reference = setUp({ steps: 20 })
    const whole = losses(await collect(reference.run))
    const store = memoryStore()
    const checkpoint = { store, everySteps: 7 }
    const first: number[] = []
    for await (const event of setUp({ steps: 20, checkpoint }).run) {
      if (event.kind === 'step') first.push(event.lossNats)
      if (event.kind === 'checkpoint' && event.step === 14) break
    }
    const resumed = setUp({ steps: 20, checkpoint, resume: 'latest' })
    expect([...first, ...losses(await collect(resumed.run))]).toEqual(whole)
    expect(await mastersOf(resumed.network.list)).toEqual(await mastersOf(reference.network.list))
  })

  test('a checkpoint holds the masters in f32', async () => {
    const store = memoryStore()
    const { network, run } = setUp({ steps: 3, checkpoint: { store, everySteps: 3 } })
    await collect(run)
    const file = await openSafetensors(await store.read('step-000000003', 'training-state.safetensors'))
    for (const { name, master } of network.list) {
      expect(file.tensors.get(`values/${name}`)!.dtype).toBe('F32')
      const bytes = await file.read(`values/${name}`)
      expect(new Float32Array(bytes.slice().buffer)).toEqual(await read(master!))
    }
  })

  test('a checkpoint of the other precision is refused', async () => {
    const store = memoryStore()
    const checkpoint = { store, everySteps: 3 }
    await collect(setUp({ steps: 3, checkpoint }).run)
    await expect(collect(setUp({ steps: 6, checkpoint, resume: 'latest', precision: 'f32' }).run)).rejects.toThrow(/precision was "bf16" and is now "f32"/)
  })

  test('f32 after bf16, and bf16 after f32, go on from the masters', async () => {
    const { network, run } = setUp({ steps: 5 })
    await collect(run)
    for (const precision of ['f32', 'bf16'] as const) {
      const before = await mastersOf(network.list)
      const still = { kind: 'adamW', learningRate: 0 } as const
      await collect(setUp({ steps: 1, parameters: network.list, objective: causal({ network }), optimizer: still, precision }).run)
      expect(await mastersOf(network.list)).toEqual(before)
      for (const { value, master } of network.list) expect([value.dtype, await read(value)]).toEqual([precision, await read(cast(master!, precision))])
    }
  })

  test('a backend without bf16 refuses it by name, and nothing has changed', async () => {
    const cpu = createCpuBackend()
    const backend: Backend = { ...cpu, name: 'narrow-minded', traits: { ...cpu.traits, dtypes: new Set(['f32', 'i32', 'u8'] as const) } }
    const { network, run } = setUp({}, backend)
    const error: unknown = await run.next().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(UnsupportedError)
    expect(String(error)).toMatch(/precision: backend narrow-minded has no bf16; use precision 'f32'/)
    expect(network.list.every(({ value, master }) => value.dtype === 'f32' && master === undefined)).toBe(true)
  })
})

test('norms stay in f32, beside bf16 matrices of the same group; a norm that came in bf16 is widened', async () => {
  const backend = createCpuBackend()
  const of = (name: string, role: Parameter['role'], dtype: 'f32' | 'bf16', value: number): Parameter =>
    createParameter({ name, role, value: tensor(backend, new Float32Array(4).fill(value), [4], { dtype }) })
  const parameters = [of('gain', 'norm', 'f32', 1), of('shift', 'bias', 'f32', 1), of('narrow gain', 'norm', 'bf16', 1)]
  const run = train<number>({
    parameters,
    objective: () => ({ lossSum: parameters.map(({ value }) => sum(cast(value, 'f32'))).reduce((a, b) => add(a, b)), weight: 1 }),
    batches: { open: () => [1, 2, 3].map((batch) => ({ batch, position: batch })) },
    optimizer: { kind: 'sgd', learningRate: 2 ** -12 },
    maxGradNorm: Infinity,
    precision: 'bf16',
    steps: 3,
    seed: 1,
  })
  await collect(run)
  expect(parameters.map(({ value, master }) => [value.dtype, master?.dtype])).toEqual([['f32', undefined], ['bf16', 'f32'], ['f32', undefined]])
  expect(await Promise.all(parameters.map(async ({ value, master }) => (await read(master ?? value))[0]))).toEqual([1 - 3 * 2 ** -12, 1 - 3 * 2 ** -12, 1 - 3 * 2 ** -12])
  expect((await read(parameters[1]!.value))[0]).toBe(1) // rounded away for now; its master remembers
})

describe('gradients of several micro-batches', () => {
  /** The loss Σ value · g has the gradient g. */
  const trainOn = async (gradients: readonly number[], precision: 'f32' | 'bf16'): Promise<{ readonly moved: number; readonly peakBytes: number }> => {
    const backend = createCpuBackend()
    const parameter = createParameter({ name: 'w', role: 'matrix', value: tensor(backend, new Float32Array(1000), [1000]) })
    const run = train<number>({
      parameters: [parameter],
      objective: (gradient) => ({ lossSum: cast(sum(mul(parameter.value, tensor(backend, new Float32Array(1000).fill(gradient), [1000], { dtype: parameter.value.dtype }))), 'f32'), weight: 1 / gradients.length }),
      batches: { open: () => gradients.map((batch, position) => ({ batch, position })) },
      optimizer: { kind: 'sgd', learningRate: 2 ** -12 },
      gradientAccumulationSteps: gradients.length,
      maxGradNorm: Infinity,
      precision,
      steps: 1,
      seed: 1,
    })
    await collect(run)
    return { moved: -(await read(parameter.master ?? parameter.value))[0]! * 2 ** 12, peakBytes: memory(backend).peakBytes }
  }

  test('gather in f32: small ones are not lost beside a large one', async () => {
    const gradients = [256, ...Array.from({ length: 7 }, () => 0.5)]
    expect((await trainOn(gradients, 'f32')).moved).toBe(259.5)
    expect((await trainOn(gradients, 'bf16')).moved).toBe(259.5) // in bf16 256 + 0.5 is 256
  })

  test('take no more memory the more there are', async () => {
    const peak = async (count: number): Promise<number> => (await trainOn(Array.from({ length: count }, () => 1), 'bf16')).peakBytes
    expect(await peak(16)).toBeLessThan((await peak(2)) + 4000)
  })
})
