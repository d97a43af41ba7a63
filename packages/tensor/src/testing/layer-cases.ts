// Sample calls of the operations that layers are made of: softmax, norms, rotary positions, activations, linear, embedding.
import { geGluOp, geluOp, reluOp, sigmoidOp, siluOp, swiGluOp } from '../ops/activation.ts'
import { addLayerNormOp, addRmsNormOp } from '../ops/add-norm.ts'
import { dropoutOp } from '../ops/dropout.ts'
import { embeddingOp } from '../ops/embedding.ts'
import { expertLinearOp } from '../ops/expert-linear.ts'
import { activatedLinearOp, linearOp } from '../ops/linear.ts'
import { layerNormOp, rmsNormOp } from '../ops/norm.ts'
import { qkvRopeOp, ropeOp } from '../ops/rope.ts'
import { logSoftmaxOp, meanOp, softmaxOp } from '../ops/softmax.ts'
import { splitHeadsOp } from '../ops/split-heads.ts'
import { asBfloat16, caseOf, withoutGradients } from './case-of.ts'
import type { OpCase, Samples, SampleTensor } from './op-case.ts'

const rowsOfX = { rows: ['x'] }

const softmaxCases: readonly OpCase[] = [softmaxOp, logSoftmaxOp].flatMap((op) => [
  caseOf(op, 'last axis', { axis: 1 }, (s) => [s.normal([3, 7], 2)], rowsOfX),
  caseOf(op, 'middle axis', { axis: 1 }, (s) => [s.normal([2, 5, 3])]),
  caseOf(op, 'far from 0', { axis: 1 }, (s) => [s.values([2, 3], [1000, 999, 990, -1000, -1001, -990])]),
  caseOf(op, 'some forbidden', { axis: 1 }, (s) => [s.values([1, 4], [1, -Infinity, 2, -Infinity])], withoutGradients),
  caseOf(op, 'long rows', { axis: 1 }, (s) => [s.normal([3, 5003], 3)], withoutGradients),
  caseOf(op, 'empty', { axis: 1 }, (s) => [s.normal([0, 4])], withoutGradients),
])

const meanCases: readonly OpCase[] = [
  caseOf(meanOp, 'last axis', { axes: [1], keepDims: false }, (s) => [s.normal([3, 7])], rowsOfX),
  caseOf(meanOp, 'two axes, kept', { axes: [0, 2], keepDims: true }, (s) => [s.normal([2, 3, 4])]),
  caseOf(meanOp, 'all', { axes: [0, 1], keepDims: false }, (s) => [s.normal([4, 5])]),
]

const norms: readonly OpCase[] = [
  caseOf(layerNormOp, 'weight and bias', { epsilon: 1e-5 }, (s) => [s.normal([2, 3, 8]), s.normal([8]), s.normal([8])], rowsOfX),
  caseOf(layerNormOp, 'no bias', { epsilon: 1e-5 }, (s) => [s.normal([5, 6]), s.normal([6]), undefined], rowsOfX),
  caseOf(layerNormOp, 'far from 0', { epsilon: 1e-5 }, (s) => [s.uniform([3, 16], 99, 101), s.normal([16]), s.normal([16])], { gradients: false, tolerance: { rtol: 1e-3, atol: 1e-3 } }),
  caseOf(layerNormOp, 'bf16 parameters', { epsilon: 1e-5 }, (s) => [s.normal([4, 8]), asBfloat16(s, s.normal([8])), asBfloat16(s, s.normal([8]))]),
  caseOf(layerNormOp, 'wide', { epsilon: 1e-5 }, (s) => [s.normal([33, 771]), s.normal([771]), s.normal([771])], withoutGradients),
  caseOf(layerNormOp, 'empty', { epsilon: 1e-5 }, (s) => [s.normal([0, 8]), s.normal([8]), s.normal([8])]),
  caseOf(rmsNormOp, 'weight', { epsilon: 1e-6, offset: 0 }, (s) => [s.normal([2, 3, 8]), s.normal([8])], rowsOfX),
  caseOf(rmsNormOp, 'weight less one', { epsilon: 1e-6, offset: 1 }, (s) => [s.normal([5, 6]), s.normal([6], 0.1)], rowsOfX),
  caseOf(rmsNormOp, 'bf16 activations', { epsilon: 1e-6, offset: 0 }, (s) => [asBfloat16(s, s.normal([4, 8])), s.normal([8])], { gradients: false, rows: ['x'], tolerance: { rtol: 1e-2, atol: 1e-2 } }),
  caseOf(rmsNormOp, 'wide', { epsilon: 1e-6, offset: 0 }, (s) => [s.normal([33, 771]), s.normal([771])], withoutGradients),
  caseOf(addLayerNormOp, 'weight and bias', { epsilon: 1e-5 }, (s) => [s.normal([2, 3, 8]), s.normal([2, 3, 8]), s.normal([8]), s.normal([8])], { rows: ['x', 'residual'] }),
  caseOf(addLayerNormOp, 'no bias', { epsilon: 1e-5 }, (s) => [s.normal([4, 6]), s.normal([4, 6]), s.normal([6]), undefined]),
  caseOf(addRmsNormOp, 'weight', { epsilon: 1e-6, offset: 0 }, (s) => [s.normal([2, 3, 8]), s.normal([2, 3, 8]), s.normal([8])], { rows: ['x', 'residual'] }),
  caseOf(addRmsNormOp, 'weight less one', { epsilon: 1e-6, offset: 1 }, (s) => [s.normal([4, 6]), s.normal([4, 6]), s.normal([6])]),
]

