// Byte-pair encoding of one piece: merge the adjacent pair of least rank, the leftmost of equals, until none is left. Short pieces by
// scanning for the least each time, longer ones with a heap over a linked list, very long ones with lists by rank.
import { mergeByBuckets } from './merge-buckets.ts'
import { findMerge, type MergeTable } from './merge-table.ts'

const never = 0x7fffffff

/** Room for the pairs of one piece, kept between calls. */
export interface MergeScratch {
  ranks: Int32Array
  merged: Int32Array
  next: Int32Array
  previous: Int32Array
  heap: Float64Array
}

const scanLimit = 48 // where the heap begins to win
const heapLimit = 2048 // where lists by rank begin to win

export const createMergeScratch = (size: number): MergeScratch => ({
  ranks: new Int32Array(size),
  merged: new Int32Array(size),
  next: new Int32Array(size),
  previous: new Int32Array(size),
  heap: new Float64Array(size * 2),
})

/** What each symbol covers of a text. */
export interface SymbolRanges {
  starts: Int32Array
  ends: Int32Array
}

/**
 * Merges symbols[0 … count) in place and returns how many are left.
 * @param ranges are joined where symbols merge.
 */
export const mergeSymbols = (table: MergeTable, symbols: Int32Array, count: number, scratch: MergeScratch, ranges?: SymbolRanges): number => {
  if (count < 2) return count
  if (count <= scanLimit) return mergeByScan(table, symbols, count, scratch, ranges)
  if (count > heapLimit) return mergeByBuckets(table, symbols, count, ranges)
  if (count > scratch.ranks.length) Object.assign(scratch, createMergeScratch(Math.min(heapLimit, count * 2)))
  return mergeByHeap(table, symbols, count, scratch, ranges)
}

const mergeByScan = (
  table: MergeTable,
  symbols: Int32Array,
  count: number,
  { ranks, merged }: MergeScratch,
  ranges: SymbolRanges | undefined,
): number => {
  const { slots } = table
  const look = (at: number): void => {
    const found = findMerge(table, symbols[at]!, symbols[at + 1]!)
    ranks[at] = found < 0 ? never : slots[found + 2]!
    merged[at] = found < 0 ? -1 : slots[found + 3]!
  }
  for (let at = 0; at + 1 < count; at++) look(at)
  for (;;) {
    let best = never
    let place = -1
    for (let at = 0; at + 1 < count; at++) {
      if (ranks[at]! < best) {
        best = ranks[at]!
        place = at
      }
    }
    if (place < 0) return count
    symbols[place] = merged[place]!
    count--
    if (ranges !== undefined) {
      ranges.ends.copyWithin(place, place + 1, count + 1)
      ranges.starts.copyWithin(place + 1, place + 2, count + 1)
    }
    for (let at = place + 1; at < count; at++) {
      symbols[at] = symbols[at + 1]!
      ranks[at] = ranks[at + 1]!
      merged[at] = merged[at + 1]!
    }
    if (place > 0) look(place - 1)
    if (place + 1 < count) look(place)
  }
}

/** Heap keys are rank · 2^31 + place: the order is by rank, then from the left, and both fit a double exactly. */
const placeBits = 2 ** 31

const mergeByHeap = (
  table: MergeTable,
  symbols: Int32Array,
  count: number,
  scratch: MergeScratch,
  ranges: SymbolRanges | undefined,
): number => {
  const { ranks, merged, next, previous, heap } = scratch
  const { slots } = table
  let size = 0
  const look = (at: number, right: number): boolean => {
    const found = right < 0 ? -1 : findMerge(table, symbols[at]!, symbols[right]!)
    ranks[at] = found < 0 ? never : slots[found + 2]!
    merged[at] = found < 0 ? -1 : slots[found + 3]!
    return found >= 0
  }
  for (let at = 0; at < count; at++) {
    previous[at] = at - 1
    next[at] = at + 1 < count ? at + 1 : -1
    if (look(at, next[at]!)) heap[size++] = ranks[at]! * placeBits + at
  }
  for (let at = (size >> 1) - 1; at >= 0; at--) siftDown(heap, at, size)
  while (size > 0) {
    const top = heap[0]!
    heap[0] = heap[--size]!
    siftDown(heap, 0, size)
    const rank = Math.floor(top / placeBits)
    const at = top - rank * placeBits
    if (ranks[at] !== rank) continue // the pair was changed by a merge beside it
    const right = next[at]!
    const after = next[right]!
    symbols[at] = merged[at]!
    if (ranges !== undefined) ranges.ends[at] = ranges.ends[right]!
    ranks[right] = never
    next[at] = after
    if (after >= 0) previous[after] = at
    if (look(at, after)) siftUp(heap, size++, ranks[at]! * placeBits + at)
    const before = previous[at]!
    if (before >= 0 && look(before, at)) siftUp(heap, size++, ranks[before]! * placeBits + before)
  }
  let kept = 0
  for (let at = 0; at >= 0; at = next[at]!) {
    if (ranges !== undefined) {
      ranges.starts[kept] = ranges.starts[at]!
      ranges.ends[kept] = ranges.ends[at]!
    }
    symbols[kept++] = symbols[at]!
  }
  return kept
}

const siftUp = (heap: Float64Array, at: number, key: number): void => {
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (heap[parent]! <= key) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = key
}

const siftDown = (heap: Float64Array, at: number, size: number): void => {
  const key = heap[at]!
  for (let child = at * 2 + 1; child < size; child = at * 2 + 1) {
    if (child + 1 < size && heap[child + 1]! < heap[child]!) child++
    if (heap[child]! >= key) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = key
}
