import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createCpuBackend } from '@weft/tensor/cpu'
import { memory, read, tensor, tidy, type DType, type Tensor } from '@weft/tensor'
import { adamWStep, addInto, cast, globalNorm, lionStep, muonStep, sgdStep } from '@weft/tensor/ops'
import { expectClose, f32, f64, numbers, valuesOf } from '../../test/closeness.ts'

type Matrix = readonly (readonly number[])[]

interface Golden {
  readonly optimizers: {
    readonly start: Matrix
    readonly gradients: readonly Matrix[]
    readonly results: Readonly<Record<string, { readonly options: Record<string, never>; readonly parameterAfterStep: Readonly<Record<string, Matrix>> }>>
  }
  readonly clipping: { readonly gradients: Readonly<Record<string, number | readonly number[] | Matrix>>; readonly cases: readonly { readonly norm_before: number }[] }
}

const golden = JSON.parse(readFileSync(new URL('../../test/golden/training.json', import.meta.url), 'utf8')) as Golden

interface State {
  readonly values: Tensor[]
  readonly states: Tensor[][]
  readonly step: Tensor
}

type Update = (state: State, gradients: Tensor[], gradientScale: Tensor) => State

const adamWith = (settings: Parameters<typeof adamWStep>[1]): Update => ({ values, states: [firstMoments, secondMoments], step }, gradients, gradientScale) => {
  const next = adamWStep({ values, masters: [], gradients, firstMoments: firstMoments!, secondMoments: secondMoments!, step, gradientScale }, settings)
  return { values: next.values, states: [next.firstMoments, next.secondMoments], step: next.step }
}

type MomentumStep = typeof lionStep | typeof sgdStep | typeof muonStep

const momentumWith = <S extends MomentumStep>(run: S, settings: Parameters<S>[1]): Update => ({ values, states: [momenta], step }, gradients, gradientScale) => {
  const next = run({ values, masters: [], gradients, momenta: momenta!, step, gradientScale }, settings as never)
  return { values: next.values, states: [next.momenta], step: next.step }
}

const adam = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }
const muon = { learningRate: 0.02, momentum: 0.95, nesterov: true, weightDecay: 0.1 }

const updates: Readonly<Record<string, { readonly update: Update; readonly states: number }>> = {
  adam: { update: adamWith(adam), states: 2 },
  adamw: { update: adamWith({ ...adam, beta2: 0.95, weightDecay: 0.1 }), states: 2 },
  lion: { update: momentumWith(lionStep, { learningRate: 0.01, beta1: 0.9, beta2: 0.99, weightDecay: 0.1 }), states: 1 },
  sgd: { update: momentumWith(sgdStep, { learningRate: 0.05, momentum: 0, nesterov: false, weightDecay: 0.01 }), states: 1 },
  sgd_momentum: { update: momentumWith(sgdStep, { learningRate: 0.05, momentum: 0.9, nesterov: false, weightDecay: 0 }), states: 1 },
  sgd_nesterov: { update: momentumWith(sgdStep, { learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.01 }), states: 1 },
  muon_float64: { update: momentumWith(muonStep, muon), states: 1 },
  muon_float64_match_rms: { update: momentumWith(muonStep, { ...muon, nesterov: false, weightDecay: 0, adjust: 'matchRmsAdamW' }), states: 1 },
}

const run = async (name: string, dtype: DType, check: (step: string, values: number[]) => void): Promise<void> => {
  const { update, states } = updates[name]!
  const upload = dtype === 'f64' ? f64 : f32
  const { start, gradients, results } = golden.optimizers
  let state: State = { values: [upload(start.flat(), [5, 3])], states: Array.from({ length: states }, () => [upload(Array<number>(15).fill(0), [5, 3])]), step: upload([0], []) }
  for (const [i, gradient] of gradients.entries()) {
    // Twice the gradient at half the scale: the scale counts.
    state = tidy(() => update(state, [upload(gradient.flat().map((g) => 2 * g), [5, 3])], upload([0.5], [])))
    const step = String(i + 1)
    if (step in results[name]!.parameterAfterStep) check(step, await valuesOf(state.values[0]!))
  }
  expect(await valuesOf(state.step)).toEqual([20])
}

test.each(Object.keys(updates))('%s: twenty updates of the reference, in f64', async (name) => {
  await run(name, 'f64', (step, values) => expectClose(values, golden.optimizers.results[name]!.parameterAfterStep[step]!.flat(), { rtol: 1e-9, atol: 1e-11 }))
})

test.each(['adam', 'adamw', 'sgd_nesterov'])('%s: the same in f32 to 1e-6', async (name) => {
  await run(name, 'f32', (step, values) => expectClose(values, golden.optimizers.results[name]!.parameterAfterStep[step]!.flat(), { rtol: 1e-6, atol: 1e-6 }))
})

