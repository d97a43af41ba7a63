// Sample calls of every primitive: ordinary, broadcast, empty, large, and with the values that devices get wrong.
import type { Attrs, BinaryOp, ReduceOp, Slot, UnaryOp } from '../backend.ts'
import type { DType } from '../dtype.ts'
import type { OpDefinition } from '../op-definition.ts'
import {
  binaryOp, broadcastToOp, castOp, concatOp, fillOp, gatherOp, iotaOp, matMulOp, padOp, permuteOp, reduceOp, reduceSumOp, scatterAddOp, sliceOp, sumOp, unaryOp, whereOp,
} from '../primitives.ts'
import { sizeOf, type Shape } from '../shape.ts'
import type { OpCase, Samples, SampleTensor } from './op-case.ts'

type Make = (samples: Samples) => readonly Slot<SampleTensor>[]
type Extra = Omit<OpCase, 'op' | 'name' | 'make'>

const sample = (op: OpDefinition, name: string, attrs: Attrs, make: Make, extra: Extra = {}): OpCase => ({ op, name, make: (samples) => ({ inputs: make(samples), attrs }), ...extra })

/** Beyond 65,535, where devices that count groups of work in 16 bits break, and odd, so that no vector width divides it. */
const large = 70_001
const plain: Extra = { gradients: false }

const unarySpecial = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -2.5, 100, -100, 1e-6]
const unaryOps: Readonly<Record<UnaryOp, readonly [low: number, high: number]>> = {
  neg: [-2, 2], exp: [-3, 3], log: [0.2, 4], sqrt: [0.2, 4], rsqrt: [0.2, 4], sin: [-4, 4], cos: [-4, 4], tanh: [-3, 3], erf: [-3, 3], abs: [0.3, 2], floor: [0.1, 0.9],
}

const unaryCases = Object.entries(unaryOps).flatMap(([op, [low, high]]) => [
  sample(unaryOp, op, { op }, (s) => [s.uniform([3, 5], low, high)]),
  sample(unaryOp, `${op}, no axes`, { op }, (s) => [s.uniform([], low, high)]),
  sample(unaryOp, `${op}, empty`, { op }, (s) => [s.uniform([3, 0], low, high)], plain),
  // A sine of 100 radians needs more than the f32 argument reduction that devices promise.
  sample(unaryOp, `${op}, special values`, { op }, (s) => [s.values([12], op === 'sin' || op === 'cos' ? unarySpecial.map((x) => (Math.abs(x) === 100 ? 3 : x)) : unarySpecial)], plain),
  sample(unaryOp, `${op}, large`, { op }, (s) => [s.uniform([large], low, high)], plain),
])

const integerUnaryCases = (['neg', 'abs', 'floor'] as const).map((op) => sample(unaryOp, `${op} of i32`, { op }, (s) => [s.integers([17], -1000, 1000)]))

const binaryOps: Readonly<Record<BinaryOp, readonly [low: number, high: number]>> = {
  add: [-2, 2], sub: [-2, 2], mul: [-2, 2], div: [0.5, 2], max: [-2, 2], min: [-2, 2], pow: [0.5, 2], lt: [-2, 2], eq: [-2, 2],
}

const shapePairs: readonly (readonly [string, Shape, Shape])[] = [
  ['equal shapes', [2, 3], [2, 3]],
  ['a row', [4, 5], [5]],
  ['a column', [4, 5], [4, 1]],
  ['a scalar', [2, 3], []],
  ['a scalar first', [], [2, 3]],
  ['both broadcast', [2, 1, 3], [4, 1]],
  ['rank 5', [2, 1, 3, 1, 2], [1, 2, 1, 2, 1]],
]

const definitionOf = (op: BinaryOp): OpDefinition => (op === 'add' || op === 'sub' ? sumOp : binaryOp)

const binaryCases = (Object.entries(binaryOps) as [BinaryOp, readonly [number, number]][]).flatMap(([op, [low, high]]) => {
  const attrs = { op }
  const random = (s: Samples, shape: Shape): SampleTensor => s.uniform(shape, low, high)
  const a = [NaN, 1, Infinity, -Infinity, 0, 2, -2, Infinity, 3, 0, NaN]
  const b = [1, NaN, Infinity, Infinity, 0, 0, 3, 0, 3, -0, NaN]
  // 1 to the power NaN and ∞ to the power 0 are where languages differ.
  const special = op === 'pow' ? [[-2, -2, -2, 0, 0, 2, 9], [0, 2, 3, 2, 0, -1, 0.5]] as const : [a, b] as const
  return [
    ...shapePairs.map(([name, left, right]) => sample(definitionOf(op), `${op}, ${name}`, attrs, (s) => [random(s, left), random(s, right)], op === 'lt' || op === 'eq' ? plain : {})),
    sample(definitionOf(op), `${op}, empty`, attrs, (s) => [random(s, [0, 3]), random(s, [3])], plain),
    sample(definitionOf(op), `${op}, special values`, attrs, (s) => [s.values([special[0].length], special[0]), s.values([special[1].length], special[1])], plain),
    sample(definitionOf(op), `${op}, large`, attrs, (s) => [random(s, [large, 3]), random(s, [3])], plain),
  ]
})

