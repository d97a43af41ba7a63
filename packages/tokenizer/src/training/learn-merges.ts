// Learning byte-pair merges: again and again the most frequent adjacent pair becomes a token, of equals the one with the smallest ids
// (left, then right), which is the order of huggingface/tokenizers' BpeTrainer. Counts are kept, not recounted: all pieces lie in one
// linked list of symbols, each pair knows its places, and a merge touches those alone; so the whole costs a small multiple of the
// text's distinct pieces, whatever the number of merges.
import { createByteStringTable } from '../text/byte-string-table.ts'
import { createPairs, type Pairs } from './pair-counts.ts'
import { createPairQueue } from './pair-queue.ts'
import type { CountedPieces } from './piece-counts.ts'

export interface LearnedMerges {
  /** Left, right and merged ids in the order in which they were learned. */
  readonly triples: Int32Array
  /** The bytes of each new token; the first has the id `firstId`. */
  readonly tokens: readonly Uint8Array[]
}

/** Pieces as symbols in a row. */
export interface CountedSymbols {
  readonly symbols: Int32Array
  /** One more than there are pieces. */
  readonly starts: Int32Array
  /** How often each occurs. */
  readonly counts: Float64Array
}

/** What becomes of two symbols. */
export interface MergeVocabulary {
  readonly newTokens: number
  /** The id of the two together, a new or a known one; −1 where they must not be merged. */
  join(left: number, right: number): number
  /** Which of two equally frequent pairs goes first; absent: the one with the smallest ids. */
  isBefore?(left: number, right: number, otherLeft: number, otherRight: number): boolean
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
  const { firstId, byteIds, pieces, ...limits } = options
  const vocabulary = createVocabulary(byteIds, firstId)
  const symbols = Int32Array.from(pieces.bytes, (byte) => byteIds[byte]!)
  const triples = yield* learnMergesOf({ ...limits, vocabulary, pieces: { symbols, starts: pieces.starts, counts: pieces.counts } })
  return { triples, tokens: vocabulary.tokens() }
}

/** The same over any symbols. @returns left, right and merged ids of every merge. */
export function* learnMergesOf(options: {
  readonly pieces: CountedSymbols
  readonly vocabulary: MergeVocabulary
  readonly maxNewTokens: number
  readonly minFrequency: number
}): Generator<number, Int32Array> {
  const { maxNewTokens, vocabulary } = options
  const minFrequency = Math.max(1, options.minFrequency)
  const list = createSymbolList(options.pieces)
  const pairs = createPairs(list.length)
  const queue = createPairQueue(pairs, vocabulary.isBefore)
  countAll(list, pairs)
  for (let pair = 0; pair < pairs.size; pair++) queue.push(pair)

  const triples: number[] = []
  let steps = 0
  for (let pair = queue.pop(); pair >= 0 && vocabulary.newTokens < maxNewTokens; pair = queue.pop()) {
    if (pairs.counts[pair]! < minFrequency) break
    const left = pairs.lefts[pair]!
    const right = pairs.rights[pair]!
    const merged = vocabulary.join(left, right)
    if (merged < 0) continue
    triples.push(left, right, merged)
    mergeEverywhere(list, pairs, pair, merged)
    pairs.takeChanged((changed) => queue.push(changed))
    if (++steps % 256 === 0) yield vocabulary.newTokens
  }
  return Int32Array.from(triples)
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

const createSymbolList = ({ symbols, starts, counts }: CountedSymbols): SymbolList => {
  const { length } = symbols
  const ids = symbols.slice()
  const next = new Int32Array(length)
  const previous = new Int32Array(length)
  const pieceOf = new Int32Array(length)
  for (let piece = 0; piece < counts.length; piece++) {
    const start = starts[piece]!
    const end = starts[piece + 1]!
    for (let place = start; place < end; place++) {
      next[place] = place + 1 < end ? place + 1 : -1
      previous[place] = place > start ? place - 1 : -1
      pieceOf[place] = piece
    }
  }
  return { length, ids, next, previous, countAt: (place) => counts[pieceOf[place]!]! }
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
