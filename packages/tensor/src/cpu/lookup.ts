// gather reads rows at indices, scatterAdd adds rows at indices: the two directions of an embedding.
import type { Kernel, Operand } from '../backend.ts'
import { sizeOf } from '../shape.ts'
import { allocate, allocateNumbers, numbersOf, outputSize, store, storedOf, type Buffers, type CpuBuffer } from './buffers.ts'

export const gather = (buffers: Buffers): Kernel<CpuBuffer> => ({ inputs, attrs, outputs }) => {
  const [from, at] = inputs as readonly [Operand<CpuBuffer>, Operand<CpuBuffer>]
  const axis = attrs['axis'] as number
  const [x, indices] = [storedOf(from), storedOf(at)]
  const out = allocate(from.dtype, outputSize(outputs[0]!))
  const size = from.shape[axis]!
  const outer = sizeOf(from.shape.slice(0, axis))
  const inner = sizeOf(from.shape.slice(axis + 1))
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < indices.length; k++) {
      const index = indices[k]!
      if (index < 0 || index >= size) continue // the row stays 0
      const source = (o * size + index) * inner
      const target = (o * indices.length + k) * inner
      for (let i = 0; i < inner; i++) out[target + i] = x[source + i]!
    }
  }
  return [buffers.own(out)]
}

export const scatterAdd = (buffers: Buffers): Kernel<CpuBuffer> => ({ inputs, attrs, outputs }) => {
  const [at, from] = inputs as readonly [Operand<CpuBuffer>, Operand<CpuBuffer>]
  const [indices, updates] = [storedOf(at), numbersOf(from)]
  const size = attrs['size'] as number
  const inner = sizeOf(from.shape.slice(1))
  const out = allocateNumbers(from.dtype, outputSize(outputs[0]!))
  const { first, next } = chainByIndex(indices, size)
  const totals = new Float64Array(inner)
  for (const [index, start] of first) {
    totals.fill(0)
    for (let n = start; n >= 0; n = next[n]!) for (let i = 0; i < inner; i++) totals[i]! += updates[n * inner + i]!
    out.set(totals, index * inner)
  }
  return [buffers.own(store(out, outputs[0]!))]
}

/** The updates of each index as a linked list in their order, so that one row of f64 sums is enough. */
const chainByIndex = (indices: ArrayLike<number>, size: number): { first: Map<number, number>; next: Int32Array } => {
  const first = new Map<number, number>()
  const next = new Int32Array(indices.length).fill(-1)
  for (let n = indices.length - 1; n >= 0; n--) {
    const index = indices[n]!
    if (index < 0 || index >= size) continue
    next[n] = first.get(index) ?? -1
    first.set(index, n)
  }
  return { first, next }
}
