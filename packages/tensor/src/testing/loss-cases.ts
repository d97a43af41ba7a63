// Sample calls of losses and of optimizer steps.
import type { Attrs, Slot } from '../backend.ts'
import { crossEntropyOp } from '../ops/cross-entropy.ts'
import { linearCrossEntropyOp } from '../ops/linear-cross-entropy.ts'
import { adamWStepOp, addIntoOp, globalNormOp, lionStepOp, muonStepOp, sgdStepOp } from '../ops/optimizer-steps.ts'
import type { OpDefinition } from '../op-definition.ts'
import { asBfloat16, caseOf, withoutGradients } from './case-of.ts'
import type { OpCase, Samples, SampleTensor } from './op-case.ts'

const plain = { ignoreIndex: -1, labelSmoothing: 0, zLoss: 0 }
const head = { ...plain, softcap: 0, logitScale: 1, chunkRows: 0 }
const someIgnored = (s: Samples): SampleTensor => s.values([5], [3, -1, 0, 6, -1], 'i32')

const crossEntropies: readonly OpCase[] = [
  caseOf(crossEntropyOp, 'plain', plain, (s) => [s.normal([5, 7], 2), s.integers([5], 0, 7)], { rows: ['logits', 'targets'] }),
  caseOf(crossEntropyOp, 'some ignored', plain, (s) => [s.normal([5, 7], 2), someIgnored(s)], { rows: ['logits', 'targets'] }),
  caseOf(crossEntropyOp, 'smoothed, another ignored index', { ...plain, ignoreIndex: -100, labelSmoothing: 0.1 }, (s) => [s.normal([3, 5]), s.values([3], [4, -100, 0], 'i32')]),
  caseOf(crossEntropyOp, 'z loss', { ...plain, zLoss: 1e-2 }, (s) => [s.normal([5, 7]), someIgnored(s)]),
  caseOf(crossEntropyOp, 'far from 0', plain, (s) => [s.values([2, 3], [1000, 0, 990, -1000, -1001, -990]), s.values([2], [2, 0], 'i32')]),
  caseOf(crossEntropyOp, 'no such class', plain, (s) => [s.normal([3, 4]), s.values([3], [4, 1, -2], 'i32')], withoutGradients),
  caseOf(crossEntropyOp, 'wide', plain, (s) => [s.normal([3, 5003], 2), s.integers([3], 0, 5003)], withoutGradients),
  caseOf(crossEntropyOp, 'no rows', plain, (s) => [s.normal([0, 4]), s.integers([0], 0, 4)]),
  caseOf(linearCrossEntropyOp, 'plain', head, (s) => [s.normal([5, 4]), s.normal([7, 4]), s.integers([5], 0, 7), undefined], { rows: ['hidden', 'targets'] }),
  caseOf(linearCrossEntropyOp, 'in chunks, some ignored, bias', { ...head, chunkRows: 2 }, (s) => [s.normal([5, 4]), s.normal([7, 4]), someIgnored(s), s.normal([7])]),
  caseOf(linearCrossEntropyOp, 'soft cap and scale', { ...head, softcap: 3, logitScale: 0.5 }, (s) => [s.normal([5, 4]), s.normal([7, 4]), someIgnored(s), undefined]),
  caseOf(linearCrossEntropyOp, 'smoothed, z loss, everything', { ...head, labelSmoothing: 0.1, zLoss: 1e-2, softcap: 3, logitScale: 2, chunkRows: 3 }, (s) => [s.normal([5, 4]), s.normal([7, 4]), someIgnored(s), s.normal([7])]),
  caseOf(linearCrossEntropyOp, 'bf16 weight', head, (s) => [s.normal([3, 4]), asBfloat16(s, s.normal([6, 4])), s.integers([3], 0, 6), undefined]),
  caseOf(linearCrossEntropyOp, 'no rows', head, (s) => [s.normal([0, 4]), s.normal([7, 4]), s.integers([0], 0, 7), undefined]),
]

