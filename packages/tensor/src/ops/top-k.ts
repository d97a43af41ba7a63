// Largest elements, and running sums. N rows, V columns.
import { ConfigError } from '@weft/contracts'
import { exec, execOne } from '../exec.ts'
import { defineOp, type OpDefinition } from '../op-definition.ts'
import { add, concat, equal, full, iota, lessThan, max, min, pad, reshape, scalarLike, slice, where } from '../primitives.ts'
import { normalizeAxis } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { metaOf, numberOf, requireRank } from './checks.ts'
import { inSteps } from './scratch.ts'

/** 0 … size − 1 along an axis, i32, other sizes 1. */
const indexAlong = (x: Tensor, axis: number): Tensor => reshape(iota(x.backend, x.shape[axis]!), x.shape.map((size, i) => (i === axis ? size : 1)))

/** The smallest index at which x equals its maximum and that is not taken. */
const firstOf = (x: Tensor, best: Tensor, axis: number): Tensor => {
  const index = indexAlong(x, axis)
  // A row with NaN has no element equal to its maximum: its last index then, so that the result can always be looked up.
  return min(where(equal(x, best), index, full(x.backend, [], x.shape[axis]! - 1, { dtype: 'i32' })), { axes: [axis], keepDims: true })
}

/** Attribute `axis`, not negative. */
export const argMaxOp = defineOp({
  name: 'argMax',
  inputs: ['x'],
  infer: ([x], attrs) => [{ shape: metaOf(x).shape.filter((_, i) => i !== numberOf(attrs, 'axis')), dtype: 'i32' }],
  decompose: ({ inputs, attrs, outputs }) => {
    const x = inputs[0] as Tensor
    const axis = numberOf(attrs, 'axis')
    return [reshape(firstOf(x, max(x, { axes: [axis], keepDims: true }), axis), outputs[0]!.shape)]
  },
})

/** The index of the largest element along an axis, i32; ties go to the smaller index. */
export const argMax = (x: Tensor, options: { readonly axis?: number } = {}): Tensor =>
  execOne(argMaxOp, [x], { axis: normalizeAxis('argMax', options.axis ?? -1, x.shape.length) })

/** Attribute `k`. */
export const topKOp = defineOp({
  name: 'topK',
  inputs: ['x'],
  outputs: ['values', 'indices'],
  infer: ([x], attrs) => {
    requireRank('topK', 'x', metaOf(x), 2, '[N, V]')
    const [rows, columns] = metaOf(x).shape as [number, number]
    const k = numberOf(attrs, 'k')
    if (!Number.isInteger(k) || k < 1 || k > 64 || k > columns) throw new ConfigError(`topK: expected k in 1 … ${Math.min(64, columns)}, got ${k}`)
    return [{ shape: [rows, k], dtype: metaOf(x).dtype }, { shape: [rows, k], dtype: 'i32' }]
  },
  decompose: ({ inputs, attrs }) => {
    const x = inputs[0] as Tensor
    const index = indexAlong(x, 1)
    const columns = full(x.backend, [], x.shape[1]!, { dtype: 'i32' })
    // −1 where taken, else the index: a row of −∞ alone must still give k different indices.
    let free = add(index, full(x.backend, x.shape, 0, { dtype: 'i32' }))
    const values: Tensor[] = []
    const indices: Tensor[] = []
    for (let round = 0; round < numberOf(attrs, 'k'); round++) {
      const isTaken = lessThan(free, scalarLike(free, 0))
      const best = max(where(isTaken, scalarLike(x, -Infinity), x), { axes: [1], keepDims: true })
      const place = min(where(isTaken, columns, where(equal(x, best), free, columns)), { axes: [1], keepDims: true })
      values.push(best)
      indices.push(place)
      free = where(equal(free, place), scalarLike(free, -1), free)
    }
    return [concat(values, 1), concat(indices, 1)]
  },
})

/** The k ≤ 64 largest elements of each row, the largest first; ties go to the smaller index. x [N, V] → [N, k] each. */
export const topK = (x: Tensor, options: { readonly k: number }): { values: Tensor; indices: Tensor } => {
  const [values, indices] = exec(topKOp, [x], { k: options.k }) as [Tensor, Tensor]
  return { values, indices }
}

/** x moved along an axis by `by` places, towards the end or (negative) the start; zeros move in. */
const moved = (x: Tensor, axis: number, by: number): Tensor => {
  const along = (value: number): number[] => x.shape.map((_, i) => (i === axis ? value : 0))
  const kept = slice(x, along(Math.max(0, -by)), x.shape.map((size, i) => (i === axis ? size - Math.abs(by) : size)))
  return inSteps(kept, (y) => pad(y, along(Math.max(0, by)), along(Math.max(0, -by))))
}

/** Attributes `axis`, not negative, `exclusive`, `reverse`. */
export const cumSumOp: OpDefinition = defineOp({
  name: 'cumSum',
  inputs: ['x'],
  infer: ([x]) => [{ shape: metaOf(x).shape, dtype: metaOf(x).dtype }],
  decompose: ({ inputs, attrs }) => {
    const x = inputs[0] as Tensor
    const axis = numberOf(attrs, 'axis')
    const size = x.shape[axis]!
    const direction = attrs['reverse'] === true ? -1 : 1
    // Doubling strides: log₂ n passes (Hillis, Steele 1986).
    let total = attrs['exclusive'] === true && size > 0 ? moved(x, axis, direction) : reshape(x, x.shape)
    for (let by = 1; by < size; by *= 2) total = inSteps(total, (before) => inSteps(moved(before, axis, direction * by), (shifted) => add(before, shifted)))
    return [total]
  },
  saves: {},
  vjp: ({ gradients: [g], attrs }) => [execOne(cumSumOp, [g!], { ...attrs, reverse: attrs['reverse'] !== true })],
})

export interface CumSumOptions {
  /** Default −1. */
  readonly axis?: number | undefined
  /** Leave the element itself out. */
  readonly exclusive?: boolean | undefined
  /** From the end towards the start. */
  readonly reverse?: boolean | undefined
}

/** Running sum along an axis. */
export const cumSum = (x: Tensor, { axis = -1, exclusive = false, reverse = false }: CumSumOptions = {}): Tensor =>
  execOne(cumSumOp, [x], { axis: normalizeAxis('cumSum', axis, x.shape.length), exclusive, reverse })