const integerBinaryCases = (['add', 'sub', 'mul', 'max', 'min', 'lt', 'eq'] as const).map((op) =>
  sample(definitionOf(op), `${op} of i32`, { op }, (s) => [s.integers([6, 4], -40, 40), s.integers([4], -40, 40)]))

const otherBinaryCases = [
  sample(sumOp, 'add of large i32', { op: 'add' }, (s) => [s.values([3], [16_777_000, -16_777_000, 8_388_608], 'i32'), s.values([3], [215, -215, 8_388_607], 'i32')]),
  sample(binaryOp, 'eq of u8', { op: 'eq' }, (s) => [s.bytes([40], 3), s.bytes([40], 3)]),
  sample(binaryOp, 'lt of u8', { op: 'lt' }, (s) => [s.values([4], [0, 255, 128, 127], 'u8'), s.values([4], [255, 0, 127, 128], 'u8')]),
  sample(sumOp, 'add of f16', { op: 'add' }, (s) => [s.values([3], [1.5, -2, 0.25], 'f16'), s.values([3], [0.5, 8, 0.125], 'f16')], plain),
  sample(binaryOp, 'mul of bf16', { op: 'mul' }, (s) => [s.values([3], [1.5, -2, 0.25], 'bf16'), s.values([3], [0.5, 8, 0.125], 'bf16')], plain),
]

const whereCases = [
  sample(whereOp, 'equal shapes', {}, (s) => [s.bytes([4, 5], 2), s.normal([4, 5]), s.normal([4, 5])]),
  sample(whereOp, 'all three broadcast', {}, (s) => [s.bytes([3, 1], 2), s.normal([2, 1, 4]), s.normal([])]),
  sample(whereOp, 'any byte but 0 is true', {}, (s) => [s.values([4], [0, 1, 2, 255], 'u8'), s.normal([4]), s.normal([4])]),
  sample(whereOp, 'what is not chosen does not leak', {}, (s) => [s.values([4], [1, 0, 1, 0], 'u8'), s.values([4], [1, NaN, 2, Infinity]), s.values([4], [NaN, 3, -Infinity, 4])], plain),
  sample(whereOp, 'i32', {}, (s) => [s.bytes([9], 2), s.integers([9], -9, 9), s.integers([1], -9, 9)]),
  sample(whereOp, 'u8', {}, (s) => [s.bytes([9], 2), s.bytes([9], 256), s.bytes([9], 256)]),
  sample(whereOp, 'empty', {}, (s) => [s.bytes([0], 2), s.normal([0]), s.normal([1])], plain),
]

const castCases = [
  sample(castOp, 'f32 to i32 truncates', { to: 'i32' }, (s) => [s.values([7], [1.7, -1.7, 0.9, -0.9, 0, 1e6, -1e6])]),
  sample(castOp, 'f32 to u8 truncates', { to: 'u8' }, (s) => [s.values([5], [0, 0.5, 1, 254.9, 255])]),
  sample(castOp, 'i32 to f32', { to: 'f32' }, (s) => [s.integers([9], -100_000, 100_000)]),
  sample(castOp, 'i32 to u8', { to: 'u8' }, (s) => [s.integers([9], 0, 256)]),
  sample(castOp, 'u8 to f32', { to: 'f32' }, (s) => [s.bytes([300], 256)]),
  sample(castOp, 'u8 to i32', { to: 'i32' }, (s) => [s.bytes([300], 256)]),
  sample(castOp, 'f32 to bf16 rounds to even', { to: 'bf16' }, (s) => [s.values([4], [1.00390625, 1.01171875, -3.14159, 1e30])], plain),
  sample(castOp, 'f32 to f16', { to: 'f16' }, (s) => [s.values([4], [1.00048828125, 0.1, -65504, 6e-8])], plain),
  sample(castOp, 'bf16 to f32', { to: 'f32' }, (s) => [s.values([3], [1.5, -0.0078125, 3e30], 'bf16')], plain),
  sample(castOp, 'empty', { to: 'i32' }, (s) => [s.normal([0, 2])]),
]

