// Sample calls for the kit that lead into every path of the matrix product: around the edges of tiles, vectors and chunks of k, rows few
// and many, both sides transposed, halves and mixtures of dtypes, ends fused in or not.
import { defineOp, type Attrs, type DType, type Meta, type Slot, type Tensor } from '@weft/tensor'
import { matMul as matMulOf } from '@weft/tensor/ops'
import type { OpCase, Samples, SampleTensor, Tolerance } from '@weft/tensor/testing'
import { opOf, rounded, tolerances, type FloatDType } from './samples.ts'

/** The primitive under a name of its own: primitives are not to be had as definitions. */
const product = defineOp({
  name: 'product',
  inputs: ['a', 'b'],
  infer: ([a, b], { transposeA, transposeB }) => {
    const [{ shape: left, dtype }, { shape: right }] = [a as Meta, b as Meta]
    const axes = Math.max(left.length, right.length) - 2
    const size = (shape: readonly number[], axis: number): number => shape[shape.length - 2 - axes + axis] ?? 1
    const batch = Array.from({ length: axes }, (_, axis) => (size(left, axis) === 1 ? size(right, axis) : size(left, axis)))
    return [{ shape: [...batch, left.at(transposeA === true ? -1 : -2)!, right.at(transposeB === true ? -2 : -1)!], dtype }]
  },
  decompose: ({ inputs: [a, b], attrs }) => [matMulOf(a as Tensor, b as Tensor, { transposeA: attrs['transposeA'] === true, transposeB: attrs['transposeB'] === true })],
})

interface Product {
  readonly m: number
  readonly n: number
  readonly k: number
}

const bool = [false, true] as const

/** Sums of hundreds of products. */
const longSums: Tolerance = { rtol: 1e-4, atol: 2e-4 }

const toleranceOf = (dtypes: readonly FloatDType[], k: number): Tolerance => {
  const low = dtypes.find((dtype) => dtype !== 'f32')
  if (low === undefined) return k > 100 ? longSums : tolerances.f32
  // Values have a deviation of 1 and sums one of √k.
  return { rtol: tolerances[low].rtol, atol: tolerances[low].atol * Math.max(1, Math.sqrt(k) / 4) }
}

const input = (s: Samples, shape: readonly number[], dtype: DType): SampleTensor => rounded(s, s.normal(shape), dtype)

const matMul = ({ m, n, k }: Product, dtype: FloatDType, transposeA: boolean, transposeB: boolean): OpCase => ({
  op: product,
  name: `${m}×${n}×${k}, ${dtype}${transposeA ? ', transposed a' : ''}${transposeB ? ', transposed b' : ''}`,
  make: (s) => ({
    inputs: [input(s, transposeA ? [k, m] : [m, k], dtype), input(s, transposeB ? [n, k] : [k, n], dtype)],
    attrs: { transposeA, transposeB },
  }),
  gradients: false,
  tolerance: toleranceOf([dtype], k),
  ...(transposeA || m === 0 ? {} : { rows: ['a'] }),
})

const sizes: readonly Product[] = [
  { m: 12, n: 32, k: 16 }, { m: 13, n: 33, k: 17 }, { m: 11, n: 31, k: 15 }, { m: 25, n: 48, k: 1 }, { m: 3, n: 129, k: 513 }, { m: 1, n: 200, k: 70 },
  { m: 7, n: 1, k: 1030 }, { m: 130, n: 20, k: 40 }, { m: 70, n: 100, k: 600 }, { m: 5, n: 7, k: 0 }, { m: 0, n: 7, k: 3 }, { m: 7, n: 0, k: 3 },
]

const products = sizes.flatMap((size) =>
  (['f32', 'bf16', 'f16'] as const).flatMap((dtype) => bool.flatMap((transposeA) => bool.map((transposeB) => matMul(size, dtype, transposeA, transposeB)))),
)

/** Where b is packed for its many rows, or for its stride; and where a is packed in parts. */
const large: readonly OpCase[] = [
  matMul({ m: 900, n: 45, k: 33 }, 'f32', false, false),
  matMul({ m: 110, n: 1024, k: 20 }, 'f32', false, false),
  matMul({ m: 600, n: 40, k: 530 }, 'bf16', true, false),
  matMul({ m: 600, n: 40, k: 530 }, 'f16', true, false),
]

const batch = (name: string, a: readonly number[], b: readonly number[], attrs: Attrs = { transposeA: false, transposeB: false }): OpCase => ({
  op: product,
  name,
  make: (s) => ({ inputs: [s.normal(a), s.normal(b)], attrs }),
  gradients: false,
})

const batches: readonly OpCase[] = [
  batch('one matrix b for a batch', [3, 5, 20, 7], [7, 9]),
  batch('one matrix b in a batch of one', [6, 20, 7], [1, 7, 9]),
  batch('broadcast on both sides', [3, 1, 20, 7], [5, 7, 9]),
  batch('many small ones', [200, 4, 8], [200, 8, 5]),
  batch('few large ones', [2, 100, 64], [2, 64, 90]),
  batch('a batch of nothing', [0, 4, 8], [0, 8, 5]),
]

interface Linear {
  readonly dtype: FloatDType
  readonly weight: FloatDType
  readonly activation: string
  readonly layout: 'outIn' | 'inOut'
  readonly shape: readonly number[]
  readonly outputs: number
}

const linearInputs = (s: Samples, { dtype, weight, layout, shape, outputs }: Linear): SampleTensor[] => {
  const inputs = shape.at(-1)!
  const scaled = s.normal(layout === 'outIn' ? [outputs, inputs] : [inputs, outputs], 1 / Math.sqrt(Math.max(1, inputs)))
  return [input(s, shape, dtype), rounded(s, scaled, weight), input(s, [outputs], weight), input(s, [...shape.slice(0, -1), outputs], dtype)]
}

