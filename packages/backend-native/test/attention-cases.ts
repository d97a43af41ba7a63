// Sample calls of attention, rope and the cache that lead into every branch of their kernels: several blocks of queries, several ranges of keys, few queries
// and many keys, every rule of visibility across the edges of blocks, halves, and the backward operations called by themselves.
import type { Attrs } from '@weft/tensor'
import type { OpCase, Samples, SampleTensor, Tolerance } from '@weft/tensor/testing'
import { opOf, rounded, tolerances, type FloatDType } from './samples.ts'

interface Sizes {
  readonly B: number
  readonly Tq: number
  readonly Tk: number
  readonly H: number
  readonly K: number
  readonly Dh: number
  readonly Dv?: number
}

type Extra = 'queryPositions' | 'keyPositions' | 'querySegments' | 'keySegments' | 'bias' | 'sinks'

interface Situation {
  readonly name: string
  readonly sizes: Sizes
  readonly attrs?: Attrs
  readonly extras?: (s: Samples) => Partial<Record<Extra, SampleTensor>>
  readonly dtype?: FloatDType
  readonly cacheDtype?: FloatDType
  readonly biasDtype?: FloatDType
  /** Whether all that depends on the row of the batch is in q, k and v. */
  readonly rows?: boolean
}

const manyTokens: Sizes = { B: 2, Tq: 150, Tk: 150, H: 2, K: 2, Dh: 9 }
const grouped: Sizes = { B: 1, Tq: 50, Tk: 90, H: 6, K: 2, Dh: 16 }
const longCache: Sizes = { B: 2, Tq: 20, Tk: 1030, H: 2, K: 1, Dh: 8 }
const oneQuery: Sizes = { B: 2, Tq: 1, Tk: 530, H: 6, K: 2, Dh: 20 }
const training: Sizes = { B: 1, Tq: 270, Tk: 270, H: 2, K: 1, Dh: 8 }

/** i32 [B, T]: from `start` on, one row after the other begins `shift` earlier. */
const counting = (s: Samples, B: number, T: number, start: number, shift = 0): SampleTensor =>
  s.values([B, T], Array.from({ length: B * T }, (_, i) => start + (i % T) - Math.floor(i / T) * shift), 'i32')
/** i32 [B, T] documents of `length` tokens. */
const documents = (s: Samples, B: number, T: number, length: number): SampleTensor => s.values([B, T], Array.from({ length: B * T }, (_, i) => Math.floor((i % T) / length)), 'i32')

