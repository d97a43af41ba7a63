// Optimizer updates over lists of tensors, one call a parameter group. All lists but the gradients' scale are consumed. Where the scale is
// not finite nothing changes and the step does not count: clipping and skipping never wait for a read.
import type { Attrs, Meta, Slot } from '../backend.ts'
import { ShapeError } from '../errors.ts'
import { exec } from '../exec.ts'
import { defineOp, type OpDefinition } from '../op-definition.ts'
import { abs, add, cast, concat, div, exp, lessThan, matMul, maximum, mul, permute, reshape, scalarLike, sqrt, sub, sum, tanh, where } from '../primitives.ts'
import { formatShape, sameShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { tidy } from '../tidy.ts'
import { accumulationDType, metaOf, metasOf, numberOf, requireFloat, requireShape } from './checks.ts'
import { inSteps, scaled, shifted, widened } from './scratch.ts'

interface StepContext {
  readonly attrs: Attrs
  /** 1 where the step counts, 0 where the scale is not finite; f32 scalar. */
  readonly counts: Tensor
  /** The number of this update, from 1. */
  readonly stepNumber: Tensor
}

type Rule = (value: Tensor, gradient: Tensor, state: readonly Tensor[]) => { readonly value: Tensor; readonly state: readonly Tensor[] }

/** Makes the scalars of a step once, for all its tensors. */
type Prepare = (context: StepContext) => Rule

/** `values`, `masters`, `gradients`, then the state lists, `step`, `gradientScale`. */
const stepOp = (name: string, stateNames: readonly string[], prepare: Prepare): OpDefinition =>
  defineOp({
    name,
    inputs: ['values[]', 'masters[]', 'gradients[]', ...stateNames.map((list) => `${list}[]`), 'step', 'gradientScale'],
    outputs: ['values[]', 'masters[]', ...stateNames.map((list) => `${list}[]`), 'step'],
    donates: ['values', 'masters', 'gradients', ...stateNames, 'step'],
    infer: (slots) => {
      if (name === 'muonStep') requireMatrices(metasOf(slots[0]))
      return inferStep(name, slots, stateNames)
    },
    decompose: ({ inputs, attrs }) => {
      const lists = inputs.slice(0, 3 + stateNames.length) as readonly (readonly Tensor[])[]
      const [values, masters, gradients, ...states] = lists as [readonly Tensor[], readonly Tensor[], readonly Tensor[], ...(readonly Tensor[])[]]
      const [step, gradientScale] = inputs.slice(3 + stateNames.length) as [Tensor, Tensor]
      const isFinite = lessThan(abs(gradientScale), scalarLike(gradientScale, Infinity))
      const counts = cast(isFinite, step.dtype)
      const rule = prepare({ attrs, counts, stepNumber: shifted(step, 1) })
      const updated = values.map((value, i) =>
        tidy(() => {
          const scaledGradient = mul(cast(gradients[i]!, gradientScale.dtype), gradientScale)
          const gradient = where(isFinite, scaledGradient, scalarLike(scaledGradient, 0))
          const before = masters[i] ?? widened(value)
          const next = rule(before, gradient, states.map((list) => list[i]!))
          return { value: cast(next.value, value.dtype), master: masters[i] === undefined ? undefined : next.value, state: next.state }
        }),
      )
      return [
        ...updated.map(({ value }) => value),
        ...updated.flatMap(({ master }) => (master === undefined ? [] : [master])),
        ...stateNames.flatMap((_, list) => updated.map(({ state }) => state[list]!)),
        add(step, counts),
      ]
    },
  })

const requireMatrices = (values: readonly Meta[]): void => {
  const other = values.find(({ shape }) => shape.length !== 2)
  if (other !== undefined) throw new ShapeError(`muonStep: expected matrices, got ${formatShape(other.shape)}; train other parameters with adamWStep`)
}

const inferStep = (name: string, slots: readonly Slot<Meta>[], stateNames: readonly string[]): Meta[] => {
  const [values, masters, gradients, ...rest] = slots
  const states = rest.slice(0, stateNames.length).map(metasOf)
  const count = metasOf(values).length
  const named: (readonly [string, readonly Meta[]])[] = [['gradients', metasOf(gradients)], ...(metasOf(masters).length === 0 ? [] : [['masters', metasOf(masters)] as const]), ...stateNames.map((list, i) => [list, states[i]!] as const)]
  for (const [list, metas] of named) {
    if (metas.length !== count) throw new ShapeError(`${name}: expected ${count} ${list}, one a value, got ${metas.length}`)
    metas.forEach(({ shape }, i) => {
      const expected = metasOf(values)[i]!.shape
      if (!sameShape(shape, expected)) throw new ShapeError(`${name}: expected ${list}[${i}] of shape ${formatShape(expected)}, got ${formatShape(shape)}`)
    })
  }
  for (const [scalar, meta] of [['step', metaOf(rest[stateNames.length])], ['gradientScale', metaOf(rest[stateNames.length + 1])]] as const) requireShape(name, scalar, meta, [])
  return [...metasOf(values), ...metasOf(masters), ...states.flat(), metaOf(rest[stateNames.length])].map(({ shape, dtype }) => ({ shape, dtype }))
}

/** learningRate · counts, so that a step that does not count moves nothing. */
const rate = ({ attrs, counts }: StepContext): Tensor => scaled(counts, numberOf(attrs, 'learningRate'))

/** value · (1 − learningRate · weightDecay): decay that is decoupled from the gradient. */
const decay = (context: StepContext): ((value: Tensor) => Tensor) => {
  const weightDecay = numberOf(context.attrs, 'weightDecay')
  if (weightDecay === 0) return (value) => value
  const loss = scaled(rate(context), weightDecay)
  const factor = sub(scalarLike(loss, 1), loss)
  return (value) => mul(value, factor)
}

/** before + (target − before) · share, where the share is 0 for a step that does not count. */
const towards = (share: number, { counts }: StepContext): ((before: Tensor, target: Tensor) => Tensor) => {
  const part = scaled(counts, share)
  return (before, target) => inSteps(sub(target, before), (x) => mul(x, part), (x) => add(before, x))
}

/**
 * 1 − β^t. In f32 the plain difference loses four digits at β = 0.999 and t = 1; −expm1(y) = −tanh(y/2) · (exp(y) + 1) with
 * y = t · ln β loses none.
 */
const oneMinusPower = (beta: number, exponent: Tensor): Tensor => {
  if (beta === 0) return scalarLike(exponent, 1)
  const y = scaled(exponent, Math.log(beta))
  return mul(tanh(scaled(y, -0.5)), shifted(exp(y), 1))
}

/** Attributes `learningRate`, `beta1`, `beta2`, `epsilon`, `weightDecay`. */
export const adamWStepOp = stepOp('adamWStep', ['firstMoments', 'secondMoments'], (context) => {
  const { attrs, stepNumber } = context
  const [beta1, beta2] = [numberOf(attrs, 'beta1'), numberOf(attrs, 'beta2')]
  const [firstTowards, secondTowards, decayed] = [towards(1 - beta1, context), towards(1 - beta2, context), decay(context)]
  const stepSize = div(rate(context), oneMinusPower(beta1, stepNumber))
  const root = sqrt(oneMinusPower(beta2, stepNumber))
  return (value, gradient, [first, second]) => {
    const firstMoment = firstTowards(first!, gradient)
    const secondMoment = inSteps(mul(gradient, gradient), (square) => secondTowards(second!, square))
    const denominator = inSteps(sqrt(secondMoment), (x) => div(x, root), (x) => shifted(x, numberOf(attrs, 'epsilon')))
    const move = inSteps(denominator, (x) => div(firstMoment, x), (x) => mul(x, stepSize))
    return { value: sub(decayed(value), move), state: [firstMoment, secondMoment] }
  }
})

/** Attributes `learningRate`, `beta1`, `beta2`, `weightDecay`. */
export const lionStepOp = stepOp('lionStep', ['momenta'], (context) => {
  const [beta1, beta2] = [numberOf(context.attrs, 'beta1'), numberOf(context.attrs, 'beta2')]
  const [momentumTowards, decayed, size] = [towards(1 - beta2, context), decay(context), rate(context)]
  return (value, gradient, [momentum]) => {
    const mixed = add(scaled(momentum!, beta1), scaled(gradient, 1 - beta1))
    const zero = scalarLike(mixed, 0)
    const sign = sub(cast(lessThan(zero, mixed), mixed.dtype), cast(lessThan(mixed, zero), mixed.dtype))
    return { value: sub(decayed(value), mul(sign, size)), state: [momentumTowards(momentum!, gradient)] }
  }
})

/** Attributes `learningRate`, `momentum`, `nesterov`, `weightDecay` (coupled with the gradient, as in PyTorch's SGD). */
export const sgdStepOp = stepOp('sgdStep', ['momenta'], (context) => {
  const { attrs } = context
  const [mu, weightDecay] = [numberOf(attrs, 'momentum'), numberOf(attrs, 'weightDecay')]
  const [momentumTowards, size] = [towards(1, context), rate(context)]
  return (value, gradient, [momentum]) => {
    const full = weightDecay === 0 ? gradient : add(gradient, scaled(value, weightDecay))
    const next = mu === 0 ? momentum! : momentumTowards(momentum!, add(scaled(momentum!, mu), full))
    const direction = mu === 0 ? full : attrs['nesterov'] === true ? add(full, scaled(next, mu)) : next
    return { value: sub(value, mul(direction, size)), state: [next] }
  }
})

/** Five steps of the quintic Newton–Schulz iteration towards the nearest orthogonal matrix. */
const orthogonalized = (matrix: Tensor): Tensor => {
  const [rows, columns] = matrix.shape as [number, number]
  const wide = rows > columns ? permute(matrix, [1, 0]) : matrix
  const norm = sqrt(sum(mul(wide, wide)))
  let x = div(wide, maximum(norm, scalarLike(norm, 1e-7)))
  for (let i = 0; i < 5; i++) {
    const square = matMul(x, x, { transposeB: true })
    const mixed = add(scaled(square, -4.775), scaled(matMul(square, square), 2.0315))
    x = add(scaled(x, 3.4445), matMul(mixed, x))
  }
  return rows > columns ? permute(x, [1, 0]) : x
}

/** Attributes `learningRate`, `momentum`, `nesterov`, `weightDecay`, `adjust`. Matrices alone; Jordan et al. 2024, as torch.optim.Muon: momentum by interpolation, step times √max(1, rows / columns). */
export const muonStepOp = stepOp('muonStep', ['momenta'], (context) => {
  const { attrs } = context
  const mu = numberOf(attrs, 'momentum')
  const [momentumTowards, decayed] = [towards(1 - mu, context), decay(context)]
  return (value, gradient, [momentum]) => {
    const next = momentumTowards(momentum!, gradient)
    const direction = attrs['nesterov'] === true ? add(gradient, scaled(sub(next, gradient), mu)) : next
    const [rows, columns] = value.shape as [number, number]
    const adjusted = attrs['adjust'] === 'matchRmsAdamW' ? 0.2 * Math.sqrt(Math.max(rows, columns)) : Math.sqrt(Math.max(1, rows / columns))
    return { value: sub(decayed(value), mul(orthogonalized(direction), scaled(rate(context), adjusted))), state: [next] }
  }
})

/** √Σ x² over a list. */
export const globalNormOp = defineOp({
  name: 'globalNorm',
  inputs: ['tensors[]'],
  infer: ([tensors]) => {
    for (const meta of metasOf(tensors)) requireFloat('globalNorm', 'tensors', meta)
    return [{ shape: [], dtype: accumulationDType(metasOf(tensors)[0]!.dtype) }]
  },
  decompose: ({ inputs: [tensors] }) => {
    const squares = (tensors as readonly Tensor[]).map((x) => tidy(() => reshape(inSteps(widened(x), (wide) => mul(wide, wide), (square) => sum(square)), [1])))
    return [sqrt(sum(concat(squares, 0)))]
  },
})

/** x may have another float dtype than the accumulator. */
export const addIntoOp = defineOp({
  name: 'addInto',
  inputs: ['accumulator', 'x'],
  donates: ['accumulator'],
  infer: ([accumulator, x]) => {
    const { shape, dtype } = metaOf(accumulator)
    if (!sameShape(shape, metaOf(x).shape)) throw new ShapeError(`addInto: expected x of shape ${formatShape(shape)}, got ${formatShape(metaOf(x).shape)}`)
    return [{ shape, dtype }]
  },
  decompose: ({ inputs }) => {
    const [accumulator, x] = inputs as readonly [Tensor, Tensor]
    return [add(accumulator, cast(x, accumulator.dtype))]
  },
})

interface StepLists {
  readonly values: readonly Tensor[]
  /** f32 originals of bf16 values; may be empty. */
  readonly masters: readonly Tensor[]
  readonly gradients: readonly Tensor[]
  /** Updates that counted so far, f32 scalar. */
  readonly step: Tensor
  /** min(1, maxGradNorm / norm) / Σweight, f32 scalar; not finite: nothing changes. */
  readonly gradientScale: Tensor
}

interface StepOutputs {
  readonly values: Tensor[]
  readonly masters: Tensor[]
  readonly step: Tensor
}

const runStep = <S extends string>(op: OpDefinition, lists: StepLists, states: Readonly<Record<S, readonly Tensor[]>>, attrs: Attrs): StepOutputs & Record<S, Tensor[]> => {
  const names = Object.keys(states) as S[]
  const outputs = exec(op, [lists.values, lists.masters, lists.gradients, ...names.map((name) => states[name]), lists.step, lists.gradientScale], attrs)
  const take = (count: number): Tensor[] => outputs.splice(0, count)
  const [values, masters] = [take(lists.values.length), take(lists.masters.length)]
  const next = Object.fromEntries(names.map((name) => [name, take(lists.values.length)])) as Record<S, Tensor[]>
  return { values, masters, step: outputs[0]!, ...next }
}

/** AdamW (Loshchilov, Hutter 2019) in PyTorch's order of operations. Consumes all but gradientScale. */
export const adamWStep = (
  lists: StepLists & { readonly firstMoments: readonly Tensor[]; readonly secondMoments: readonly Tensor[] },
  settings: { readonly learningRate: number; readonly beta1: number; readonly beta2: number; readonly epsilon: number; readonly weightDecay: number },
): StepOutputs & { firstMoments: Tensor[]; secondMoments: Tensor[] } =>
  runStep(adamWStepOp, lists, { firstMoments: lists.firstMoments, secondMoments: lists.secondMoments }, settings)

type WithMomenta = StepLists & { readonly momenta: readonly Tensor[] }

/** Lion (Chen et al. 2023): the sign of an interpolated momentum. Consumes all but gradientScale. */
export const lionStep = (lists: WithMomenta, settings: { readonly learningRate: number; readonly beta1: number; readonly beta2: number; readonly weightDecay: number }): StepOutputs & { momenta: Tensor[] } =>
  runStep(lionStepOp, lists, { momenta: lists.momenta }, settings)

/** SGD with momentum as torch.optim.SGD. Consumes all but gradientScale. */
export const sgdStep = (lists: WithMomenta, settings: { readonly learningRate: number; readonly momentum: number; readonly nesterov: boolean; readonly weightDecay: number }): StepOutputs & { momenta: Tensor[] } =>
  runStep(sgdStepOp, lists, { momenta: lists.momenta }, settings)

export interface MuonSettings {
  readonly learningRate: number
  readonly momentum: number
  readonly nesterov: boolean
  readonly weightDecay: number
  /** Step size by shape: `original` (default) √max(1, rows / columns); `matchRmsAdamW` 0.2 · √max(rows, columns). */
  readonly adjust?: 'original' | 'matchRmsAdamW'
}

/** Muon: orthogonalised momentum, for matrices. Consumes all but gradientScale. */
export const muonStep = (lists: WithMomenta, settings: MuonSettings): StepOutputs & { momenta: Tensor[] } =>
  runStep(muonStepOp, lists, { momenta: lists.momenta }, { adjust: 'original', ...settings })

/** √Σ x² over all elements of all tensors, f32 scalar. */
export const globalNorm = (tensors: readonly Tensor[]): Tensor => {
  if (tensors.length === 0) throw new ShapeError('globalNorm: expected at least one tensor')
  return exec(globalNormOp, [tensors])[0]!
}

/** accumulator + x; consumes the accumulator. */
export const addInto = (accumulator: Tensor, x: Tensor): Tensor => exec(addIntoOp, [accumulator, x])[0]!