const nameOf = ({ dtype, weight, activation, layout, shape, outputs }: Linear): string =>
  `${activation}, ${layout}, [${shape.join(', ')}] to ${outputs}, ${dtype} with ${weight}`

const linear = (call: Linear, parts: 'all' | 'bare'): OpCase => ({
  op: opOf('linear'),
  name: `${nameOf(call)}, ${parts}`,
  make: (s) => {
    const [x, weight, bias, residual] = linearInputs(s, call)
    return { inputs: parts === 'all' ? [x, weight, bias, residual] : [x, weight, undefined, undefined], attrs: { activation: call.activation, layout: call.layout } }
  },
  gradients: false,
  tolerance: toleranceOf([call.dtype, call.weight], 1),
  ...(call.shape[0] === 0 ? {} : { rows: parts === 'all' ? ['x', 'residual'] : ['x'] }),
})

const linearBackward = (call: Linear, needs: readonly number[]): OpCase => ({
  op: opOf('linearBackward'),
  name: `${nameOf(call)}, needs ${needs.join('')}`,
  make: (s) => {
    const [x, weight, , gradient] = linearInputs(s, call)
    const preactivation = call.activation === 'none' ? undefined : input(s, gradient!.shape, call.dtype)
    return { inputs: [x, weight, preactivation, gradient] as Slot<SampleTensor>[], attrs: { needs, activation: call.activation, layout: call.layout } }
  },
  gradients: false,
  tolerance: toleranceOf([call.dtype, call.weight], call.shape.slice(0, -1).reduce((product, size) => product * size, 1)),
})

const calls: readonly Linear[] = [
  ...['none', 'gelu', 'geluTanh', 'silu', 'relu'].flatMap((activation) =>
    (['f32', 'bf16', 'f16'] as const).map((dtype): Linear => ({ dtype, weight: dtype, activation, layout: dtype === 'f32' ? 'outIn' : 'inOut', shape: [2, 17, 40], outputs: 37 })),
  ),
  { dtype: 'f32', weight: 'bf16', activation: 'gelu', layout: 'outIn', shape: [130, 66], outputs: 70 },
  { dtype: 'bf16', weight: 'f32', activation: 'silu', layout: 'outIn', shape: [14, 33], outputs: 34 },
  { dtype: 'bf16', weight: 'bf16', activation: 'none', layout: 'outIn', shape: [20, 1100], outputs: 33 },
  { dtype: 'f32', weight: 'f32', activation: 'relu', layout: 'inOut', shape: [20, 1100], outputs: 50 },
  { dtype: 'f32', weight: 'f32', activation: 'geluTanh', layout: 'outIn', shape: [0, 8], outputs: 5 },
  { dtype: 'f32', weight: 'f32', activation: 'none', layout: 'inOut', shape: [6, 0], outputs: 5 },
]

const linears: readonly OpCase[] = calls.flatMap((call) => [linear(call, 'all'), linear(call, 'bare'), linearBackward(call, [1, 1, 1])])

const partial: readonly OpCase[] = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1]].flatMap((needs) => [
  linearBackward({ dtype: 'f32', weight: 'f32', activation: 'silu', layout: 'outIn', shape: [150, 20], outputs: 45 }, needs),
  linearBackward({ dtype: 'f32', weight: 'f32', activation: 'none', layout: 'inOut', shape: [150, 20], outputs: 45 }, needs),
])

interface Experts {
  readonly name: string
  readonly dtype: FloatDType
  readonly weights: FloatDType
  readonly rows: number
  readonly experts: number
  readonly chosen: number
  /** Ids from −1 to `experts`: some are outside. */
  readonly hasStrangers?: boolean
}

const expertLinear = (call: Experts): OpCase[] => {
  const inputs = (s: Samples): SampleTensor[] => [
    input(s, [call.rows, 21], call.dtype),
    rounded(s, s.normal([call.experts, 35, 21], 0.2), call.weights),
    s.integers([call.rows, call.chosen], call.hasStrangers === true ? -1 : 0, call.experts + (call.hasStrangers === true ? 1 : 0)),
  ]
  const tolerance = toleranceOf([call.dtype, call.weights], call.rows)
  return [
    { op: opOf('expertLinear'), name: call.name, make: (s) => ({ inputs: inputs(s), attrs: {} }), gradients: false, tolerance, ...(call.rows === 0 ? {} : { rows: ['x', 'expertIds'] }) },
    ...[[1, 1], [0, 1], [1, 0]].map((needs): OpCase => ({
      op: opOf('expertLinearBackward'),
      name: `${call.name}, needs ${needs.join('')}`,
      make: (s) => ({ inputs: [...inputs(s), input(s, [call.rows, call.chosen, 35], call.dtype)], attrs: { needs } }),
      gradients: false,
      tolerance,
    })),
  ]
}

const experts: readonly OpCase[] = [
  expertLinear({ name: 'two of eight', dtype: 'f32', weights: 'f32', rows: 60, experts: 8, chosen: 2 }),
  expertLinear({ name: 'ids outside', dtype: 'f32', weights: 'f32', rows: 30, experts: 3, chosen: 2, hasStrangers: true }),
  expertLinear({ name: 'bf16', dtype: 'bf16', weights: 'bf16', rows: 30, experts: 3, chosen: 2 }),
  expertLinear({ name: 'f16 with f32 weights', dtype: 'f16', weights: 'f32', rows: 10, experts: 3, chosen: 1 }),
  expertLinear({ name: 'no rows', dtype: 'f32', weights: 'f32', rows: 0, experts: 3, chosen: 2 }),
].flat()

export const productCases: readonly OpCase[] = [...products, ...large, ...batches, ...linears, ...partial, ...experts]
