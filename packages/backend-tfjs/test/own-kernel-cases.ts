// Sample calls for the kit that lead into every branch of the kernels of this package: sizes beyond the loops' limit, grouped heads, each
// kind of mask, parameters that are absent.
import type { Attrs, OpDefinition, Slot } from '@weft/tensor'
import { namedOps } from '@weft/tensor/ops'
import type { OpCase, Samples, SampleTensor } from '@weft/tensor/testing'

type Inputs = (s: Samples) => readonly Slot<SampleTensor>[]

const opOf = (name: string, inputCount?: number): OpDefinition => {
  const found = namedOps.find((op) => op.name === name && (inputCount === undefined || op.inputs.length === inputCount))
  if (found === undefined) throw new Error(`no operation is called ${name}`)
  return found
}

const sample = (op: string, name: string, attrs: Attrs, make: Inputs, extra: Partial<OpCase> = {}): OpCase => ({ op: opOf(op), name: `tfjs: ${name}`, make: (s) => ({ inputs: make(s), attrs }), ...extra })

const activations: readonly (readonly [string, Attrs])[] = [
  ['gelu', { approximate: 'none' }],
  ['gelu', { approximate: 'tanh' }],
  ['silu', {}],
  ['sigmoid', {}],
  ['relu', {}],
]
const gated: readonly (readonly [string, Attrs])[] = [
  ['swiGlu', {}],
  ['geGlu', { approximate: 'none' }],
  ['geGlu', { approximate: 'tanh' }],
]
const labelOf = (attrs: Attrs): string => String(attrs['approximate'] ?? 'plain')
const extremes = [0, -0, 20, -20, 60, -60, 1e4, -1e4, 1e-6, -1e-6]

const activationCases = [
  ...activations.flatMap(([op, attrs]) => [
    sample(op, labelOf(attrs), attrs, (s) => [s.normal([3, 7], 2)], { rows: ['x'] }),
    sample(op, `${labelOf(attrs)}, extremes`, attrs, (s) => [s.values([10], extremes)], { gradients: false }),
  ]),
  ...gated.map(([op, attrs]) => sample(op, labelOf(attrs), attrs, (s) => [s.normal([4, 9], 2), s.normal([4, 9])], { rows: ['gate', 'up'] })),
]

const epsilon = 1e-5
const normCases = [
  sample('layerNorm', 'weight and bias', { epsilon }, (s) => [s.normal([5, 17], 3), s.normal([17]), s.normal([17])], { rows: ['x'] }),
  sample('layerNorm', 'no bias', { epsilon }, (s) => [s.normal([2, 3, 8]), s.normal([8]), undefined]),
  sample('rmsNorm', 'plain', { epsilon, offset: 0 }, (s) => [s.normal([5, 17], 3), s.normal([17])], { rows: ['x'] }),
  sample('rmsNorm', 'offset 1', { epsilon, offset: 1 }, (s) => [s.normal([2, 3, 8]), s.normal([8])]),
  sample('addLayerNorm', 'weight and bias', { epsilon }, (s) => [s.normal([5, 9]), s.normal([5, 9]), s.normal([9]), s.normal([9])], { rows: ['x', 'residual'] }),
  sample('addRmsNorm', 'offset 1', { epsilon, offset: 1 }, (s) => [s.normal([5, 9]), s.normal([5, 9]), s.normal([9])], { rows: ['x', 'residual'] }),
]

const softmaxCases = ['softmax', 'logSoftmax'].flatMap((op) => [
  sample(op, 'last axis', { axis: 2 }, (s) => [s.normal([2, 3, 13], 3)], { rows: ['x'] }),
  sample(op, 'other axis', { axis: 1 }, (s) => [s.normal([2, 5, 3], 3)]),
  sample(op, 'one column', { axis: 1 }, (s) => [s.normal([4, 1])]),
])

const settings = { causal: true, window: 0, softcap: 0, scale: 0.3 }
const heads = (s: Samples, [B, Tq, Tk, H, K, Dh]: readonly [number, number, number, number, number, number]): SampleTensor[] => [s.normal([B, Tq, H, Dh]), s.normal([B, Tk, K, Dh]), s.normal([B, Tk, K, Dh])]
const none = [undefined, undefined, undefined, undefined, undefined, undefined]
const row = (s: Samples, rows: readonly (readonly number[])[]): SampleTensor => s.values([rows.length, rows[0]!.length], rows.flat(), 'i32')

