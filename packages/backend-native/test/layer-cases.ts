// Sample calls for the kit that lead into every branch of activations, dropout and lookups: several pieces of work, odd sizes, halves,
// and the backward operations called by themselves.
import type { Attrs } from '@weft/tensor'
import type { OpCase, Samples, SampleTensor } from '@weft/tensor/testing'
import { opOf, rounded, tolerances, type FloatDType } from './samples.ts'

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

interface Size {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: FloatDType
}

const sizes: readonly Size[] = [
  { name: 'several pieces', shape: [3, 23_041], dtype: 'f32' },
  { name: 'odd', shape: [3, 37], dtype: 'f32' },
  { name: 'one', shape: [], dtype: 'f32' },
  { name: 'none', shape: [0, 3], dtype: 'f32' },
  { name: 'bf16', shape: [5, 29], dtype: 'bf16' },
  { name: 'f16', shape: [5, 29], dtype: 'f16' },
]

const drawn = (s: Samples, { shape, dtype }: Size, deviation = 1): SampleTensor => rounded(s, s.normal(shape, deviation), dtype)

const elementwise = (op: string, attrs: Attrs, size: Size, inputs: number, extra: Partial<OpCase> = {}): OpCase => ({
  op: opOf(op),
  name: `${size.name}, ${Object.values(attrs).join(' ')}`,
  gradients: false,
  tolerance: tolerances[size.dtype],
  make: (s) => ({ attrs, inputs: Array.from({ length: inputs }, (_, i) => drawn(s, size, i === 0 ? 3 : 1)) }),
  ...extra,
})

/** Everywhere in between: both tails, where exponentials under- and overflow, and 0. */
const sweep = (op: string, attrs: Attrs): OpCase => ({
  op: opOf(op),
  name: `from −110 to 110, ${Object.values(attrs).join(' ')}`,
  gradients: false,
  make: (s) => {
    const x = Array.from({ length: 4401 }, (_, i) => (i - 2200) / 20)
    return { attrs, inputs: [s.values([x.length], x), ...(op.endsWith('Backward') ? [s.values([x.length], x.map(() => 1))] : [])] }
  },
})

const activationCases = [
  ...activations.flatMap(([op, attrs]) => [
    ...sizes.flatMap((size) => [elementwise(op, attrs, size, 1), elementwise(`${op}Backward`, attrs, size, 2)]),
    sweep(op, attrs),
    ...(op === 'sigmoid' ? [] : [sweep(`${op}Backward`, attrs)]),
  ]),
  ...gated.flatMap(([op, attrs]) => [
    ...sizes.flatMap((size) => [elementwise(op, attrs, size, 2), elementwise(`${op}Backward`, { ...attrs, needs: [1, 1] }, size, 3)]),
    ...[[1, 0], [0, 1]].map((needs) => elementwise(`${op}Backward`, { ...attrs, needs }, sizes[1]!, 3)),
  ]),
]

const dropouts = sizes.flatMap((size) =>
  [0.1, 0.5].map((rate): OpCase => ({
    op: opOf('dropout'),
    name: `${size.name}, rate ${rate}`,
    gradients: false,
    tolerance: tolerances[size.dtype],
    make: (s) => ({ attrs: { rate, key: [0xffff_fff0, 0x9e37_79b9] }, inputs: [drawn(s, size)] }),
  })),
)

const bits = [[70_001], [1], [31], [0]].map((shape): OpCase => ({ op: opOf('randomBits'), name: `shape ${shape.join('×')}`, make: () => ({ attrs: { key: [0x8000_0001, 0xffff_ffff], shape }, inputs: [] }) }))

interface Table {
  readonly name: string
  readonly vocabSize: number
  readonly size: number
  readonly ids: readonly number[]
  /** Ids are drawn from 0 … this; default: the whole table, and one beyond it at either end. */
  readonly upTo?: number
  readonly dtype: FloatDType
}

const tables: readonly Table[] = [
  { name: 'odd rows', vocabSize: 50, size: 37, ids: [3, 41], dtype: 'f32' },
  { name: 'rows of one', vocabSize: 50, size: 1, ids: [70], dtype: 'f32' },
  { name: 'mostly unused', vocabSize: 9000, size: 64, ids: [30], dtype: 'f32' },
  { name: 'past the caches', vocabSize: 20_011, size: 131, ids: [2, 50], dtype: 'f32' },
  { name: 'the same few', vocabSize: 5, size: 96, ids: [700], upTo: 2, dtype: 'f32' },
  { name: 'bf16', vocabSize: 11, size: 33, ids: [4, 20], dtype: 'bf16' },
  { name: 'f16', vocabSize: 11, size: 33, ids: [4, 20], dtype: 'f16' },
  { name: 'no ids', vocabSize: 5, size: 7, ids: [0], dtype: 'f32' },
  { name: 'no rows', vocabSize: 0, size: 7, ids: [3], dtype: 'f32' },
]

const lookupCases = tables.flatMap(({ name, vocabSize, size, ids, upTo, dtype }): OpCase[] => {
  const drawIds = (s: Samples): SampleTensor => (upTo === undefined ? s.integers(ids, -1, vocabSize + 1) : s.integers(ids, 0, upTo))
  const shared = { name, gradients: false, tolerance: dtype === 'f32' ? { rtol: 1e-5, atol: 1e-4 } : tolerances[dtype] }
  return [
    { ...shared, op: opOf('embedding'), make: (s) => ({ attrs: {}, inputs: [rounded(s, s.normal([vocabSize, size]), dtype), drawIds(s)] }) },
    { ...shared, op: opOf('embeddingBackward'), make: (s) => ({ attrs: { vocabSize }, inputs: [drawIds(s), rounded(s, s.normal([...ids, size]), dtype)] }) },
  ]
})

export const layerCases: readonly OpCase[] = [...activationCases, ...dropouts, ...bits, ...lookupCases]
