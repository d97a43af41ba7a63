// Which pair is merged next: the most frequent, of equals the one with the smallest ids.
import { copied, type Pairs } from './pair-counts.ts'

/**
 * A heap of pairs, the most frequent first. A count that has shrunk since its pair was pushed is found out when it comes to the top,
 * and the pair put back; one that has grown is pushed again.
 * @param isTieBefore which of two equally frequent pairs goes first.
 */
export const createPairQueue = (pairs: Pairs, isTieBefore = smallestIds) => {
  let heap = new Int32Array(4096)
  let keys = new Float64Array(4096) // the count at the push
  let size = 0
  const isBefore = (pair: number, count: number, otherPair: number, otherCount: number): boolean => {
    if (count !== otherCount) return count > otherCount
    return isTieBefore(pairs.lefts[pair]!, pairs.rights[pair]!, pairs.lefts[otherPair]!, pairs.rights[otherPair]!)
  }
  const push = (pair: number): void => {
    const count = pairs.counts[pair]!
    if (count < 1) return
    if (size === heap.length) {
      heap = copied(heap, new Int32Array(size * 2))
      keys = copied(keys, new Float64Array(size * 2))
    }
    let at = size++
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(pair, count, heap[parent]!, keys[parent]!)) break
      heap[at] = heap[parent]!
      keys[at] = keys[parent]!
      at = parent
    }
    heap[at] = pair
    keys[at] = count
  }
  const removeTop = (): void => {
    const pair = heap[--size]!
    const count = keys[size]!
    let at = 0
    for (let child = 1; child < size; child = at * 2 + 1) {
      if (child + 1 < size && isBefore(heap[child + 1]!, keys[child + 1]!, heap[child]!, keys[child]!)) child++
      if (!isBefore(heap[child]!, keys[child]!, pair, count)) break
      heap[at] = heap[child]!
      keys[at] = keys[child]!
      at = child
    }
    heap[at] = pair
    keys[at] = count
  }
  /** The most frequent pair, −1 where none is left. */
  const pop = (): number => {
    while (size > 0) {
      const pair = heap[0]!
      const isCurrent = keys[0] === pairs.counts[pair]
      removeTop()
      if (isCurrent) return pair
      push(pair)
    }
    return -1
  }
  return { push, pop }
}

const smallestIds = (left: number, right: number, otherLeft: number, otherRight: number): boolean =>
  left !== otherLeft ? left < otherLeft : right < otherRight
