// Sample calls of what chooses tokens: largest elements, running sums, sampling; and of random bits.
import type { Attrs } from '../backend.ts'
import { randomBitsOp } from '../create.ts'
import { sampleTokenOp } from '../ops/sampling.ts'
import { argMaxOp, cumSumOp, topKOp } from '../ops/top-k.ts'
import { caseOf, withoutGradients, type CaseExtra } from './case-of.ts'
import type { OpCase, Samples, SampleTensor } from './op-case.ts'

const rowsOfX: CaseExtra = { rows: ['x'], gradients: false }

const choices: readonly OpCase[] = [
  caseOf(argMaxOp, 'last axis', { axis: 1 }, (s) => [s.normal([4, 9])], rowsOfX),
  caseOf(argMaxOp, 'first axis', { axis: 0 }, (s) => [s.normal([4, 9])], withoutGradients),
  caseOf(argMaxOp, 'ties', { axis: 1 }, (s) => [s.values([3, 4], [1, 3, 3, 2, -Infinity, -Infinity, -Infinity, -Infinity, 0, 0, -0, 0])], rowsOfX),
  caseOf(argMaxOp, 'integers', { axis: 1 }, (s) => [s.integers([3, 11], -5, 5)], rowsOfX),
  caseOf(argMaxOp, 'a long row', { axis: 1 }, (s) => [s.normal([2, 5003])], rowsOfX),
  caseOf(topKOp, 'three', { k: 3 }, (s) => [s.normal([4, 9])], rowsOfX),
  caseOf(topKOp, 'all, ties', { k: 4 }, (s) => [s.values([2, 4], [1, 3, 3, 2, 5, 5, 5, 5])], rowsOfX),
  caseOf(topKOp, 'more than are possible', { k: 3 }, (s) => [s.values([1, 5], [-Infinity, 2, -Infinity, -Infinity, -Infinity])], rowsOfX),
  caseOf(topKOp, 'sixty-four of many', { k: 64 }, (s) => [s.normal([2, 1001])], rowsOfX),
  ...([false, true] as const).flatMap((exclusive) => [
    caseOf(cumSumOp, `last axis${exclusive ? ', exclusive' : ''}`, { axis: 1, exclusive, reverse: false }, (s) => [s.normal([3, 7])], { rows: ['x'] }),
    caseOf(cumSumOp, `first axis, from the end${exclusive ? ', exclusive' : ''}`, { axis: 0, exclusive, reverse: true }, (s) => [s.normal([5, 2, 3])]),
  ]),
  caseOf(cumSumOp, 'integers', { axis: 0, exclusive: false, reverse: false }, (s) => [s.integers([40], 0, 9)], withoutGradients),
  caseOf(cumSumOp, 'one, exclusive', { axis: 1, exclusive: true, reverse: false }, (s) => [s.normal([2, 1])]),
  caseOf(cumSumOp, 'empty', { axis: 1, exclusive: true, reverse: false }, (s) => [s.normal([2, 0])], withoutGradients),
]

interface Extras {
  readonly bias?: SampleTensor
  readonly mask?: SampleTensor
  readonly history?: SampleTensor
}

const B = 4
const V = 37

/** Logits and uniforms whose draws do not hang on the last bit: the running sums are far from each row's goal. */
const draws = (name: string, attrs: Attrs, extras: (s: Samples) => Extras = () => ({}), rows: readonly string[] = []): OpCase =>
  caseOf(
    sampleTokenOp,
    name,
    { temperature: 1, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, ...attrs },
    (s) => {
      const { bias, mask, history } = extras(s)
      return [s.normal([B, V], 2), bias, mask, history, s.uniform([B], 0, 1)]
    },
    { gradients: false, rows: ['logits', 'uniforms', ...rows] },
  )

/** Bits for V tokens in whole words; every row allows some. */
const maskBytes = (s: Samples, rows: number): SampleTensor => {
  const bytes = s.bytes([rows, 4 * Math.ceil(V / 32)], 256)
  return { ...bytes, values: Uint8Array.from(bytes.values, (byte, i) => (i % 8 === 0 ? byte | 1 : byte)) }
}

const sampling: readonly OpCase[] = [
  draws('greedy', { temperature: 0 }),
  draws('plain', {}),
  draws('hot', { temperature: 1.7 }),
  draws('top k', { topK: 5 }),
  draws('top p', { topP: 0.8, temperature: 0.7 }),
  draws('min p', { minP: 0.1 }),
  draws('everything', { temperature: 0.9, topK: 20, topP: 0.95, minP: 0.02, repetitionPenalty: 1.3 }, (s) => ({ bias: s.normal([1, V]), mask: maskBytes(s, B), history: s.integers([B, 6], -1, V) }), ['mask', 'history']),
  draws('greedy under a mask for all', { temperature: 0 }, (s) => ({ mask: maskBytes(s, 1) })),
  draws('bias by row', { topK: 3 }, (s) => ({ bias: s.normal([B, V], 2) }), ['bias']),
  draws('penalty below 1', { repetitionPenalty: 0.8 }, (s) => ({ history: s.integers([B, 3], -1, V) }), ['history']),
]

export const tokenCases: readonly OpCase[] = [...choices, ...sampling, caseOf(randomBitsOp, 'a matrix', { key: [3, 9], shape: [5, 7] }, () => [])]