const reduceDefinition = (op: ReduceOp): OpDefinition => (op === 'sum' ? reduceSumOp : reduceOp)

const reduceCases = (['sum', 'max', 'min'] as const).flatMap((op) => {
  const reduction = (name: string, axes: readonly number[], make: (s: Samples) => SampleTensor, extra: Extra = {}, keepDims = false) =>
    sample(reduceDefinition(op), `${op}, ${name}`, { op, axes, keepDims }, (s) => [make(s)], extra)
  return [
    reduction('last axis', [2], (s) => s.normal([2, 3, 5]), { rows: ['x'] }),
    reduction('first axis', [0], (s) => s.normal([4, 3, 2])),
    reduction('middle axis, kept', [1], (s) => s.normal([2, 4, 3]), {}, true),
    reduction('outer axes', [0, 2], (s) => s.normal([3, 2, 4])),
    reduction('all axes', [0, 1], (s) => s.normal([3, 4])),
    reduction('no axes', [], (s) => s.normal([3, 4])),
    reduction('no axes of a scalar', [], (s) => s.normal([])),
    reduction('an empty axis', [1], (s) => s.normal([2, 0, 3]), plain),
    reduction('an empty axis of i32', [0], (s) => s.integers([0, 3], 0, 9)),
    reduction('an empty axis of u8', [0], (s) => s.bytes([0, 3], 9)),
    reduction('an empty result', [1], (s) => s.normal([0, 3]), plain),
    reduction('i32', [1], (s) => s.integers([5, 6], -1000, 1000)),
    reduction('NaN and infinities', [1], (s) => s.values([5, 3], [1, NaN, 2, Infinity, 1, 2, -Infinity, 1, 2, NaN, NaN, NaN, -Infinity, -Infinity, -Infinity]), plain),
    reduction('many rows', [1], (s) => s.normal([large, 2]), plain),
    reduction('a long axis', [0], (s) => s.normal([large, 2]), { gradients: false, tolerance: { rtol: 1e-4, atol: 1e-3 } }),
    // Adding one by one in f32 would be off by a percent here: sums go in blocks or pairs.
    reduction('a quarter of a million equal values', [0], (s) => s.values([2 ** 18], new Array<number>(2 ** 18).fill(1.1)), { gradients: false, tolerance: { rtol: 1e-4, atol: 0 } }),
  ]
})

const product = (name: string, a: Shape, b: Shape, extra: Extra = {}, flags: { transposeA?: boolean; transposeB?: boolean } = {}) =>
  sample(matMulOp, name, { transposeA: false, transposeB: false, ...flags }, (s) => [s.normal(a), s.normal(b)], extra)

const matMulCases = [
  product('matrices', [3, 4], [4, 5], { rows: ['a'] }),
  product('transposed b', [3, 4], [5, 4], { rows: ['a'] }, { transposeB: true }),
  product('transposed a', [4, 3], [4, 5], {}, { transposeA: true }),
  product('both transposed', [4, 3], [5, 4], {}, { transposeA: true, transposeB: true }),
  product('a batch', [2, 3, 4], [2, 4, 5]),
  product('a batch, transposed b', [2, 3, 4], [2, 5, 4], {}, { transposeB: true }),
  product('one matrix for a batch', [2, 3, 4], [4, 5]),
  product('a batch for one matrix', [3, 4], [2, 4, 5]),
  product('both batches broadcast', [2, 1, 3, 4], [3, 4, 2]),
  product('transposed a with broadcast batch', [2, 4, 3], [4, 2], {}, { transposeA: true }),
  product('a row', [1, 7], [7, 3]),
  product('a column', [7, 3], [3, 1]),
  product('no inner size', [2, 0], [0, 3], plain),
  product('no rows', [0, 4], [4, 3], plain),
  product('an empty batch', [0, 2, 3], [0, 3, 2], plain),
  product('odd large sizes', [67, 301], [301, 129], { gradients: false, rows: ['a'], tolerance: { rtol: 1e-4, atol: 2e-4 } }),
  product('odd large sizes, transposed b', [67, 301], [129, 301], { gradients: false, rows: ['a'], tolerance: { rtol: 1e-4, atol: 2e-4 } }, { transposeB: true }),
  product('many small matrices', [3001, 2, 3], [3001, 3, 2], plain),
  product('many rows', [large, 3], [3, 2], plain),
  sample(matMulOp, 'NaN and infinity meet zeros', { transposeA: false, transposeB: false }, (s) => [s.values([2, 2], [0, 1, NaN, 0]), s.values([2, 2], [Infinity, 1, 2, 3])], plain),
]

