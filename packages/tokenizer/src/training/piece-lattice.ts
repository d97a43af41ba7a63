// Every way to cut the distinct words of a corpus into pieces, as one table of edges: which pieces begin at each place. It is built once
// from the seed and only shrinks; expectations and best paths are sums and maxima along it.
import { exactExp, exactLog } from './exact-math.ts'

/** Distinct words as code points, each with a 0 behind it. */
export interface CountedWords {
  readonly text: Int32Array
  /** One more than there are words. */
  readonly starts: Int32Array
  readonly counts: Float64Array
}

/** Where a piece occurs and how long it is: its text. */
export interface PieceTable {
  count: number
  readonly places: Int32Array
  readonly lengths: Int32Array
}

export interface PieceLattice {
  /** Visits nothing new: piece i becomes piece `newIds[i]`, or is gone where that is negative. */
  renumber(newIds: Int32Array): void
  /** Adds to `expected` how often each piece occurs on average over all ways to cut; returns the log-likelihood of the words. */
  expect(scores: Float64Array, expected: Float64Array): number
  /**
   * The best way to cut [start, end); `banned` is a piece that must not be the whole. Leaves the ids in `path`, the last first, −1 for a
   * character without a piece, and returns how many there are.
   */
  bestPath(scores: Float64Array, start: number, end: number, banned?: number): number
  readonly path: Int32Array
  /** The score of the path that was found last; −Infinity where there was none. */
  readonly pathScore: number
}

/** How far below the least likely piece a character without a piece is. */
const unknownPenalty = 10

/**
 * @param firstEdges where the edges of each place begin in `edges`, one more than places; those of a place by their length.
 */