const attentionCases = [
  sample('attention', 'causal', settings, (s) => [...heads(s, [2, 5, 5, 4, 4, 6]), ...none]),
  sample('attention', 'grouped heads, more keys than queries', settings, (s) => [...heads(s, [2, 3, 7, 4, 2, 5]), ...none]),
  sample('attention', 'not causal, one key head', { ...settings, causal: false }, (s) => [...heads(s, [2, 4, 3, 3, 1, 4]), ...none]),
  sample('attention', 'window', { ...settings, window: 2 }, (s) => [...heads(s, [1, 6, 6, 2, 2, 4]), ...none]),
  sample('attention', 'ragged lengths, one of which no query reaches', { ...settings, keyLengths: [2, 5] }, (s) => [...heads(s, [2, 3, 6, 2, 1, 4]), ...none]),
  sample('attention', 'equal lengths, one query', { ...settings, keyLengths: [4, 4] }, (s) => [...heads(s, [2, 1, 6, 2, 1, 4]), ...none]),
  sample('attention', 'positions with padding', settings, (s) => [...heads(s, [2, 4, 4, 2, 2, 4]), row(s, [[-1, 0, 1, 2], [0, 1, 2, 3]]), row(s, [[-1, 0, 1, 2], [0, 1, 2, 3]]), ...none.slice(2)]),
  sample('attention', 'positions of one row for all', settings, (s) => [...heads(s, [2, 2, 4, 2, 2, 4]), row(s, [[2, 3]]), row(s, [[0, 1, 2, 3]]), ...none.slice(2)]),
  sample('attention', 'segments', settings, (s) => [...heads(s, [2, 4, 4, 2, 1, 4]), undefined, undefined, row(s, [[0, 0, 1, 1], [0, 1, 1, 2]]), row(s, [[0, 0, 1, 1], [0, 1, 1, 2]]), undefined, undefined]),
  sample('attention', 'a segment that no key has', { ...settings, causal: false }, (s) => [...heads(s, [1, 3, 3, 2, 2, 4]), undefined, undefined, row(s, [[0, 7, 1]]), row(s, [[0, 0, 1]]), undefined, undefined]),
  sample('attention', 'more queries than keys', settings, (s) => [...heads(s, [1, 5, 2, 2, 2, 4]), ...none]),
  sample('attention', 'softcap, bias and sinks, by its decomposition', { ...settings, softcap: 3 }, (s) => [...heads(s, [1, 3, 3, 2, 2, 4]), undefined, undefined, undefined, undefined, s.normal([1, 2, 3, 3]), s.normal([2])]),
  sample('attention', 'products beyond the limit of loops', settings, (s) => [...heads(s, [2, 40, 40, 4, 2, 16]), ...none], { gradients: false }),
]

const frequencies = (s: Samples, count: number): SampleTensor => s.uniform([count], 0.05, 1)
const ropeCases = [
  sample('rope', 'an offset, part of the dimensions', { offset: 3, scale: 1 }, (s) => [s.normal([2, 3, 2, 6]), frequencies(s, 2), undefined], { withoutGradient: ['frequencies'] }),
  sample('rope', 'positions, a scale', { offset: 0, scale: 1.3 }, (s) => [s.normal([2, 3, 2, 4]), frequencies(s, 2), row(s, [[0, 4, 2], [7, 1, 3]])], { withoutGradient: ['frequencies'] }),
  sample('qkvRope', 'grouped heads, one row of positions', { offset: 0, scale: 1, numHeads: 4, numKvHeads: 2 }, (s) => [s.normal([2, 3, 48]), frequencies(s, 2), row(s, [[5, 0, 1]])], { withoutGradient: ['frequencies'] }),
]

const step = (s: Samples, scale: number): Slot<SampleTensor>[] => {
  const lists = [[[4, 5], [3], [70, 30]]].flat()
  const positive = (shape: readonly number[]): SampleTensor => s.uniform(shape, 0.1, 1)
  return [lists.map((shape) => s.normal(shape)), [], lists.map((shape) => s.normal(shape)), lists.map((shape) => s.normal(shape, 0.1)), lists.map(positive), s.values([], [3]), s.values([], [scale])]
}
const adam = { learningRate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 }

const stateCases = [
  sample('adamWStep', 'scaled gradients', adam, (s) => step(s, 0.5)),
  sample('adamWStep', 'a step that does not count', adam, (s) => step(s, Infinity)),
  sample('globalNorm', 'several shapes', {}, (s) => [[s.normal([7, 5]), s.normal([1]), s.normal([])]]),
  sample('addInto', 'plain', {}, (s) => [s.normal([3, 5]), s.normal([3, 5])]),
  sample('kvAppend', 'at different places', { at: [2, 0] }, (s) => [s.normal([2, 5, 2, 3]), s.normal([2, 2, 2, 3])]),
]

const productCases = [
  sample('linear', 'rows beyond the limit of loops', { activation: 'none', layout: 'outIn' }, (s) => [s.normal([4, 20, 24], 0.2), s.normal([40, 24], 0.2), s.normal([40]), undefined], { rows: ['x'], gradients: false }),
  sample('linearCrossEntropy', 'in chunks', { ignoreIndex: -1, labelSmoothing: 0.1, zLoss: 1e-3, softcap: 0, logitScale: 1, chunkRows: 3 }, (s) => [s.normal([7, 5]), s.normal([11, 5]), s.integers([7], -1, 11), undefined]),
  sample('embedding', 'repeated ids', {}, (s) => [s.normal([6, 40]), s.integers([3, 9], 0, 6)]),
]

export const ownKernelCases: readonly OpCase[] = [...activationCases, ...normCases, ...softmaxCases, ...attentionCases, ...ropeCases, ...stateCases, ...productCases]