const permutations: readonly (readonly [Shape, readonly number[]])[] = [
  [[3, 4], [1, 0]],
  [[3, 4], [0, 1]],
  [[2, 3, 4], [2, 0, 1]],
  [[2, 3, 4, 5], [0, 2, 1, 3]],
  [[2, 3, 4, 5], [3, 1, 0, 2]],
  [[2, 1, 3, 2, 2], [4, 2, 0, 3, 1]],
  [[0, 3], [1, 0]],
  [[], []],
  [[67, 130], [1, 0]],
]

const permuteCases = [
  ...permutations.map(([shape, axes]) => sample(permuteOp, `[${shape.join(', ')}] by [${axes.join(', ')}]`, { axes }, (s) => [s.normal(shape)], sizeOf(shape) > 1000 ? plain : {})),
  sample(permuteOp, 'i32', { axes: [1, 0] }, (s) => [s.integers([4, 3], -99, 99)]),
  sample(permuteOp, 'u8', { axes: [1, 0] }, (s) => [s.bytes([5, 3], 256)]),
]

const broadcastToCases = [
  sample(broadcastToOp, 'a row', { shape: [3, 4] }, (s) => [s.normal([4])]),
  sample(broadcastToOp, 'a column', { shape: [3, 4] }, (s) => [s.normal([3, 1])]),
  sample(broadcastToOp, 'a scalar', { shape: [2, 2, 2] }, (s) => [s.normal([])]),
  sample(broadcastToOp, 'inside', { shape: [2, 3, 2] }, (s) => [s.normal([2, 1, 2])]),
  sample(broadcastToOp, 'to nothing', { shape: [0, 3] }, (s) => [s.normal([1, 3])], plain),
  sample(broadcastToOp, 'u8', { shape: [2, 5] }, (s) => [s.bytes([5], 256)]),
  sample(broadcastToOp, 'large', { shape: [large, 2] }, (s) => [s.normal([2])], plain),
]

const sliceCases = [
  sample(sliceOp, 'a corner', { starts: [1, 2], sizes: [2, 2] }, (s) => [s.normal([4, 5])]),
  sample(sliceOp, 'columns', { starts: [0, 1], sizes: [4, 3] }, (s) => [s.normal([4, 5])]),
  sample(sliceOp, 'all', { starts: [0, 0], sizes: [2, 3] }, (s) => [s.normal([2, 3])]),
  sample(sliceOp, 'nothing', { starts: [1, 5], sizes: [2, 0] }, (s) => [s.normal([4, 5])], plain),
  sample(sliceOp, 'rank 4', { starts: [0, 1, 0, 2], sizes: [2, 2, 1, 2] }, (s) => [s.normal([2, 3, 2, 4])]),
  sample(sliceOp, 'i32', { starts: [3], sizes: [4] }, (s) => [s.integers([9], -99, 99)]),
  sample(sliceOp, 'u8', { starts: [1, 1], sizes: [3, 5] }, (s) => [s.bytes([5, 7], 256)]),
]

const padCases = [
  sample(padOp, 'both sides', { before: [1, 2], after: [2, 0], value: 0 }, (s) => [s.normal([2, 3])]),
  sample(padOp, 'minus infinity', { before: [0, 1], after: [0, 1], value: -Infinity }, (s) => [s.normal([2, 3])], plain),
  sample(padOp, 'an empty tensor', { before: [2], after: [1], value: 7 }, (s) => [s.normal([0])], plain),
  sample(padOp, 'i32', { before: [1], after: [1], value: -5 }, (s) => [s.integers([4], -9, 9)]),
  sample(padOp, 'u8', { before: [0, 1], after: [1, 0], value: 200 }, (s) => [s.bytes([2, 3], 256)]),
  sample(padOp, 'rank 4', { before: [0, 1, 0, 1], after: [1, 0, 2, 0], value: 0.5 }, (s) => [s.normal([1, 2, 2, 3])]),
]