/** theta^(−2i/R) with theta 10,000. */
const frequencies = (s: Samples, half: number): SampleTensor => s.values([half], Array.from({ length: half }, (_, i) => 10_000 ** (-i / half)))
const fixed = { withoutGradient: ['frequencies'] }
const turned = { offset: 0, scale: 1 }

const rotations: readonly OpCase[] = [
  caseOf(ropeOp, 'whole head', turned, (s) => [s.normal([2, 5, 3, 8]), frequencies(s, 4), undefined], { ...fixed, rows: ['x'] }),
  caseOf(ropeOp, 'half a head, offset', { offset: 7, scale: 1 }, (s) => [s.normal([1, 3, 2, 8]), frequencies(s, 2), undefined], fixed),
  caseOf(ropeOp, 'positions, scale', { offset: 0, scale: 1.25 }, (s) => [s.normal([2, 3, 2, 6]), frequencies(s, 3), s.integers([2, 3], 0, 60)], { ...fixed, rows: ['x', 'positions'] }),
  caseOf(ropeOp, 'one row of positions', turned, (s) => [s.normal([2, 3, 2, 4]), frequencies(s, 2), s.values([1, 3], [4, 2, 9], 'i32')], fixed),
  caseOf(ropeOp, 'no tokens', turned, (s) => [s.normal([2, 0, 2, 4]), frequencies(s, 2), undefined], { ...fixed, gradients: false }),
  caseOf(splitHeadsOp, 'as many key heads', { numHeads: 2, numKvHeads: 2 }, (s) => [s.normal([2, 3, 24])], { rows: ['qkv'] }),
  caseOf(splitHeadsOp, 'grouped', { numHeads: 4, numKvHeads: 1 }, (s) => [s.normal([3, 5, 18])]),
  caseOf(splitHeadsOp, 'bf16', { numHeads: 1, numKvHeads: 1 }, (s) => [asBfloat16(s, s.normal([2, 3, 9]))], withoutGradients),
  caseOf(splitHeadsOp, 'no tokens', { numHeads: 1, numKvHeads: 1 }, (s) => [s.normal([2, 0, 12])], withoutGradients),
  caseOf(qkvRopeOp, 'as many key heads', { ...turned, numHeads: 2, numKvHeads: 2 }, (s) => [s.normal([2, 3, 24]), frequencies(s, 2), undefined], { ...fixed, rows: ['qkv'] }),
  caseOf(qkvRopeOp, 'grouped, positions', { ...turned, numHeads: 4, numKvHeads: 2 }, (s) => [s.normal([2, 3, 48]), frequencies(s, 2), s.integers([2, 3], 0, 40)], fixed),
]

