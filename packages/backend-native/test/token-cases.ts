// Sample calls for the kit of softmax, running sums and what chooses tokens: every branch of the kernels, halves, odd and long rows,
// rows of −∞ and with NaN.
import type { Attrs } from '@weft/tensor'
import type { OpCase, Samples, SampleTensor } from '@weft/tensor/testing'
import { opOf, rounded, tolerances, type FloatDType } from './samples.ts'

type Make = (s: Samples) => readonly (SampleTensor | undefined)[]

const sample = (op: string, name: string, attrs: Attrs, make: Make, extra: Partial<OpCase> = {}): OpCase => ({ op: opOf(op), name, gradients: false, ...extra, make: (s) => ({ attrs, inputs: make(s) }) })

const floats: readonly FloatDType[] = ['f32', 'bf16', 'f16']

interface Layout {
  readonly name: string
  readonly shape: readonly number[]
  readonly axis: number
}

const layouts: readonly Layout[] = [
  { name: 'one element', shape: [3, 1], axis: 1 },
  { name: 'a row of odd length', shape: [5, 67], axis: 1 },
  { name: 'long rows', shape: [2, 9001], axis: 1 },
  { name: 'many short rows', shape: [2003, 9], axis: 1 },
  { name: 'columns', shape: [70, 19], axis: 0 },
  { name: 'a middle axis, several stripes', shape: [2, 133, 300], axis: 1 },
  { name: 'nothing', shape: [0, 7], axis: 1 },
]

const softmaxCases: readonly OpCase[] = layouts.flatMap(({ name, shape, axis }) =>
  floats.flatMap((dtype) => {
    const tolerance = tolerances[dtype]
    const x = (s: Samples): SampleTensor => rounded(s, s.normal(shape, 3), dtype)
    const forward = ['softmax', 'logSoftmax'].map((op) => sample(op, `${name}, ${dtype}`, { axis }, (s) => [x(s)], { tolerance }))
    const backward = ['softmaxBackward', 'logSoftmaxBackward'].map((op) => sample(op, `${name}, ${dtype}`, { axis }, (s) => [rounded(s, s.uniform(shape, 0, 0.1), dtype), x(s)], { tolerance: { rtol: tolerance.rtol, atol: dtype === 'f32' ? 1e-4 : 1 } }))
    return dtype === 'f32' ? [...forward, ...backward] : [...forward, ...backward.slice(0, 1)]
  }))

const oddRows = [1, 2, -Infinity, 3, -Infinity, -Infinity, -Infinity, -Infinity, 1, NaN, 2, 0, Infinity, 0, 1, 2]
const oddSoftmaxCases: readonly OpCase[] = ['softmax', 'logSoftmax'].flatMap((op) => [
  sample(op, 'rows with infinities and NaN', { axis: 1 }, (s) => [s.values([4, 4], oddRows)]),
  sample(op, 'columns with infinities and NaN', { axis: 0 }, (s) => [s.values([4, 4], oddRows)]),
  sample(op, 'far from 0', { axis: 1 }, (s) => [s.uniform([3, 50], 900, 1000)], { tolerance: { rtol: 1e-4, atol: 1e-4 } }),
])

const cumSumCases: readonly OpCase[] = layouts.flatMap(({ name, shape, axis }) =>
  [[false, false], [true, false], [false, true], [true, true]].flatMap(([exclusive, reverse]) => {
    const attrs = { axis, exclusive: exclusive!, reverse: reverse! }
    const what = `${name}${exclusive === true ? ', exclusive' : ''}${reverse === true ? ', from the end' : ''}`
    return [
      sample('cumSum', what, attrs, (s) => [s.normal(shape)], { tolerance: { rtol: 1e-5, atol: 1e-4 } }),
      sample('cumSum', `${what}, i32`, attrs, (s) => [s.integers(shape, -50, 50)]),
    ]
  }))

