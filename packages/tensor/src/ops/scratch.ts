// Small steps of decompositions: combine with a constant, free what only the next step needed.
import { add, cast, mul, scalarLike, sum } from '../primitives.ts'
import type { Tensor } from '../tensor.ts'
import { accumulationDType } from './checks.ts'

/** x · value. */
export const scaled = (x: Tensor, value: number): Tensor => mul(x, scalarLike(x, value))

/** x + value. */
export const shifted = (x: Tensor, value: number): Tensor => add(x, scalarLike(x, value))

/** In the dtype of sums: f32, or f64 in the reference run. */
export const widened = (x: Tensor): Tensor => cast(x, accumulationDType(x.dtype))

/** The sum over the last axis, kept as size 1. */
export const rowSum = (x: Tensor): Tensor => sum(x, { axes: [-1], keepDims: true })

/**
 * Applies the steps one after the other and frees every intermediate at once: a decomposition's large arrays must not pile up until
 * its end. Frees `x` too, so hand over only what the caller made and needs no more.
 */
export const inSteps = (x: Tensor, ...steps: readonly ((x: Tensor) => Tensor)[]): Tensor => {
  let current = x
  for (const step of steps) {
    const next = step(current)
    if (next !== current) current.dispose()
    current = next
  }
  return current
}
