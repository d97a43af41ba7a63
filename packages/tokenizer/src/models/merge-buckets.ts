// Byte-pair encoding of a very long piece (a megabyte of one letter): places are kept in one list per rank, and only the ranks are in a
// heap. A list is filled from left to right, which is mostly how places come up; those that come late go into a small heap beside it, so
// that nearly all work is linear. The order of merges is exactly that of the heap over all places: by rank, then from the left.
import { findMerge, type MergeTable } from './merge-table.ts'
import type { SymbolRanges } from './merge-symbols.ts'

interface Bucket {
  readonly rank: number
  /** In rising order. */
  places: Int32Array
  count: number
  /** Places before it are done. */
  cursor: number
  /** Places that came up behind later ones, as a heap: the ways to make one token may share a rank. */
  readonly late: number[]
}

const never = 0x7fffffff

/** Merges symbols[0 … count) in place and returns how many are left. */
export const mergeByBuckets = (table: MergeTable, symbols: Int32Array, count: number, covered: SymbolRanges | undefined): number => {
  const { slots } = table
  const ranks = new Int32Array(count).fill(never)
  const merged = new Int32Array(count)
  const next = new Int32Array(count)
  const previous = new Int32Array(count)
  const queue = createBuckets()

  const look = (at: number, right: number): void => {
    const found = right < 0 ? -1 : findMerge(table, symbols[at]!, symbols[right]!)
    if (found < 0) {
      ranks[at] = never
      return
    }
    ranks[at] = slots[found + 2]!
    merged[at] = slots[found + 3]!
    queue.push(ranks[at]!, at)
  }
  for (let at = 0; at < count; at++) {
    previous[at] = at - 1
    next[at] = at + 1 < count ? at + 1 : -1
    look(at, next[at]!)
  }
  for (let bucket = queue.least(); bucket !== undefined; bucket = queue.least()) {
    const { rank } = bucket
    while (hasPlace(bucket) && queue.leastRank() === rank) {
      const at = takePlace(bucket)
      if (ranks[at] !== rank) continue // the pair was changed by a merge beside it
      const right = next[at]!
      const after = next[right]!
      symbols[at] = merged[at]!
      if (covered !== undefined) covered.ends[at] = covered.ends[right]!
      ranks[right] = never
      next[at] = after
      if (after >= 0) previous[after] = at
      const before = previous[at]!
      if (before >= 0) look(before, at)
      look(at, after)
    }
  }
  let kept = 0
  for (let at = 0; at >= 0; at = next[at]!) {
    if (covered !== undefined) {
      covered.starts[kept] = covered.starts[at]!
      covered.ends[kept] = covered.ends[at]!
    }
    symbols[kept++] = symbols[at]!
  }
  return kept
}

const hasPlace = ({ cursor, count, late }: Bucket): boolean => cursor < count || late.length > 0

/** The leftmost place that is left. */
const takePlace = (bucket: Bucket): number => {
  const { late } = bucket
  const first = bucket.cursor < bucket.count ? bucket.places[bucket.cursor]! : never
  if (late.length === 0 || first <= late[0]!) {
    bucket.cursor++
    return first
  }
  const place = late[0]!
  popLeast(late)
  return place
}

const createBuckets = () => {
  const byRank = new Map<number, Bucket>()
  const heap: number[] = []
  let last: Bucket | undefined

  const bucketOf = (rank: number): Bucket => {
    if (last?.rank === rank) return last
    let bucket = byRank.get(rank)
    if (bucket === undefined) {
      bucket = { rank, places: new Int32Array(16), count: 0, cursor: 0, late: [] }
      byRank.set(rank, bucket)
      pushInto(heap, rank)
    }
    last = bucket
    return bucket
  }
  const drop = (rank: number): void => {
    byRank.delete(rank)
    if (last?.rank === rank) last = undefined
    popLeast(heap)
  }
  return {
    push: (rank: number, place: number): void => {
      const bucket = bucketOf(rank)
      if (bucket.count > bucket.cursor && bucket.places[bucket.count - 1]! > place) return pushInto(bucket.late, place)
      if (bucket.count === bucket.places.length) {
        const grown = new Int32Array(bucket.count * 2)
        grown.set(bucket.places)
        bucket.places = grown
      }
      bucket.places[bucket.count++] = place
    },
    leastRank: (): number => heap[0] ?? -1,
    /** The bucket of the least rank that has places left; undefined at the end. */
    least: (): Bucket | undefined => {
      while (heap.length > 0) {
        const bucket = byRank.get(heap[0]!)!
        if (hasPlace(bucket)) return bucket
        drop(bucket.rank)
      }
      return undefined
    },
  }
}

const pushInto = (heap: number[], rank: number): void => {
  let at = heap.length
  heap.push(rank)
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (heap[parent]! <= rank) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = rank
}

/** Takes the least number out. */
const popLeast = (heap: number[]): void => {
  const key = heap.pop()!
  if (heap.length === 0) return
  let at = 0
  for (let child = 1; child < heap.length; child = at * 2 + 1) {
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++
    if (heap[child]! >= key) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = key
}