const situations: readonly Situation[] = [
  { name: 'several blocks', sizes: manyTokens, rows: true },
  { name: 'several blocks, all see all', sizes: manyTokens, attrs: { causal: false }, rows: true },
  { name: 'values of another size', sizes: { ...grouped, Dv: 40 } },
  { name: 'heads smaller than a vector', sizes: { ...grouped, Dh: 3, Dv: 5 } },
  { name: 'one key head', sizes: { B: 1, Tq: 9, Tk: 130, H: 5, K: 1, Dh: 16 } },
  { name: 'heads far apart by powers of two', sizes: { B: 2, Tq: 66, Tk: 66, H: 16, K: 16, Dh: 32 }, rows: true },
  { name: 'negative scale', sizes: grouped, attrs: { scale: -0.3 } },
  { name: 'window', sizes: manyTokens, attrs: { window: 37 } },
  { name: 'window narrower than a block', sizes: training, attrs: { window: 5 } },
  { name: 'window, all see all', sizes: manyTokens, attrs: { causal: false, window: 37 } },
  { name: 'window of a fraction', sizes: grouped, attrs: { window: 7.5 } },
  { name: 'window beyond all integers', sizes: grouped, attrs: { window: 1e12 } },
  { name: 'soft cap', sizes: manyTokens, attrs: { softcap: 3 } },
  { name: 'queries before all keys', sizes: { B: 1, Tq: 80, Tk: 50, H: 2, K: 2, Dh: 16 } },
  { name: 'cache lengths', sizes: { ...manyTokens, Tk: 200 }, attrs: { keyLengths: [200, 151] } },
  { name: 'cache lengths, one is 0', sizes: { ...manyTokens, Tq: 3 }, attrs: { keyLengths: [0, 150] } },
  { name: 'positions: padding at the left', sizes: manyTokens, extras: (s) => ({ queryPositions: counting(s, 2, 150, 0, 70), keyPositions: counting(s, 2, 150, 0, 70) }) },
  { name: 'positions of one row for all', sizes: manyTokens, extras: (s) => ({ queryPositions: counting(s, 1, 150, -5), keyPositions: counting(s, 1, 150, -5) }) },
  { name: 'positions in any order', sizes: manyTokens, attrs: { window: 60 }, extras: (s) => ({ queryPositions: s.integers([2, 150], -20, 200), keyPositions: s.integers([2, 150], -20, 200) }) },
  { name: 'documents', sizes: manyTokens, extras: (s) => ({ querySegments: documents(s, 2, 150, 67), keySegments: documents(s, 2, 150, 67) }) },
  { name: 'segments in any order', sizes: manyTokens, attrs: { causal: false }, extras: (s) => ({ querySegments: s.integers([2, 150], 0, 3), keySegments: s.integers([2, 150], 0, 3) }) },
  { name: 'bias of everything', sizes: { ...grouped, B: 2 }, extras: (s) => ({ bias: s.normal([2, 6, 50, 90]) }) },
  { name: 'bias by head and place', sizes: { ...manyTokens, Tq: 70 }, attrs: { causal: false }, extras: (s) => ({ bias: s.normal([1, 2, 70, 150]) }) },
  { name: 'bias of keys', sizes: manyTokens, extras: (s) => ({ bias: s.normal([2, 1, 1, 150]) }) },
  { name: 'bias by place for all heads', sizes: { ...grouped, B: 2 }, attrs: { softcap: 4 }, extras: (s) => ({ bias: s.normal([1, 1, 50, 90]) }) },
  { name: 'bias of one query', sizes: { ...oneQuery, Tk: 70 }, extras: (s) => ({ bias: s.normal([1, 6, 1, 70]) }) },
  { name: 'bias of −∞', sizes: grouped, extras: (s) => ({ bias: s.values([1, 1, 1, 90], Array.from({ length: 90 }, (_, i) => (i % 7 === 0 ? 0 : -Infinity))) }) },
  { name: 'bias in bf16', sizes: grouped, biasDtype: 'bf16', extras: (s) => ({ bias: rounded(s, s.normal([1, 6, 50, 90]), 'bf16') }) },
  { name: 'sinks', sizes: manyTokens, attrs: { window: 9 }, extras: (s) => ({ sinks: s.normal([2], 2) }) },
  { name: 'sinks that outweigh all', sizes: grouped, extras: (s) => ({ sinks: s.values([6], [60, 70, 80, -200, 0, 5]) }) },
  { name: 'ranges of keys', sizes: longCache, rows: true },
  { name: 'ranges of keys, of which some are not seen', sizes: longCache, attrs: { window: 100, keyLengths: [700, 1030] } },
  { name: 'ranges of keys, sinks', sizes: longCache, attrs: { keyLengths: [3, 900] }, extras: (s) => ({ sinks: s.normal([2]) }) },
  { name: 'one query', sizes: oneQuery, rows: true },
  { name: 'one query, one head', sizes: { ...oneQuery, H: 2, Dh: 37, Dv: 70 }, rows: true },
  { name: 'one query, five heads', sizes: { ...oneQuery, H: 10, Dh: 7 } },
  { name: 'one query, cache lengths, window, soft cap', sizes: oneQuery, attrs: { keyLengths: [1, 520], window: 400, softcap: 5 } },
  { name: 'one query, ring cache', sizes: { ...oneQuery, Tk: 100 }, attrs: { window: 90 }, extras: (s) => ({ queryPositions: s.values([2, 1], [130, 120], 'i32'), keyPositions: s.integers([2, 100], 20, 125) }) },
  { name: 'one query, cache in bf16', sizes: oneQuery, cacheDtype: 'bf16' },
  { name: 'one query, cache in f16', sizes: { ...oneQuery, Dh: 37 }, cacheDtype: 'f16' },
  { name: 'many tokens', sizes: training, rows: true },
  { name: 'bf16', sizes: manyTokens, dtype: 'bf16', cacheDtype: 'bf16', rows: true },
  { name: 'f16, several ranges', sizes: training, dtype: 'f16', cacheDtype: 'f16', rows: true },
  { name: 'cache in bf16', sizes: { ...grouped, Tk: 300 }, cacheDtype: 'bf16' },
]