export const createPieceLattice = (words: CountedWords, pieces: PieceTable, firstEdges: Int32Array, edges: Int32Array): PieceLattice => {
  const { starts, counts } = words
  const lastEdges = firstEdges.slice(1)
  const lengths = pieces.lengths.slice()
  let longest = 0
  for (let word = 0; word < counts.length; word++) longest = Math.max(longest, starts[word + 1]! - starts[word]!)
  const forward = new Float64Array(longest + 1)
  const backward = new Float64Array(longest + 1)
  const cameBy = new Int32Array(longest + 1)
  const path = new Int32Array(longest + 1)
  let pathScore = 0
  let leastOf: Float64Array | undefined
  let leastScore = 0
  let perCharacter = 3 // nats: weights are scaled by it so that products stay near one; any value gives the same result

  const hasSingle = (place: number): boolean => firstEdges[place]! < lastEdges[place]! && lengths[edges[firstEdges[place]!]!] === 1

  /** Along one word with plain products; false where they leave the range of doubles. */
  const expectPlainly = (word: number, weights: Float64Array, unknownWeight: number, expected: Float64Array): number => {
    const start = starts[word]!
    const size = starts[word + 1]! - 1 - start
    forward.fill(0, 0, size + 1)
    forward[0] = 1
    for (let i = 0; i < size; i++) {
      const sum = forward[i]!
      if (!(sum > 1e-100 && sum < 1e100)) return NaN
      const place = start + i
      for (let edge = firstEdges[place]!; edge < lastEdges[place]!; edge++) {
        const piece = edges[edge]!
        forward[i + lengths[piece]!]! += sum * weights[piece]!
      }
      if (!hasSingle(place)) forward[i + 1]! += sum * unknownWeight
    }
    const total = forward[size]!
    if (!(total > 1e-100 && total < 1e100)) return NaN
    const share = counts[word]! / total
    backward[size] = 1
    for (let i = size - 1; i >= 0; i--) {
      const place = start + i
      const before = forward[i]! * share
      let sum = 0
      for (let edge = firstEdges[place]!; edge < lastEdges[place]!; edge++) {
        const piece = edges[edge]!
        const path = weights[piece]! * backward[i + lengths[piece]!]!
        sum += path
        expected[piece]! += before * path
      }
      backward[i] = hasSingle(place) ? sum : sum + unknownWeight * backward[i + 1]!
    }
    return exactLog(total) - perCharacter * size
  }

  /** The same with logarithms, for words of any length. */
  const expectInLogs = (word: number, scores: Float64Array, unknown: number, expected: Float64Array): number => {
    const start = starts[word]!
    const size = starts[word + 1]! - 1 - start
    forward.fill(-Infinity, 0, size + 1)
    backward.fill(-Infinity, 0, size + 1)
    forward[0] = backward[size] = 0
    for (let i = 0; i < size; i++) {
      const place = start + i
      for (let edge = firstEdges[place]!; edge < lastEdges[place]!; edge++) {
        const piece = edges[edge]!
        const to = i + lengths[piece]!
        forward[to] = logAdd(forward[to]!, forward[i]! + scores[piece]!)
      }
      if (!hasSingle(place)) forward[i + 1] = logAdd(forward[i + 1]!, forward[i]! + unknown)
    }
    const total = forward[size]!
    for (let i = size - 1; i >= 0; i--) {
      const place = start + i
      let sum = hasSingle(place) ? -Infinity : unknown + backward[i + 1]!
      for (let edge = firstEdges[place]!; edge < lastEdges[place]!; edge++) {
        const piece = edges[edge]!
        const path = scores[piece]! + backward[i + lengths[piece]!]!
        sum = logAdd(sum, path)
        expected[piece]! += counts[word]! * exactExp(forward[i]! + path - total)
      }
      backward[i] = sum
    }
    return total
  }

  return {
    renumber: (newIds) => {
      const old = lengths.slice()
      for (let id = 0; id < newIds.length; id++) if (newIds[id]! >= 0) lengths[newIds[id]!] = old[id]!
      for (let place = 0; place < lastEdges.length; place++) {
        let to = firstEdges[place]!
        for (let edge = to; edge < lastEdges[place]!; edge++) {
          const id = newIds[edges[edge]!]!
          if (id >= 0) edges[to++] = id
        }
        lastEdges[place] = to
      }
    },
    expect: (scores, expected) => {
      const unknown = least(scores) - unknownPenalty
      const weights = scores.map((score, piece) => exactExp(score + perCharacter * lengths[piece]!))
      const unknownWeight = exactExp(unknown + perCharacter)
      let logLikelihood = 0
      let characters = 0
      for (let word = 0; word < counts.length; word++) {
        let own = expectPlainly(word, weights, unknownWeight, expected)
        if (Number.isNaN(own)) own = expectInLogs(word, scores, unknown, expected)
        logLikelihood += counts[word]! * own
        characters += counts[word]! * (starts[word + 1]! - 1 - starts[word]!)
      }
      if (characters > 0) perCharacter = -logLikelihood / characters
      return logLikelihood
    },
    bestPath: (scores, start, end, banned = -1) => {
      const unknown = least(scores) - unknownPenalty
      const size = end - start
      forward.fill(-Infinity, 0, size + 1)
      forward[0] = 0
      for (let i = 0; i < size; i++) {
        const place = start + i
        const score = forward[i]!
        for (let edge = firstEdges[place]!; edge < lastEdges[place]!; edge++) {
          const piece = edges[edge]!
          const to = i + lengths[piece]!
          if (to > size || (piece === banned && to - i === size)) continue
          // Of equals the one that began first stays: its last piece is the longest
          const sum = score + scores[piece]!
          if (sum <= forward[to]!) continue
          forward[to] = sum
          cameBy[to] = piece
        }
        if (!hasSingle(place) && score + unknown > forward[i + 1]!) {
          forward[i + 1] = score + unknown
          cameBy[i + 1] = -1
        }
      }
      pathScore = forward[size]!
      let count = 0
      for (let at = pathScore === -Infinity ? 0 : size; at > 0; count++) {
        const piece = cameBy[at]!
        path[count] = piece
        at -= piece < 0 ? 1 : lengths[piece]!
      }
      return count
    },
    path,
    get pathScore() {
      return pathScore
    },
  }

  function least(scores: Float64Array): number {
    if (leastOf !== scores) {
      leastOf = scores
      leastScore = Infinity
      for (let i = 0; i < scores.length; i++) if (scores[i]! < leastScore) leastScore = scores[i]!
    }
    return leastScore
  }
}

const logAdd = (a: number, b: number): number => {
  if (a === -Infinity) return b
  if (b === -Infinity) return a
  const high = Math.max(a, b)
  return high + exactLog(1 + exactExp(Math.min(a, b) - high))
}
