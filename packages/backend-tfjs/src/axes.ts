// Merging of neighbouring axes. tfjs kernels have limits of rank (4 to 7) and are quicker with fewer axes; loops of our own are longer.
import type { Shape } from '@weft/tensor'

/**
 * Shapes of several operands of one broadcast, with neighbouring axes joined where every operand has both or neither, and axes of
 * size 1 dropped: [8, 1, 4, 5] with [8, 3, 4, 5] becomes [8, 1, 20] with [8, 3, 20].
 */
export const mergeBroadcast = (shapes: readonly Shape[], out: Shape): { shapes: number[][]; out: number[] } => {
  const merged: { shapes: number[][]; out: number[] } = { shapes: shapes.map(() => []), out: [] }
  let pattern: readonly boolean[] | undefined
  out.forEach((size, axis) => {
    if (size === 1) return
    const sizes = shapes.map((shape) => shape[shape.length - out.length + axis] ?? 1)
    const next = sizes.map((own) => own === size)
    if (pattern !== undefined && next.every((has, i) => has === pattern![i])) {
      merged.out[merged.out.length - 1]! *= size
      merged.shapes.forEach((shape, i) => (shape[shape.length - 1]! *= sizes[i]!))
    } else {
      merged.out.push(size)
      merged.shapes.forEach((shape, i) => shape.push(sizes[i]!))
    }
    pattern = next
  })
  return merged
}

/** A permutation with axes of size 1 dropped and axes that stay neighbours joined; empty where nothing moves. */
export const mergePermutation = (shape: Shape, axes: readonly number[]): { shape: number[]; axes: number[] } => {
  const moved = axes.filter((axis) => shape[axis] !== 1)
  const groups: number[][] = []
  for (const axis of moved) {
    const last = groups[groups.length - 1]
    const before = last?.[last.length - 1]
    if (before !== undefined && isNextAxis(shape, before, axis)) last!.push(axis)
    else groups.push([axis])
  }
  const order = [...groups].sort((a, b) => a[0]! - b[0]!)
  const merged = order.map((group) => group.reduce((size, axis) => size * shape[axis]!, 1))
  const result = groups.map((group) => order.indexOf(group))
  return result.every((axis, i) => axis === i) ? { shape: merged, axes: [] } : { shape: merged, axes: result }
}

const isNextAxis = (shape: Shape, before: number, axis: number): boolean => {
  if (axis <= before) return false
  for (let k = before + 1; k < axis; k++) if (shape[k] !== 1) return false
  return true
}

/** Strides of `from` seen in the shape `to`, aligned at the right; 0 along broadcast axes. */
export const broadcastStrides = (from: Shape, to: Shape): number[] => {
  const strides = stridesOf(from)
  const missing = to.length - from.length
  return to.map((_, axis) => (axis < missing || from[axis - missing] === 1 ? 0 : strides[axis - missing]!))
}

/** Row-major strides in elements. */
export const stridesOf = (shape: Shape): number[] => {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride
    stride *= shape[i]!
  }
  return strides
}
