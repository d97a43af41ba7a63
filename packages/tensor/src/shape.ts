// Pure arithmetic on shapes. Row-major everywhere.
import { ShapeError } from './errors.ts'

export type Shape = readonly number[]

export const sizeOf = (shape: Shape): number => {
  let size = 1
  for (let i = 0; i < shape.length; i++) size *= shape[i]!
  return size
}

export const sameShape = (a: Shape, b: Shape): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

export const formatShape = (shape: Shape): string => `[${shape.join(', ')}]`

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

/**
 * NumPy's rule: aligned at the right, each pair of sizes equal or one of them 1.
 * @throws ShapeError naming `op` and both shapes.
 */
export const broadcastShapes = (op: string, a: Shape, b: Shape): Shape => {
  if (sameShape(a, b)) return a
  const rank = Math.max(a.length, b.length)
  const out = new Array<number>(rank)
  for (let i = 1; i <= rank; i++) {
    const x = a[a.length - i] ?? 1
    const y = b[b.length - i] ?? 1
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(`${op}: shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast (axis −${i}: ${x} against ${y})`)
    }
    out[rank - i] = x === 1 ? y : x
  }
  return out
}

/** A non-negative axis. @throws ShapeError where it is outside the rank. */
export const normalizeAxis = (op: string, axis: number, rank: number): number => {
  const result = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(axis) || result < 0 || result >= rank) {
    throw new ShapeError(`${op}: axis ${axis} is outside a tensor of rank ${rank}`)
  }
  return result
}

/** @throws ShapeError unless all sizes are non-negative integers. */
export const checkShape = (op: string, shape: Shape): void => {
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) throw new ShapeError(`${op}: ${formatShape(shape)} is not a shape: sizes are integers ≥ 0`)
  }
}
