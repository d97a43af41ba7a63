// Walks arrays of one shape and different strides row by row: broadcasting is a stride of 0, a transpose another order of strides, a
// slice an offset. Neighbouring axes that all arrays walk with one step are merged, so that equal shapes are a single long row.
import type { Shape } from '@weft/tensor'

export type VisitRow = (offsets: readonly number[], length: number, steps: readonly number[]) => void

/**
 * @param strides of each array, in elements, for each axis of `shape`.
 * @param visit gets where the row begins in each array (one list, reused), its length, and the step of each array along it.
 */
export const forEachRow = (shape: Shape, strides: readonly (readonly number[])[], visit: VisitRow): void => {
  if (shape.includes(0)) return
  const axes = mergedAxes(shape, strides)
  const inner = axes.pop() ?? { size: 1, steps: strides.map(() => 0) }
  const offsets = strides.map(() => 0)
  walk(axes, offsets, () => visit(offsets, inner.size, inner.steps))
}

interface Axis {
  size: number
  steps: readonly number[]
}

/** Outermost first; axes of size 1 are dropped. */
const mergedAxes = (shape: Shape, strides: readonly (readonly number[])[]): Axis[] => {
  const axes: Axis[] = []
  shape.forEach((size, axis) => {
    if (size === 1) return
    const steps = strides.map((list) => list[axis]!)
    const last = axes[axes.length - 1]
    if (last !== undefined && last.steps.every((step, k) => step === steps[k]! * size)) {
      last.size *= size
      last.steps = steps
    } else axes.push({ size, steps })
  })
  return axes
}

const walk = (axes: readonly Axis[], offsets: number[], visit: () => void): void => {
  const index = new Array<number>(axes.length).fill(0)
  for (;;) {
    visit()
    let level = axes.length - 1
    for (; level >= 0; level--) {
      const { size, steps } = axes[level]!
      for (let k = 0; k < offsets.length; k++) offsets[k]! += steps[k]!
      if (++index[level]! < size) break
      for (let k = 0; k < offsets.length; k++) offsets[k]! -= steps[k]! * size
      index[level] = 0
    }
    if (level < 0) return
  }
}
