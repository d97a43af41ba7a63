// The adjacent pairs of symbols while merges are learned: how often each occurs now, and where. A place stays listed when a merge has
// taken one of its symbols; whoever walks the list looks.

/** Every pair that ever occurred: its count, and its places as a linked list in the order in which they came up. */
export const createPairs = (symbolCount: number) => {
  // Each merge uses up a symbol and makes at most two new pairs.
  const nodePlaces = new Int32Array(symbolCount * 3)
  const nodeNext = new Int32Array(symbolCount * 3)
  let nodes = 0
  let slots = new Int32Array(8192).fill(-1)
  let changed: number[] = []
  const pairs = {
    size: 0,
    lefts: new Int32Array(2048),
    rights: new Int32Array(2048),
    counts: new Float64Array(2048),
    heads: new Int32Array(2048),
    tails: new Int32Array(2048),
    isChanged: new Uint8Array(2048),
    nodePlaces,
    nodeNext,
    /** The number of a pair that may be new. */
    find: (left: number, right: number): number => {
      const slot = locate(left, right)
      if (slots[slot]! >= 0) return slots[slot]!
      if (pairs.size === pairs.lefts.length) {
        grow()
        return pairs.find(left, right)
      }
      const pair = pairs.size++
      slots[slot] = pair
      pairs.lefts[pair] = left
      pairs.rights[pair] = right
      pairs.heads[pair] = pairs.tails[pair] = -1
      return pair
    },
    /** Adds `count` occurrences of the pair at a place. */
    add: (left: number, right: number, place: number, count: number): void => {
      const pair = pairs.find(left, right)
      pairs.counts[pair]! += count
      const node = nodes++
      nodePlaces[node] = place
      nodeNext[node] = -1
      if (pairs.heads[pair]! < 0) pairs.heads[pair] = node
      else nodeNext[pairs.tails[pair]!] = node
      pairs.tails[pair] = node
      if (pairs.isChanged[pair] === 1) return
      pairs.isChanged[pair] = 1
      changed.push(pair)
    },
    remove: (left: number, right: number, count: number): void => {
      pairs.counts[pairs.find(left, right)]! -= count
    },
    /** Visits every pair that grew since the last call. */
    takeChanged: (visit: (pair: number) => void): void => {
      for (const pair of changed) {
        pairs.isChanged[pair] = 0
        visit(pair)
      }
      changed = []
    },
  }
  const locate = (left: number, right: number): number => {
    const mask = slots.length - 1
    const hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca77)
    let slot = (hash ^ (hash >>> 15)) & mask
    for (; slots[slot]! >= 0; slot = (slot + 1) & mask) {
      if (pairs.lefts[slots[slot]!] === left && pairs.rights[slots[slot]!] === right) break
    }
    return slot
  }
  const grow = (): void => {
    const capacity = pairs.size * 2
    for (const name of ['lefts', 'rights', 'heads', 'tails'] as const) pairs[name] = copied(pairs[name], new Int32Array(capacity))
    pairs.counts = copied(pairs.counts, new Float64Array(capacity))
    pairs.isChanged = copied(pairs.isChanged, new Uint8Array(capacity))
    slots = new Int32Array(capacity * 4).fill(-1)
    for (let pair = 0; pair < pairs.size; pair++) slots[locate(pairs.lefts[pair]!, pairs.rights[pair]!)] = pair
  }
  return pairs
}

export type Pairs = ReturnType<typeof createPairs>

/** Fills a larger array with what a smaller one has. */
export const copied = <T extends Int32Array | Uint8Array | Float64Array>(from: T, to: T): T => {
  to.set(from)
  return to
}