const activationCases: readonly OpCase[] = [
  ...(['none', 'tanh'] as const).flatMap((approximate) => [
    caseOf(geluOp, approximate, { approximate }, (s) => [s.normal([3, 7], 2)], rowsOfX),
    caseOf(geluOp, `${approximate}, far from 0`, { approximate }, (s) => [s.values([6], [-30, -6, -0, 0, 6, 30])], withoutGradients),
    caseOf(geGluOp, approximate, { approximate }, (s) => [s.normal([3, 7]), s.normal([3, 7])], { rows: ['gate', 'up'] }),
  ]),
  ...[siluOp, sigmoidOp].flatMap((op) => [
    caseOf(op, 'near 0', {}, (s) => [s.normal([3, 7], 2)], rowsOfX),
    caseOf(op, 'far from 0', {}, (s) => [s.values([6], [-80, -20, -0, 0, 20, 80])], withoutGradients),
  ]),
  caseOf(reluOp, 'both signs', {}, (s) => [s.values([2, 3], [-2, -0.5, 0.25, 1, 3, -4])], rowsOfX),
  caseOf(reluOp, 'at 0', {}, (s) => [s.values([3], [0, -0, 1])], withoutGradients),
  caseOf(swiGluOp, 'three axes', {}, (s) => [s.normal([2, 3, 5]), s.normal([2, 3, 5])], { rows: ['gate', 'up'] }),
  caseOf(dropoutOp, 'a third', { rate: 1 / 3, key: [17, 4] }, (s) => [s.normal([9, 11])]),
  caseOf(dropoutOp, 'nearly all', { rate: 0.99, key: [1, 2] }, (s) => [s.normal([40])]),
]

const outIn = { layout: 'outIn', activation: 'none' }

const products: readonly OpCase[] = [
  caseOf(linearOp, 'plain', outIn, (s) => [s.normal([2, 3, 5]), s.normal([4, 5]), undefined, undefined], rowsOfX),
  caseOf(linearOp, 'bias and residual', outIn, (s) => [s.normal([3, 5]), s.normal([4, 5]), s.normal([4]), s.normal([3, 4])], { rows: ['x', 'residual'] }),
  caseOf(linearOp, 'input first', { ...outIn, layout: 'inOut' }, (s) => [s.normal([2, 3, 5]), s.normal([5, 4]), s.normal([4]), undefined], rowsOfX),
  caseOf(linearOp, 'a vector', outIn, (s) => [s.normal([5]), s.normal([4, 5]), s.normal([4]), undefined]),
  caseOf(linearOp, 'bf16 weight', outIn, (s) => [s.normal([3, 8]), asBfloat16(s, s.normal([4, 8])), undefined, undefined], rowsOfX),
  caseOf(linearOp, 'no rows', outIn, (s) => [s.normal([0, 5]), s.normal([4, 5]), s.normal([4]), undefined]),
  caseOf(linearOp, 'larger', outIn, (s) => [s.normal([37, 130], 0.1), s.normal([95, 130]), s.normal([95]), undefined], { gradients: false, rows: ['x'] }),
  ...(['gelu', 'geluTanh', 'silu'] as const).map((activation) =>
    caseOf(activatedLinearOp, activation, { layout: 'outIn', activation }, (s) => [s.normal([3, 5]), s.normal([4, 5], 0.5), s.normal([4]), s.normal([3, 4])], { rows: ['x', 'residual'] }),
  ),
  caseOf(activatedLinearOp, 'relu', { layout: 'inOut', activation: 'relu' }, (s) => [s.normal([3, 5]), s.normal([5, 4]), s.uniform([4], 0.1, 0.2), undefined], rowsOfX),
  caseOf(expertLinearOp, 'two of three', {}, (s) => [s.normal([5, 4]), s.normal([3, 6, 4]), s.values([5, 2], [0, 1, 2, 0, 1, 2, 1, 1, 0, 2], 'i32')], { rows: ['x', 'expertIds'] }),
  caseOf(expertLinearOp, 'one of two, one never chosen', {}, (s) => [s.normal([3, 4]), s.normal([2, 5, 4]), s.values([3, 1], [1, 1, 1], 'i32')]),
  caseOf(embeddingOp, 'two axes of ids', {}, (s) => [s.normal([7, 4]), s.integers([2, 5], 0, 7)]),
  caseOf(embeddingOp, 'the same id often', {}, (s) => [s.normal([3, 2]), s.values([6], [1, 1, 2, 1, 0, 1], 'i32')]),
  caseOf(embeddingOp, 'outside of the table', {}, (s) => [s.normal([3, 2]), s.values([4], [-1, 3, 2, 0], 'i32')]),
]

export const layerCases: readonly OpCase[] = [...softmaxCases, ...meanCases, ...norms, ...rotations, ...activationCases, ...products]