const valueSize = ({ Dh, Dv }: Sizes): number => Dv ?? Dh

const attrsOf = ({ sizes, attrs }: Situation): Attrs => ({ causal: true, window: 0, softcap: 0, scale: sizes.Dh ** -0.5, ...attrs })

const inputsOf = (s: Samples, { sizes, extras, dtype = 'f32', cacheDtype = 'f32' }: Situation): (SampleTensor | undefined)[] => {
  const { B, Tq, Tk, H, K, Dh } = sizes
  const found = extras?.(s) ?? {}
  return [
    rounded(s, s.normal([B, Tq, H, Dh]), dtype),
    rounded(s, s.normal([B, Tk, K, Dh]), cacheDtype),
    rounded(s, s.normal([B, Tk, K, valueSize(sizes)]), cacheDtype),
    found.queryPositions, found.keyPositions, found.querySegments, found.keySegments, found.bias, found.sinks,
  ]
}

const forward = (situation: Situation): OpCase => ({
  op: opOf('attention'),
  name: situation.name,
  gradients: false,
  tolerance: tolerances[situation.dtype ?? 'f32'],
  make: (s) => ({ attrs: attrsOf(situation), inputs: inputsOf(s, situation) }),
  ...(situation.rows === true ? { rows: ['q', 'k', 'v'] } : {}),
})

/** As for all gradients, ten times that of values; of keys and values in halves, what these round. */
const toleranceBack = ({ dtype, cacheDtype, biasDtype = 'f32' }: Situation): Tolerance => {
  const rounds = dtype ?? cacheDtype ?? biasDtype
  return rounds === 'f32' ? { rtol: 1e-4, atol: 1e-4 } : tolerances[rounds]
}

/** Output and log-sum-exp need not belong together: the operation is defined for any. */
const backward = (situation: Situation, name = situation.name, needed: readonly number[] = [1, 1, 1, 1, 1]): OpCase => ({
  op: opOf('attentionBackward'),
  name,
  gradients: false,
  tolerance: toleranceBack(situation),
  make: (s) => {
    const { B, Tq, H } = situation.sizes
    const { dtype = 'f32' } = situation
    const inputs = inputsOf(s, situation)
    const likeOutput = (): SampleTensor => rounded(s, s.normal([B, Tq, H, valueSize(situation.sizes)], 0.3), dtype)
    const [q = 0, k = 0, v = 0, bias = 0, sinks = 0] = needed
    const needs = [q, k, v, 0, 0, 0, 0, inputs[7] === undefined ? 0 : bias, inputs[8] === undefined ? 0 : sinks]
    return { attrs: { ...attrsOf(situation), needs }, inputs: [...inputs, likeOutput(), s.uniform([B, H, Tq], 2, 4), likeOutput()] }
  },
  ...(situation.rows === true ? { rows: ['q', 'k', 'v', 'output', 'logSumExp', 'gradient'] } : {}),
})

/** Sinks above 60 make e^(sink − logSumExp) overflow where these do not belong together. */
const withBackward = situations.filter(({ name, sizes }) => name !== 'sinks that outweigh all' && (sizes.Tq > 1 || sizes.Tk < 200))

