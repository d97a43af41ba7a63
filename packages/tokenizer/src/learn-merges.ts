// Learning byte-pair merges: again and again the most frequent adjacent pair becomes a token, of equals the one with the smallest ids
// (left, then right), which is the order of huggingface/tokenizers' BpeTrainer. Counts are kept, not recounted: all pieces lie in one
// linked list of symbols, each pair knows its places, and a merge touches those alone; so the whole costs a small multiple of the
// text's distinct pieces, whatever the number of merges.
import { createByteStringTable } from './byte-string-table.ts'
import type { CountedPieces } from './piece-counts.ts'

export interface LearnedMerges {
  /** Left, right and merged ids in the order in which they were learned. */
  readonly triples: Int32Array
  /** The bytes of each new token; the first has the id `firstId`. */
  readonly tokens: readonly Uint8Array[]
}

/**
 * @param options.byteIds the token of each byte.
 * @param options.firstId the id of the first new token; those of bytes lie below it.
 * @param options.maxNewTokens how many tokens to make at most.
 * @param options.minFrequency pairs that occur less often are not merged.
 * @yields the number of new tokens, every few hundred.
 */
export function* learnMerges(options: {
  readonly pieces: CountedPieces
  readonly byteIds: Int32Array
  readonly firstId: number
  readonly maxNewTokens: number
  readonly minFrequency: number
}): Generator<number, LearnedMerges> {
  const { firstId, maxNewTokens, byteIds } = options
  const minFrequency = Math.max(1, options.minFrequency)
  const list = createSymbolList(options.pieces, byteIds)
  const pairs = createPairs(list.length)
  const queue = createQueue(pairs)
  countAll(list, pairs)
  for (let pair = 0; pair < pairs.size; pair++) queue.push(pair)

  const vocabulary = createVocabulary(byteIds, firstId)
  const triples: number[] = []
  let steps = 0
  for (let pair = queue.pop(); pair >= 0 && vocabulary.newTokens < maxNewTokens; pair = queue.pop()) {
    if (pairs.counts[pair]! < minFrequency) break
    const left = pairs.lefts[pair]!
    const right = pairs.rights[pair]!
    const merged = vocabulary.join(left, right)
    triples.push(left, right, merged)
    mergeEverywhere(list, pairs, pair, merged)
    pairs.takeChanged((changed) => queue.push(changed))
    if (++steps % 256 === 0) yield vocabulary.newTokens
  }
  return { triples: Int32Array.from(triples), tokens: vocabulary.tokens() }
}

/** All pieces one behind the other, each a linked list of symbols; −1 ends one. */
interface SymbolList {
  readonly length: number
  readonly ids: Int32Array
  readonly next: Int32Array
  readonly previous: Int32Array
  /** How often the piece of this place occurs. */
  countAt(place: number): number
}

const createSymbolList = ({ bytes, starts, counts }: CountedPieces, byteIds: Int32Array): SymbolList => {
  const { length } = bytes
  const ids = new Int32Array(length)
  const next = new Int32Array(length)
  const previous = new Int32Array(length)
  const pieceOf = new Int32Array(length)
  for (let piece = 0; piece < counts.length; piece++) {
    const start = starts[piece]!
    const end = starts[piece + 1]!
    for (let place = start; place < end; place++) {
      ids[place] = byteIds[bytes[place]!]!
      next[place] = place + 1 < end ? place + 1 : -1
      previous[place] = place > start ? place - 1 : -1
      pieceOf[place] = piece
    }
  }
  return { length, ids, next, previous, countAt: (place) => counts[pieceOf[place]!]! }
}

/** Every pair that ever occurred: its count, and its places as a linked list in the order in which they came up. */
const createPairs = (symbolCount: number) => {
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

type Pairs = ReturnType<typeof createPairs>

const copied = <T extends Int32Array | Uint8Array | Float64Array>(from: T, to: T): T => {
  to.set(from)
  return to
}

const countAll = (list: SymbolList, pairs: Pairs): void => {
  for (let place = 0; place < list.length; place++) {
    const right = list.next[place]!
    if (right >= 0) pairs.add(list.ids[place]!, list.ids[right]!, place, list.countAt(place))
  }
  pairs.takeChanged(() => undefined)
}

const mergeEverywhere = (list: SymbolList, pairs: Pairs, pair: number, merged: number): void => {
  const { ids, next, previous } = list
  const left = pairs.lefts[pair]!
  const right = pairs.rights[pair]!
  let node = pairs.heads[pair]!
  pairs.heads[pair] = pairs.tails[pair] = -1
  for (; node >= 0; node = pairs.nodeNext[node]!) {
    const place = pairs.nodePlaces[node]!
    const second = ids[place] === left ? next[place]! : -1
    if (second < 0 || ids[second] !== right) continue // an earlier merge took one of the two
    const count = list.countAt(place)
    const before = previous[place]!
    const after = next[second]!
    pairs.counts[pair]! -= count
    if (before >= 0) {
      pairs.remove(ids[before]!, left, count)
      pairs.add(ids[before]!, merged, before, count)
    }
    if (after >= 0) {
      pairs.remove(right, ids[after]!, count)
      pairs.add(merged, ids[after]!, place, count)
      previous[after] = place
    }
    ids[place] = merged
    ids[second] = -1
    next[place] = after
  }
}

/**
 * A heap of pairs, the most frequent first. A count that has shrunk since its pair was pushed is found out when it comes to the top,
 * and the pair put back; one that has grown is pushed again.
 */
const createQueue = (pairs: Pairs) => {
  let heap = new Int32Array(4096)
  let keys = new Float64Array(4096) // the count at the push
  let size = 0
  const isBefore = (pair: number, count: number, otherPair: number, otherCount: number): boolean => {
    if (count !== otherCount) return count > otherCount
    const left = pairs.lefts[pair]! - pairs.lefts[otherPair]!
    return left !== 0 ? left < 0 : pairs.rights[pair]! < pairs.rights[otherPair]!
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

/** Tokens by their bytes: two pairs that make the same bytes make the same token. */
const createVocabulary = (byteIds: Int32Array, firstId: number) => {
  const table = createByteStringTable()
  const idOf: number[] = []
  const bytesOf = new Map<number, Uint8Array>()
  for (let byte = 0; byte < 256; byte++) {
    const bytes = Uint8Array.of(byte)
    idOf[table.intern(bytes, 0, 1)] = byteIds[byte]!
    bytesOf.set(byteIds[byte]!, bytes)
  }
  const newTokens: Uint8Array[] = []
  return {
    get newTokens() {
      return newTokens.length
    },
    tokens: () => newTokens,
    join: (left: number, right: number): number => {
      const a = bytesOf.get(left)!
      const b = bytesOf.get(right)!
      const bytes = new Uint8Array(a.length + b.length)
      bytes.set(a)
      bytes.set(b, a.length)
      const index = table.intern(bytes, 0, bytes.length)
      if (idOf[index] !== undefined) return idOf[index]
      const id = firstId + newTokens.length
      idOf[index] = id
      bytesOf.set(id, bytes)
      newTokens.push(bytes)
      return id
    },
  }
}