const extremeCases: readonly OpCase[] = [
  ...layouts.flatMap(({ name, shape, axis }) => [
    ...floats.map((dtype) => sample('argMax', `${name}, ${dtype}`, { axis }, (s) => [rounded(s, s.normal(shape), dtype)])),
    sample('argMax', `${name}, i32`, { axis }, (s) => [s.integers(shape, -9, 9)]),
    sample('argMax', `${name}, u8`, { axis }, (s) => [s.bytes(shape, 9)]),
  ]),
  ...[0, 1].map((axis) => sample('argMax', `infinities and NaN, axis ${axis}`, { axis }, (s) => [s.values([4, 4], oddRows)])),
  ...floats.map((dtype) => sample('topK', `ties, ${dtype}`, { k: 5 }, (s) => [rounded(s, s.integers([7, 333], 0, 20), dtype)])),
  ...[1, 64].map((k) => sample('topK', `${k} of a long row`, { k }, (s) => [s.normal([2, 9001])])),
  sample('topK', 'a rising row', { k: 10 }, (s) => [s.values([1, 500], Array.from({ length: 500 }, (_, i) => i))]),
  sample('topK', 'infinities and NaN', { k: 3 }, (s) => [s.values([4, 4], oddRows)]),
]

const V = 5003
const plain = { temperature: 1, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 }

const draws = (name: string, attrs: Attrs, logits: (s: Samples) => SampleTensor, extras: (s: Samples) => readonly (SampleTensor | undefined)[] = () => [undefined, undefined, undefined], extra: Partial<OpCase> = {}): OpCase =>
  sample('sampleToken', name, { ...plain, ...attrs }, (s) => {
    const x = logits(s)
    return [x, ...extras(s), s.uniform([x.shape[0]!], 0, 1)]
  }, extra)

const settings: readonly Attrs[] = [
  {}, { temperature: 0 }, { temperature: 0.3 }, { topK: 1 }, { topK: 50 }, { topK: 3000 }, { topK: V }, { topP: 0.9 }, { topP: 0.01 }, { topP: 0.999 }, { minP: 0.05 }, { minP: 1 },
  { topK: 100, topP: 0.8, minP: 0.01, temperature: 0.8 },
]

const maskOf = (s: Samples, rows: number): SampleTensor => s.bytes([rows, 4 * Math.ceil(V / 32)], 256)

const samplingCases: readonly OpCase[] = [
  ...settings.flatMap((attrs) => [
    draws(`long rows ${JSON.stringify(attrs)}`, attrs, (s) => s.normal([3, V], 2)),
    // Ties: thresholds fall on values that stand many times.
    draws(`ties ${JSON.stringify(attrs)}`, attrs, (s) => { const x = s.integers([3, V], 0, 12); return { ...x, dtype: 'f32', values: Float32Array.from(x.values) } }),
  ]),
  draws('everything', { temperature: 0.9, topK: 200, topP: 0.95, minP: 0.001, repetitionPenalty: 1.3 }, (s) => s.normal([4, V], 2), (s) => [s.normal([1, V]), maskOf(s, 4), s.integers([4, 60], -1, V + 3)]),
  draws('everything, a mask for all, bias by row', { temperature: 1.2, topP: 0.9, repetitionPenalty: 0.7 }, (s) => s.normal([4, V], 2), (s) => [s.normal([4, V]), maskOf(s, 1), s.integers([4, 7], 0, 5)]),
  draws('nothing is allowed', {}, (s) => s.normal([2, V]), (s) => [undefined, s.values([1, 4 * Math.ceil(V / 32)], new Array<number>(4 * Math.ceil(V / 32)).fill(0), 'u8'), undefined]),
  draws('fewer are allowed than top k', { topK: 40 }, (s) => s.normal([2, V]), (s) => [undefined, s.values([1, 4 * Math.ceil(V / 32)], Array.from({ length: 4 * Math.ceil(V / 32) }, (_, i) => (i % 100 === 0 ? 8 : 0)), 'u8'), undefined]),
  draws('one token', {}, (s) => s.normal([2, 1])),
  ...(['bf16', 'f16'] as const).map((dtype) => draws(`logits in ${dtype}`, { topP: 0.9 }, (s) => rounded(s, s.normal([2, V], 2), dtype), undefined, { tolerance: { rtol: 1e-4, atol: 1e-4 } })),
  ...[0, 1].map((temperature) => draws(`infinities and NaN, temperature ${temperature}`, { temperature }, (s) => s.values([4, 4], oddRows))),
]

export const tokenCases: readonly OpCase[] = [...softmaxCases, ...oddSoftmaxCases, ...cumSumCases, ...extremeCases, ...samplingCases]
