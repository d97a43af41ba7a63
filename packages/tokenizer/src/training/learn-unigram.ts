// Learning a Unigram vocabulary: every repeated substring is a piece at first; expectation-maximization gives each its probability, and
// those whose loss the likelihood feels least are dropped, a quarter at a time, until the wanted number is left.
// Reference: Kudo 2018, arXiv:1804.10959; huggingface/tokenizers, models/unigram/trainer.rs, whose choices (seeds from distinct words,
// Bayesian M-step, order of the final cut) these are.
import { digamma, exactLog } from './exact-math.ts'
import { createPieceLattice, type CountedWords, type PieceLattice, type PieceTable } from './piece-lattice.ts'
import { findRepeatedSubstrings } from './repeated-substrings.ts'

export interface LearnedPieces {
  /** The most likely first. */
  readonly pieces: readonly { readonly piece: string; readonly score: number }[]
  /** Of the training words under the last probabilities, in nats, before the final cut. */
  readonly logLikelihood: number
}

export interface LearnUnigramOptions {
  readonly words: CountedWords
  /** Code points that get a piece even where no text holds them. */
  readonly alphabet?: readonly number[]
  /** The whole vocabulary, special tokens included. */
  readonly vocabSize: number
  /** How many of these are special: no pieces of their own. */
  readonly specialCount: number
  /** Longest piece in code points; default 16. */
  readonly maxPieceLength?: number
  /** How many pieces to begin with; default 1,000,000. */
  readonly seedSize?: number
  /** Which part stays at each pruning; default 0.75. */
  readonly shrinkingFactor?: number
  /** Rounds of expectation-maximization before each pruning; default 2. */
  readonly subIterations?: number
}

/** Pieces that are expected to occur less often are dropped. */
const leastExpected = 0.5
/** The piece for unknown characters, which the reference counts while it prunes. */
const unknownPiece = 1

/** @yields the number of pieces left, after every round. */
export function* learnUnigram(options: LearnUnigramOptions): Generator<number, LearnedPieces> {
  const { words, vocabSize, specialCount, shrinkingFactor = 0.75, subIterations = 2 } = options
  const { table, scores: seedScores, lattice } = seed(options)
  const wanted = Math.floor((vocabSize * 11) / 10) - unknownPiece // a tenth more, so that the final cut can choose
  let scores = seedScores
  let logLikelihood = 0
  for (;;) {
    for (let round = 0; round < subIterations; round++) {
      const expected = new Float64Array(table.count)
      logLikelihood = lattice.expect(scores, expected)
      scores = maximize(table, lattice, expected)
      yield table.count
    }
    if (table.count <= wanted) break
    const before = table.count
    scores = prune(words, table, lattice, scores, Math.max(wanted, Math.floor((before + unknownPiece) * shrinkingFactor) - unknownPiece))
    if (table.count === before) break
  }
  return { pieces: finish(words, table, scores, vocabSize - specialCount, options.alphabet ?? []), logLikelihood }
}

/** All characters, the most frequent first, then the repeated substrings by the text that they cover. */
const seed = ({ words, maxPieceLength = 16, seedSize = 1_000_000 }: LearnUnigramOptions): { table: PieceTable; scores: Float64Array; lattice: PieceLattice } => {
  const { text } = words
  const characters = countCharacters(words)
  const found = findRepeatedSubstrings(text, maxPieceLength)
  const weight = (node: number): number => found.frequencies[node]! * found.lengths[node]!
  const kept = Array.from({ length: found.count }, (_, node) => node)
    .filter((node) => found.lengths[node]! >= 2)
    .sort((a, b) => weight(b) - weight(a) || b - a)
    .slice(0, Math.max(0, seedSize - characters.length))
  const pieceOfNode = new Int32Array(found.count).fill(-1)
  const count = characters.length + kept.length
  const table: PieceTable = { count, places: new Int32Array(count), lengths: new Int32Array(count) }
  const weights = new Float64Array(count)
  const pieceOfCharacter = new Map<number, number>()
  characters.forEach(({ codePoint, place, frequency }, piece) => {
    pieceOfCharacter.set(codePoint, piece)
    table.places[piece] = place
    table.lengths[piece] = 1
    weights[piece] = frequency
  })
  kept.forEach((node, i) => {
    const piece = characters.length + i
    pieceOfNode[node] = piece
    table.places[piece] = found.places[node]!
    table.lengths[piece] = found.lengths[node]!
    weights[piece] = weight(node)
  })
  const total = exactLog(weights.reduce((sum, each) => sum + each, 0))
  const scores = weights.map((each) => exactLog(each) - total)
  const { firstEdges, edges } = edgesOf(text, found.longestAt, found.parents, pieceOfNode, pieceOfCharacter)
  return { table, scores, lattice: createPieceLattice(words, table, firstEdges, edges) }
}

const countCharacters = ({ text, starts, counts }: CountedWords): { codePoint: number; place: number; frequency: number }[] => {
  const found = new Map<number, { codePoint: number; place: number; frequency: number }>()
  for (let word = 0; word < counts.length; word++) {
    for (let place = starts[word]!; place < starts[word + 1]! - 1; place++) {
      const codePoint = text[place]!
      const character = found.get(codePoint)
      if (character === undefined) found.set(codePoint, { codePoint, place, frequency: counts[word]! })
      else character.frequency += counts[word]!
    }
  }
  return [...found.values()].sort((a, b) => b.frequency - a.frequency || a.codePoint - b.codePoint)
}