test('the first update of Adam is the learning rate, to f32 precision, at β₂ = 0.9999', async () => {
  const next = adamWStep(
    { values: [f32([0], [1])], masters: [], gradients: [f32([0.3], [1])], firstMoments: [f32([0], [1])], secondMoments: [f32([0], [1])], step: f32([0], []), gradientScale: f32([1], []) },
    { ...adam, beta2: 0.9999 },
  )
  expectClose(await valuesOf(next.values[0]!), [-0.01], { rtol: 1e-6 })
})

test('where the scale is not finite nothing changes, and the step does not count', async () => {
  for (const { update, states } of Object.values(updates)) {
    for (const scale of [NaN, Infinity, -Infinity]) {
      const start = numbers(15, 3)
      const moments = numbers(15, 4, 0.5).map(Math.abs)
      const before = { values: [f64(start, [5, 3])], states: Array.from({ length: states }, () => [f64(moments, [5, 3])]), step: f64([0], []) }
      const next = update(before, [f64(start.map((x, i) => (i === 2 ? NaN : x)), [5, 3])], f64([scale], []))
      expect(await valuesOf(next.values[0]!)).toEqual(start)
      for (const [state] of next.states) expect(await valuesOf(state!)).toEqual(moments)
      expect(await valuesOf(next.step)).toEqual([0])
    }
  }
})

test('masters are updated, bf16 values follow them; all that was given is consumed, without a copy', async () => {
  const backend = createCpuBackend()
  const upload = (values: readonly number[], shape: readonly number[]): Tensor => tensor(backend, values, shape)
  const start = numbers(6, 5)
  const gradientScale = upload([1], [])
  const given = {
    values: [tensor(backend, start, [6], { dtype: 'bf16' })],
    masters: [upload(start, [6])],
    gradients: [tensor(backend, numbers(6, 6), [6], { dtype: 'bf16' })],
    firstMoments: [upload(numbers(6, 7, 0), [6])],
    secondMoments: [upload(numbers(6, 8, 0), [6])],
    step: upload([0], []),
  }
  const next = adamWStep({ ...given, gradientScale }, { ...adam, learningRate: 1e-3 })
  for (const x of [...given.values, ...given.masters, ...given.gradients, ...given.firstMoments, ...given.secondMoments, given.step]) expect(x.isDisposed).toBe(true)
  expect(gradientScale.isDisposed).toBe(false)
  expect(memory(backend).missedDonations).toBe(0)
  expect(memory(backend).buffers).toBe(6)
  expect(next.values[0]!.dtype).toBe('bf16')
  const masters = await read(next.masters[0]!)
  expectClose(masters, start.map((x, i) => x - 1e-3 * Math.sign(numbers(6, 6)[i]!)), { atol: 1e-6 })
  expect(await read(next.values[0]!)).toEqual(await read(cast(next.masters[0]!, 'bf16')))
  expect(() => adamWStep({ ...given, gradientScale }, adam)).toThrow(/given away/)
})

test('globalNorm is one norm over all tensors, as clip_grad_norm_ reports it', async () => {
  const { gradients, cases } = golden.clipping
  const tensors = Object.values(gradients).map((g) => ((flat: number[]) => f64(flat, [flat.length]))([g].flat(2) as number[]))
  expectClose(await valuesOf(globalNorm(tensors)), [cases[0]!.norm_before], { rtol: 1e-12 })
  expect(() => globalNorm([])).toThrow(/at least one tensor/)
})

test('addInto adds a bf16 gradient to an f32 sum and consumes the sum', async () => {
  const backend = createCpuBackend()
  const total = tensor(backend, [1, 2], [2])
  const sum = addInto(total, tensor(backend, [0.5, 0.25], [2], { dtype: 'bf16' }))
  expect(total.isDisposed).toBe(true)
  expect(await valuesOf(sum)).toEqual([1.5, 2.25])
  expect(memory(backend).missedDonations).toBe(0)
})

test('lists that do not belong together are refused', () => {
  const lists = { values: [f32([1], [1])], masters: [], gradients: [f32([1, 2], [2])], momenta: [f32([1], [1])], step: f32([0], []), gradientScale: f32([1], []) }
  expect(() => lionStep(lists, { learningRate: 1, beta1: 0.9, beta2: 0.9, weightDecay: 0 })).toThrow('lionStep: expected gradients[0] of shape [1], got [2]')
  expect(() => lionStep({ ...lists, gradients: [] }, { learningRate: 1, beta1: 0.9, beta2: 0.9, weightDecay: 0 })).toThrow('lionStep: expected 1 gradients, one a value, got 0')
  expect(() => muonStep({ ...lists, gradients: [f32([1], [1])] }, muon)).toThrow('muonStep: expected matrices, got [1]; train other parameters with adamWStep')
})