interface StepSample {
  readonly states: number
  /** How often the step counted before. */
  readonly step?: number
  readonly scale?: number
  readonly masters?: boolean
  readonly shapes?: readonly (readonly number[])[]
}

/** values, masters, gradients, states, step, gradientScale. */
const stepInputs = (s: Samples, { states, step = 3, scale = 0.7, masters = false, shapes = [[4, 3], [5]] }: StepSample): readonly Slot<SampleTensor>[] => {
  const originals = shapes.map((shape) => s.normal(shape))
  const second = (list: number): boolean => states === 2 && list === 1
  return [
    masters ? originals.map((x) => asBfloat16(s, x)) : originals,
    masters ? originals : [],
    shapes.map((shape) => s.normal(shape, 0.3)),
    ...Array.from({ length: states }, (_, list) => shapes.map((shape) => (second(list) ? s.uniform(shape, 0.01, 0.2) : s.normal(shape, 0.3)))),
    s.values([], [step]),
    s.values([], [scale]),
  ]
}

const adamW = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 }
const sgd = { learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.01 }
const lion = { learningRate: 0.01, beta1: 0.9, beta2: 0.99, weightDecay: 0.1 }
const muon = { learningRate: 0.02, momentum: 0.95, nesterov: true, weightDecay: 0.1, adjust: 'original' }

const stepCase = (op: OpDefinition, name: string, attrs: Attrs, options: StepSample): OpCase => caseOf(op, name, attrs, (s) => stepInputs(s, options), withoutGradients)

const matrices = [[4, 3], [3, 6]]

const optimizerSteps: readonly OpCase[] = [
  stepCase(adamWStepOp, 'first', adamW, { states: 2, step: 0 }),
  stepCase(adamWStepOp, 'later', adamW, { states: 2, step: 700 }),
  stepCase(adamWStepOp, 'no decay', { ...adamW, weightDecay: 0 }, { states: 2 }),
  stepCase(adamWStepOp, 'skipped', adamW, { states: 2, scale: NaN }),
  { ...stepCase(adamWStepOp, 'bf16 values with masters', adamW, { states: 2, masters: true }), tolerance: { rtol: 1e-2, atol: 1e-5 } },
  stepCase(lionStepOp, 'plain', lion, { states: 1 }),
  stepCase(lionStepOp, 'skipped', lion, { states: 1, scale: Infinity }),
  stepCase(sgdStepOp, 'nesterov', sgd, { states: 1 }),
  stepCase(sgdStepOp, 'momentum', { ...sgd, nesterov: false, weightDecay: 0 }, { states: 1 }),
  stepCase(sgdStepOp, 'without momentum', { ...sgd, momentum: 0, nesterov: false }, { states: 1 }),
  stepCase(sgdStepOp, 'skipped', sgd, { states: 1, scale: NaN }),
  { ...stepCase(muonStepOp, 'nesterov', muon, { states: 1, shapes: matrices }), tolerance: { rtol: 1e-4, atol: 1e-4 } },
  { ...stepCase(muonStepOp, 'scaled like AdamW', { ...muon, nesterov: false, weightDecay: 0, adjust: 'matchRmsAdamW' }, { states: 1, shapes: matrices }), tolerance: { rtol: 1e-4, atol: 1e-4 } },
  stepCase(muonStepOp, 'skipped', muon, { states: 1, shapes: matrices, scale: -Infinity }),
  caseOf(globalNormOp, 'several', {}, (s) => [[s.normal([3, 4]), s.normal([5]), s.normal([])]]),
  caseOf(globalNormOp, 'one that is empty', {}, (s) => [[s.normal([0, 4]), s.normal([2])]]),
  caseOf(addIntoOp, 'f32', {}, (s) => [s.normal([3, 4]), s.normal([3, 4])], withoutGradients),
  caseOf(addIntoOp, 'a bf16 gradient', {}, (s) => [s.normal([6]), asBfloat16(s, s.normal([6]))], withoutGradients),
]

export const lossCases: readonly OpCase[] = [...crossEntropies, ...optimizerSteps]
