// What torch and transformers compute, through the whole loop: the loss Σ value · g has the given gradient g.
import { readFileSync } from 'node:fs'
import { createParameter, read, tensor } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { mul, sum } from '@weft/tensor/ops'
import { expect, test } from 'vitest'
import { scheduleFactor, train, type OptimizerConfig, type Schedule } from '../src/index.ts'

interface Golden {
  readonly optimizers: { readonly start: number[][]; readonly gradients: number[][][]; readonly results: Readonly<Record<string, { readonly after: Readonly<Record<string, number[][]>> }>> }
  readonly schedules: Readonly<Record<string, { readonly lr: readonly number[] }>>
}
const golden = JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8')) as Golden

test.each<[string, OptimizerConfig, number]>([
  ['sgd', { kind: 'sgd', learningRate: 0.05, weightDecay: 0.01 }, 1e-5],
  ['sgd_momentum', { kind: 'sgd', learningRate: 0.05, momentum: 0.9 }, 1e-5],
  ['sgd_nesterov', { kind: 'sgd', learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.01 }, 1e-5],
  ['adamw', { kind: 'adamW', learningRate: 0.01 }, 1e-5],
  ['lion', { kind: 'lion', learningRate: 0.01 }, 1e-5],
  ['muon_float64', { kind: 'muon', learningRate: 0.02 }, 1e-5],
  ['muon_float64_match_rms', { kind: 'muon', learningRate: 0.02, nesterov: false, weightDecay: 0, adjust: 'matchRmsAdamW' }, 1e-5],
])('optimizer %s', async (name, optimizer, tolerance) => {
  const backend = createCpuBackend()
  const { start, gradients, results } = golden.optimizers
  const parameter = createParameter({ name: 'w', role: 'matrix', value: tensor(backend, Float32Array.from(start.flat()), [5, 3]) })
  const run = train<number[][]>({
    parameters: [parameter],
    objective: (gradient) => ({ lossSum: sum(mul(parameter.value, tensor(backend, Float32Array.from(gradient.flat()), [5, 3]))), weight: 1 }),
    batches: { open: () => gradients.map((batch, position) => ({ batch, position })) },
    optimizer,
    steps: gradients.length,
    maxGradNorm: Infinity,
    seed: 1,
    lockstep: true,
  })
  let compared = 0
  for await (const event of run) {
    const expected = event.kind === 'step' ? results[name]!.after[event.step]?.flat() : undefined
    if (expected === undefined) continue
    const got = [...(await read(parameter.value))].map(Number)
    expect(Math.max(...got.map((x, i) => Math.abs(x - expected[i]!))), `after step ${event.step}`).toBeLessThan(tolerance)
    compared++
  }
  expect(compared).toBe(6)
})

test('muon refuses what is no matrix, before training', async () => {
  const bias = createParameter({ name: 'bias', role: 'bias', value: tensor(createCpuBackend(), new Float32Array(3), [3]) })
  const run = train({ parameters: [bias], objective: () => ({ lossSum: sum(bias.value), weight: 1 }), batches: { open: () => [{ batch: 0, position: 0 }] }, optimizer: { kind: 'muon', learningRate: 1 }, steps: 1, seed: 1 })
  await expect(run.next()).rejects.toThrow(/matrices alone, bias is \[3\]/)
})

// The stable schedule's golden run warms up along a cosine; ours along a line, so it is compared after its warm-up.
test.each<[string, Schedule, number]>([
  ['linear', { kind: 'warmupLinear', warmupSteps: 8 }, 0],
  ['cosine', { kind: 'warmupCosine', warmupSteps: 8, minFactor: 0 }, 0],
  ['cosine_no_warmup', { kind: 'warmupCosine', warmupSteps: 0, minFactor: 0 }, 0],
  ['cosine_with_min_lr', { kind: 'warmupCosine', warmupSteps: 8 }, 0],
  ['constant', { kind: 'constant' }, 0],
  ['constant_with_warmup', { kind: 'constant', warmupSteps: 8 }, 0],
  ['warmup_stable_decay_linear', { kind: 'warmupStableDecay', warmupSteps: 5, decaySteps: 12 }, 5],
])('schedule %s', (name, schedule, from) => {
  const { lr } = golden.schedules[name]!
  expect(lr).toHaveLength(51)
  for (let step = from; step <= 50; step++) expect(scheduleFactor(schedule, step, 50), `step ${step}`).toBeCloseTo(lr[step]!, 12)
})

test('an unknown schedule is an error, not a learning rate of NaN', () => {
  expect(() => scheduleFactor({ kind: 'cosine' } as unknown as Schedule, 3, 10)).toThrow(/schedule.kind: expected .* got "cosine"/)
})