const some = situations.find(({ name }) => name === 'sinks')!
const biased = situations.find(({ name }) => name === 'bias of everything')!

const frequencies = (s: Samples, half: number): SampleTensor => s.values([half], Array.from({ length: half }, (_, i) => 10_000 ** (-i / half)))

const turns = (op: string, name: string, shape: readonly number[], half: number, attrs: Attrs, extra: Partial<OpCase> & { readonly positions?: (s: Samples) => SampleTensor; readonly dtype?: FloatDType } = {}): OpCase => {
  const { positions, dtype = 'f32', ...rest } = extra
  const isBack = op === 'ropeBackward'
  return {
    op: opOf(op),
    name,
    gradients: false,
    tolerance: tolerances[dtype],
    make: (s) => {
      const [x, turn] = [rounded(s, s.normal(shape), dtype), [frequencies(s, half), positions?.(s)]]
      return { attrs: { offset: 0, scale: 1, ...attrs }, inputs: isBack ? [...turn, x] : [x, ...turn] }
    },
    ...rest,
  }
}

const jointBack = (name: string, dtype: FloatDType): OpCase => ({
  op: opOf('qkvRopeBackward'),
  name,
  gradients: false,
  tolerance: tolerances[dtype],
  make: (s) => {
    const heads = (count: number): SampleTensor => rounded(s, s.normal([2, 40, count, 22]), dtype)
    return { attrs: { offset: 3, scale: 1.5, numHeads: 4, numKvHeads: 2 }, inputs: [frequencies(s, 9), undefined, heads(4), heads(2), heads(2)] }
  },
})

const rotations: readonly OpCase[] = [
  turns('rope', 'several pieces', [3, 150, 8, 38], 19, { offset: -50, scale: 1.2 }, { rows: ['x'] }),
  turns('rope', 'several pieces, own positions', [3, 300, 4, 38], 17, {}, { positions: (s) => s.integers([3, 300], 0, 100), rows: ['x', 'positions'] }),
  turns('rope', 'no frequencies', [1, 3, 2, 5], 0, {}),
  turns('rope', 'bf16', [2, 9, 3, 34], 17, {}, { dtype: 'bf16' }),
  turns('rope', 'f16', [2, 9, 3, 34], 16, {}, { dtype: 'f16' }),
  turns('ropeBackward', 'several pieces', [3, 150, 8, 38], 19, { offset: -50, scale: 1.2 }),
  turns('ropeBackward', 'bf16, own positions', [2, 9, 3, 34], 17, {}, { dtype: 'bf16', positions: (s) => s.integers([2, 9], 0, 100) }),
  turns('qkvRope', 'several pieces', [2, 100, 8 * 38], 19, { numHeads: 4, numKvHeads: 2, offset: 5 }, { rows: ['qkv'] }),
  turns('qkvRope', 'bf16', [2, 9, 5 * 24], 12, { numHeads: 3, numKvHeads: 1 }, { dtype: 'bf16' }),
  jointBack('f32', 'f32'),
  jointBack('f16', 'f16'),
]

const appends: readonly OpCase[] = (['f32', 'bf16', 'f16'] as const).map((dtype) => ({
  op: opOf('kvAppend'),
  name: `a large cache, ${dtype}`,
  gradients: false,
  make: (s) => ({ attrs: { at: [100, 0, 431] }, inputs: [rounded(s, s.normal([3, 500, 4, 21]), dtype), rounded(s, s.normal([3, 69, 4, 21]), dtype)] }),
}))

export const attentionCases: readonly OpCase[] = [
  ...situations.map(forward),
  ...withBackward.map((situation) => backward(situation)),
  ...[[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0, 0, 1]].map((needed) => backward(some, `sinks, needs ${needed.join(' ')}`, needed)),
  ...[[0, 0, 0, 1], [1, 0, 1]].map((needed) => backward(biased, `bias of everything, needs ${needed.join(' ')}`, needed)),
  ...rotations,
  ...appends,
]
