// Walks arrays of one shape and different strides row by row. Broadcasting is a stride of 0, a transpose another order of strides,
// a slice an offset: every elementwise and every copying kernel is one loop over rows. Axes that all operands agree on are merged
// first, so that two equal shapes are a single long row.
import { stridesOf, type Shape } from '../shape.ts'

/** Strides of `from` seen in the shape `to`, aligned at the right; 0 along broadcast axes. */
export const broadcastStrides = (from: Shape, to: Shape): number[] => {
  const strides = stridesOf(from)
  const missing = to.length - from.length
  return to.map((_, axis) => (axis < missing || from[axis - missing] === 1 ? 0 : strides[axis - missing]!))
}

/**
 * Calls `visit` once a row with where the row begins in each array.
 *
 * @param strides of each array, in elements, for each axis of `shape`.
 * @param visit gets the offsets (one array, reused), the row's length, and the step of each array along the row.
 */
export const forEachRow = (
  shape: Shape,
  strides: readonly (readonly number[])[],
  visit: (offsets: readonly number[], length: number, steps: readonly number[]) => void,
): void => {
  if (shape.includes(0)) return
  const merged = mergeAxes(shape, strides)
  const rank = merged.shape.length
  const length = merged.shape[rank - 1]!
  const steps = merged.strides.map((list) => list[rank - 1]!)
  const offsets = strides.map(() => 0)
  const index = new Array<number>(rank).fill(0)
  for (;;) {
    visit(offsets, length, steps)
    let axis = rank - 2
    for (; axis >= 0; axis--) {
      index[axis]!++
      for (let k = 0; k < offsets.length; k++) offsets[k]! += merged.strides[k]![axis]!
      if (index[axis]! < merged.shape[axis]!) break
      for (let k = 0; k < offsets.length; k++) offsets[k]! -= merged.strides[k]![axis]! * merged.shape[axis]!
      index[axis] = 0
    }
    if (axis < 0) return
  }
}

/** Drops axes of size 1 and joins neighbours that every array walks with one step; at least one axis is left. */
const mergeAxes = (shape: Shape, strides: readonly (readonly number[])[]): { shape: number[]; strides: number[][] } => {
  const outShape: number[] = []
  const outStrides: number[][] = strides.map(() => [])
  shape.forEach((size, axis) => {
    if (size === 1) return
    const last = outShape.length - 1
    if (last >= 0 && strides.every((list, k) => outStrides[k]![last] === list[axis]! * size)) {
      outShape[last]! *= size
      outStrides.forEach((list, k) => (list[last] = strides[k]![axis]!))
      return
    }
    outShape.push(size)
    outStrides.forEach((list, k) => list.push(strides[k]![axis]!))
  })
  if (outShape.length === 0) {
    outShape.push(1)
    for (const list of outStrides) list.push(0)
  }
  return { shape: outShape, strides: outStrides }
}