const concatCases = [
  sample(concatOp, 'rows', { axis: 0 }, (s) => [[s.normal([2, 3]), s.normal([1, 3]), s.normal([4, 3])]]),
  sample(concatOp, 'columns', { axis: 1 }, (s) => [[s.normal([2, 3]), s.normal([2, 1])]]),
  sample(concatOp, 'a middle axis', { axis: 1 }, (s) => [[s.normal([2, 2, 3]), s.normal([2, 3, 3])]]),
  sample(concatOp, 'one part', { axis: 0 }, (s) => [[s.normal([2, 3])]]),
  sample(concatOp, 'an empty part', { axis: 1 }, (s) => [[s.normal([2, 3]), s.normal([2, 0]), s.normal([2, 2])]], plain),
  sample(concatOp, 'i32', { axis: 0 }, (s) => [[s.integers([3], 0, 99), s.integers([2], 0, 99)]]),
  sample(concatOp, 'u8', { axis: 1 }, (s) => [[s.bytes([2, 3], 256), s.bytes([2, 2], 256)]]),
]

const gatherCases = [
  sample(gatherOp, 'rows', { axis: 0 }, (s) => [s.normal([5, 3]), s.integers([4], 0, 5)]),
  sample(gatherOp, 'rows at a matrix of indices', { axis: 0 }, (s) => [s.normal([5, 3]), s.integers([2, 3], 0, 5)]),
  sample(gatherOp, 'one row', { axis: 0 }, (s) => [s.normal([5, 3]), s.integers([], 0, 5)]),
  sample(gatherOp, 'columns', { axis: 1 }, (s) => [s.normal([3, 5]), s.integers([4], 0, 5)]),
  sample(gatherOp, 'a middle axis', { axis: 1 }, (s) => [s.normal([2, 4, 3]), s.integers([2, 2], 0, 4)]),
  sample(gatherOp, 'out of range gives 0', { axis: 0 }, (s) => [s.normal([3, 2]), s.values([5], [0, -1, 3, 2, 1_000_000], 'i32')]),
  sample(gatherOp, 'no indices', { axis: 0 }, (s) => [s.normal([3, 2]), s.integers([0], 0, 3)], plain),
  sample(gatherOp, 'i32', { axis: 0 }, (s) => [s.integers([9], -99, 99), s.integers([7], 0, 9)]),
  sample(gatherOp, 'u8', { axis: 0 }, (s) => [s.bytes([9, 2], 256), s.integers([7], 0, 9)]),
  sample(gatherOp, 'many rows', { axis: 0 }, (s) => [s.normal([300, 2]), s.integers([large], 0, 300)], plain),
]

const scatterAddCases = [
  sample(scatterAddOp, 'rows that repeat', { size: 4 }, (s) => [s.values([6], [0, 2, 2, 0, 3, 2], 'i32'), s.normal([6, 3])]),
  sample(scatterAddOp, 'numbers', { size: 5 }, (s) => [s.integers([8], 0, 5), s.normal([8])]),
  sample(scatterAddOp, 'rank 3', { size: 3 }, (s) => [s.integers([4], 0, 3), s.normal([4, 2, 2])]),
  sample(scatterAddOp, 'out of range is ignored', { size: 3 }, (s) => [s.values([5], [0, -1, 3, 2, 1_000_000], 'i32'), s.normal([5, 2])]),
  sample(scatterAddOp, 'no updates', { size: 3 }, (s) => [s.integers([0], 0, 3), s.normal([0, 2])], plain),
  sample(scatterAddOp, 'many updates', { size: 50 }, (s) => [s.integers([20_001], 0, 50), s.normal([20_001, 3])], { gradients: false, tolerance: { rtol: 1e-4, atol: 1e-3 } }),
]

const fillCases = ([[0, [2, 3], 'f32'], [-1.5, [5], 'f32'], [NaN, [2], 'f32'], [-Infinity, [2], 'f32'], [7, [], 'i32'], [-16_777_215, [3], 'i32'], [255, [4], 'u8'], [1, [0], 'f32'], [2, [large], 'f32']] as const)
  .map(([value, shape, dtype]) => sample(fillOp, `${value} in ${dtype} [${shape.join(', ')}]`, { value, shape, dtype: dtype satisfies DType }, () => []))

const iotaCases = ([[5, 'i32'], [7, 'f32'], [0, 'i32'], [large, 'i32'], [200, 'u8']] as const).map(([length, dtype]) => sample(iotaOp, `${length} in ${dtype}`, { length, dtype }, () => []))

/** Sample calls of all primitives. */
export const primitiveCases: readonly OpCase[] = [
  ...fillCases, ...iotaCases, ...unaryCases, ...integerUnaryCases, ...binaryCases, ...integerBinaryCases, ...otherBinaryCases, ...whereCases, ...castCases, ...reduceCases,
  ...matMulCases, ...permuteCases, ...broadcastToCases, ...sliceCases, ...padCases, ...concatCases, ...gatherCases, ...scatterAddCases,
]
