// The substrings that occur again and again in a text, found by sorting its suffixes: the nodes of the suffix tree up to a depth. Prefix
// doubling needs ⌈log2 depth⌉ rounds of counting sort, so the time is linear in the text.
// Reference: Karp, Miller, Rosenberg 1972 (doubling); Abouelhoda, Kurtz, Ohlebusch 2004 (intervals of common prefixes).

export interface RepeatedSubstrings {
  readonly count: number
  /** Where one occurrence of each begins. */
  readonly places: Int32Array
  /** Below 2 where it is too short, too long or crosses a separator: to be passed over. */
  readonly lengths: Int32Array
  /** How often each occurs, overlaps counted. */
  readonly frequencies: Int32Array
  /** The longest of them (also of those to pass over) that is a proper prefix of this one, −1 where none is. */
  readonly parents: Int32Array
  /** For each place of the text, the longest of them (also of those to pass over) that begins there, −1 where none does. */
  readonly longestAt: Int32Array
}

/**
 * All substrings of two or more symbols that occur at least twice and not always with the same symbol behind them.
 * @param text symbols; 0 separates the parts, and is in no substring.
 * @param maxLength the longest to look for.
 */
export const findRepeatedSubstrings = (text: Int32Array, maxLength: number): RepeatedSubstrings => {
  const order = sortSuffixes(text, maxLength + 1)
  const common = commonPrefixes(text, order, maxLength + 1)
  return collectNodes(text, order, common, maxLength)
}

/** Places of the text, sorted by what begins there, as far as `depth` symbols. */
const sortSuffixes = (text: Int32Array, depth: number): Int32Array => {
  const { length } = text
  let ranks = denseRanks(text)
  let order = sortBy(Int32Array.from({ length }, (_, place) => place), ranks.ranks, ranks.count)
  const shifted = new Int32Array(length)
  for (let width = 1; width < depth && ranks.count < length; width *= 2) {
    // Sorted by the second half: places whose second half lies beyond the end come first.
    let at = 0
    for (let place = Math.max(0, length - width); place < length; place++) shifted[at++] = place
    for (let i = 0; i < length; i++) if (order[i]! >= width) shifted[at++] = order[i]! - width
    order = sortBy(shifted, ranks.ranks, ranks.count)
    ranks = ranksOfPairs(order, ranks.ranks, width)
  }
  return order
}

interface Ranks {
  readonly ranks: Int32Array
  readonly count: number
}

/** Symbols as 0, 1, 2 … in their order. */
const denseRanks = (text: Int32Array): Ranks => {
  const symbols = Int32Array.from(new Set(text)).sort()
  const rankOf = new Map(Array.from(symbols, (symbol, rank) => [symbol, rank]))
  return { ranks: text.map((symbol) => rankOf.get(symbol)!), count: symbols.length }
}

/** A stable counting sort of `places` by their rank. */
const sortBy = (places: Int32Array, ranks: Int32Array, rankCount: number): Int32Array => {
  const starts = new Int32Array(rankCount + 1)
  for (let i = 0; i < places.length; i++) starts[ranks[i]! + 1]!++
  for (let rank = 0; rank < rankCount; rank++) starts[rank + 1]! += starts[rank]!
  const sorted = new Int32Array(places.length)
  for (let i = 0; i < places.length; i++) sorted[starts[ranks[places[i]!]!]!++] = places[i]!
  return sorted
}

const ranksOfPairs = (order: Int32Array, old: Int32Array, width: number): Ranks => {
  const { length } = order
  const ranks = new Int32Array(length)
  let count = 0
  for (let i = 0; i < length; i++) {
    const place = order[i]!
    if (i > 0) {
      const before = order[i - 1]!
      const second = place + width < length ? old[place + width]! : -1
      const secondBefore = before + width < length ? old[before + width]! : -1
      if (old[place] !== old[before] || second !== secondBefore) count++
    }
    ranks[place] = count
  }
  return { ranks, count: count + 1 }
}

/** How many symbols each suffix shares with the one sorted before it, at most `depth`. */
const commonPrefixes = (text: Int32Array, order: Int32Array, depth: number): Uint8Array | Uint16Array => {
  const common = depth < 256 ? new Uint8Array(order.length) : new Uint16Array(order.length)
  for (let i = 1; i < order.length; i++) {
    const a = order[i - 1]!
    const b = order[i]!
    const limit = Math.min(depth, text.length - Math.max(a, b))
    let shared = 0
    while (shared < limit && text[a + shared] === text[b + shared]) shared++
    common[i] = shared
  }
  return common
}

const collectNodes = (text: Int32Array, order: Int32Array, common: ArrayLike<number>, maxLength: number): RepeatedSubstrings => {
  const nodes = createNodeList()
  const longestAt = new Int32Array(order.length)
  const untilEnd = symbolsUntilSeparator(text)
  // The open intervals of suffixes, each longer than the one below.
  const depths = new Int32Array(maxLength + 2)
  const starts = new Int32Array(maxLength + 2)
  const openNodes = new Int32Array(maxLength + 2).fill(-1)
  let top = 0
  const open = (depth: number, start: number, place: number): void => {
    depths[++top] = depth
    starts[top] = start
    openNodes[top] = nodes.add(place, depth <= maxLength && depth <= untilEnd[place]! ? depth : 0)
  }
  for (let i = 0; i < order.length; i++) {
    const shared = i + 1 < order.length ? common[i + 1]! : 0
    if (shared > depths[top]!) open(shared, i, order[i]!)
    longestAt[order[i]!] = openNodes[top]!
    while (shared < depths[top]!) {
      const start = starts[top]!
      const node = openNodes[top--]!
      if (shared > depths[top]!) open(shared, start, order[i]!) // all of these share that much with the next
      nodes.close(node, i + 1 - start, openNodes[top]!)
    }
  }
  return { ...nodes.finish(), longestAt }
}

const symbolsUntilSeparator = (text: Int32Array): Int32Array => {
  const until = new Int32Array(text.length)
  let left = 0
  for (let place = text.length - 1; place >= 0; place--) until[place] = left = text[place] === 0 ? 0 : left + 1
  return until
}

const createNodeList = () => {
  let places = new Int32Array(4096)
  let lengths = new Int32Array(4096)
  let frequencies = new Int32Array(4096)
  let parents = new Int32Array(4096)
  let count = 0
  const enlarged = (from: Int32Array): Int32Array<ArrayBuffer> => {
    const grown = new Int32Array(from.length * 2)
    grown.set(from)
    return grown
  }
  return {
    add: (place: number, length: number): number => {
      if (count === places.length) {
        places = enlarged(places)
        lengths = enlarged(lengths)
        frequencies = enlarged(frequencies)
        parents = enlarged(parents)
      }
      places[count] = place
      lengths[count] = length
      return count++
    },
    close: (node: number, frequency: number, parent: number): void => {
      frequencies[node] = frequency
      parents[node] = parent
    },
    finish: () => ({ count, places, lengths, frequencies, parents }),
  }
}