/** The pieces that begin at each place, the shortest first. */
const edgesOf = (text: Int32Array, longestAt: Int32Array, parents: Int32Array, pieceOfNode: Int32Array, pieceOfCharacter: ReadonlyMap<number, number>) => {
  const firstEdges = new Int32Array(text.length + 1)
  for (let place = 0; place < text.length; place++) {
    let size = text[place] === 0 ? 0 : 1
    for (let node = longestAt[place]!; node >= 0; node = parents[node]!) if (pieceOfNode[node]! >= 0) size++
    firstEdges[place + 1] = firstEdges[place]! + size
  }
  const edges = new Int32Array(firstEdges[text.length]!)
  for (let place = 0; place < text.length; place++) {
    let at = firstEdges[place + 1]!
    for (let node = longestAt[place]!; node >= 0; node = parents[node]!) if (pieceOfNode[node]! >= 0) edges[--at] = pieceOfNode[node]!
    if (text[place] !== 0) edges[--at] = pieceOfCharacter.get(text[place]!)!
  }
  return { firstEdges, edges }
}

/** Keeps the pieces in the given order. */
const keepOnly = (table: PieceTable, lattice: PieceLattice, kept: readonly number[]): void => {
  const newIds = new Int32Array(table.count).fill(-1)
  const places = Int32Array.from(kept, (piece) => table.places[piece]!)
  const lengths = Int32Array.from(kept, (piece) => table.lengths[piece]!)
  kept.forEach((piece, id) => {
    newIds[piece] = id
  })
  table.places.set(places)
  table.lengths.set(lengths)
  table.count = kept.length
  lattice.renumber(newIds)
}

/** Digamma in place of the logarithm: the variational step under a sparse prior, which starves rare pieces. */
const maximize = (table: PieceTable, lattice: PieceLattice, expected: Float64Array): Float64Array => {
  const kept: number[] = []
  let sum = 0
  for (let piece = 0; piece < table.count; piece++) {
    if (expected[piece]! < leastExpected) continue
    kept.push(piece)
    sum += expected[piece]!
  }
  const total = digamma(sum)
  const scores = Float64Array.from(kept, (piece) => digamma(expected[piece]!) - total)
  if (kept.length < table.count) keepOnly(table, lattice, kept)
  return scores
}

/**
 * Drops the pieces whose absence costs the least: each is replaced by the best of the other ways to write it. Those that are never
 * used in a best path go at once; those that cannot be written otherwise stay.
 */
const prune = (words: CountedWords, table: PieceTable, lattice: PieceLattice, scores: Float64Array, size: number): Float64Array => {
  const { used, total } = countBestPaths(words, table.count, lattice, scores)
  const totalWords = words.counts.reduce((sum, each) => sum + each, 0)
  const logTotal = exactLog(total)
  const kept: number[] = []
  const candidates: { piece: number; loss: number }[] = []
  for (let piece = 0; piece < table.count; piece++) {
    const start = table.places[piece]!
    const count = lattice.bestPath(scores, start, start + table.lengths[piece]!, piece)
    const isBest = scores[piece]! >= lattice.pathScore // the piece itself before other ways of the same score
    if (used[piece] === 0 && !(isBest && count === 0)) continue
    if (!isBest || count === 0) {
      kept.push(piece)
      continue
    }
    const logAlternatives = exactLog(total + used[piece]! * (count - 1))
    let alternative = 0
    for (let i = 0; i < count; i++) {
      const other = lattice.path[i]!
      alternative += exactLog((other < 0 ? 0 : used[other]!) + used[piece]!) - logAlternatives
    }
    candidates.push({ piece, loss: (used[piece]! / totalWords) * (exactLog(used[piece]!) - logTotal - alternative) })
  }
  candidates.sort((a, b) => b.loss - a.loss || a.piece - b.piece)
  for (const { piece } of candidates) {
    if (kept.length >= size) break
    kept.push(piece)
  }
  const keptScores = Float64Array.from(kept, (piece) => scores[piece]!)
  keepOnly(table, lattice, kept)
  return keptScores
}

const countBestPaths = ({ starts, counts }: CountedWords, pieceCount: number, lattice: PieceLattice, scores: Float64Array) => {
  const used = new Float64Array(pieceCount)
  let total = 0
  for (let word = 0; word < counts.length; word++) {
    const count = lattice.bestPath(scores, starts[word]!, starts[word + 1]! - 1)
    for (let i = 0; i < count; i++) if (lattice.path[i]! >= 0) used[lattice.path[i]!]! += counts[word]!
    total += counts[word]! * count
  }
  return { used, total }
}

/** Every character, then the others in the order in which pruning left them; sorted by their probability. */
const finish = (words: CountedWords, table: PieceTable, scores: Float64Array, pieceCount: number, alphabet: readonly number[]): LearnedPieces['pieces'] => {
  const found = new Map<string, number>()
  for (let piece = 0; piece < table.count; piece++) {
    const start = table.places[piece]!
    found.set(String.fromCodePoint(...words.text.subarray(start, start + table.lengths[piece]!)), scores[piece]!)
  }
  const least = scores.reduce((low, score) => Math.min(low, score), 0)
  const chosen = new Map<string, number>()
  let penalty = 0
  const characters = new Set(alphabet)
  for (let place = 0; place < words.text.length; place++) characters.add(words.text[place]!)
  characters.delete(0)
  for (const codePoint of [...characters].sort((a, b) => a - b)) {
    const character = String.fromCodePoint(codePoint)
    const score = found.get(character)
    chosen.set(character, score ?? least + penalty)
    if (score === undefined) penalty += 1e-4
  }
  for (const [piece, score] of found) {
    if (chosen.size >= pieceCount) break
    chosen.set(piece, score)
  }
  return Array.from(chosen, ([piece, score]) => ({ piece, score })).sort((a, b) => b.score - a.score || (a.piece < b.piece ? -1 : 1))
}
