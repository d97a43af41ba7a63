// An n-gram model with interpolated modified Kneser-Ney smoothing (Chen & Goodman 1998) over a closed vocabulary: every token has a probability
// after every context, and they sum to one. Stored as a trie in sorted typed arrays: the n-grams that go on from one of the level below lie
// together, their last tokens ascending.
import { ConfigError, type Tokenizer } from '@weft/contracts'
import { discountOf, estimateDiscounts, type Discounts } from './discounts.ts'
import { createNgramCounter, type CountedLevel } from './ngram-counts.ts'

/** The n-grams of one length, sorted by their first n − 1 tokens' place in the level below, then by their last token. */
export interface NgramLevel {
  readonly discounts: Discounts
  readonly tokens: Uint32Array
  readonly counts: Uint32Array
  /** As contexts, absent for the longest: where the n-grams that go on from each begin, one entry more than n-grams. */
  readonly childStarts?: Uint32Array
  /** Σ counts of those. */
  readonly childTotals?: Float64Array
  /** What is left for shorter contexts, 0 to 1. */
  readonly backoffs?: Float64Array
}

/** Plain data; all it needs to be stored. */
export interface NgramModel {
  readonly order: number
  readonly vocabSize: number
  /** Tokens counted, ends included. */
  readonly numTokens: number
  /** Stands for the beginning of a text in contexts: vocabSize. */
  readonly startId: number
  /** p(token) without context, [vocabSize]. */
  readonly unigrams: Float64Array
  /** From length 1 (indexed by token; the start is the last) to `order`. */
  readonly levels: readonly NgramLevel[]
  /** The token that training put after each text, if the vocabulary has one. */
  readonly endId?: number
  readonly tokenizer: Tokenizer
}

export interface TrainNgramModelOptions {
  readonly texts: AsyncIterable<string> | Iterable<string>
  readonly tokenizer: Tokenizer
  /** 1 to 8; default 5. */
  readonly order?: number
  readonly signal?: AbortSignal
}

/**
 * Counts and smooths. Each text is a sequence of its own, closed by the tokenizer's first end token where it has one. Special tokens' texts are
 * plain text here.
 *
 * p(w | h) = max(c(hw) − D, 0) / c(h·) + backoff(h) · p(w | h without its first token), ending in 1 / vocabSize.
 *
 * @throws ConfigError for an order out of range or texts without a token.
 */
export const trainNgramModel = async (options: TrainNgramModelOptions): Promise<NgramModel> => {
  const { texts, tokenizer, order = 5, signal } = options
  if (!Number.isInteger(order) || order < 1 || order > 8) throw new ConfigError(`n-gram model: order: expected an integer from 1 to 8, got ${order}`)
  const { vocabSize } = tokenizer
  const endId = tokenizer.endIds[0]
  const counter = createNgramCounter(order, vocabSize)
  let pending = 0
  for await (const text of texts) {
    signal?.throwIfAborted()
    const tokens = tokenizer.encode(text, { addSpecialTokens: false, allowSpecial: false })
    counter.add(endId === undefined ? tokens : withEnd(tokens, endId))
    if ((pending += text.length + 1000) > 1_000_000) {
      pending = 0
      await new Promise((resolve) => setTimeout(resolve, 0)) // lets an abort through
    }
  }
  if (counter.numTokens() === 0) throw new ConfigError('n-gram model: texts: expected at least one token, got none')
  const levels = buildLevels(counter.unigramCounts, counter.levels())
  return {
    order, vocabSize, numTokens: counter.numTokens(), startId: counter.startId, levels, tokenizer,
    unigrams: smoothUnigrams(levels[0]!, vocabSize),
    ...(endId === undefined ? {} : { endId }),
  }
}

const withEnd = (tokens: Uint32Array, endId: number): Uint32Array => {
  const all = new Uint32Array(tokens.length + 1)
  all.set(tokens)
  all[tokens.length] = endId
  return all
}

const buildLevels = (unigramCounts: Uint32Array, counted: readonly CountedLevel[]): NgramLevel[] => {
  const numIds = unigramCounts.length
  const levels: NgramLevel[] = []
  let current: { readonly tokens: Uint32Array; readonly counts: Uint32Array } = { tokens: Uint32Array.from({ length: numIds }, (_, i) => i), counts: unigramCounts }
  let places = Int32Array.from({ length: numIds }, (_, i) => i) // index of the counter → place in the sorted level
  let discounts = estimateDiscounts(unigramCounts.subarray(0, numIds - 1))
  for (const next of counted) {
    const nextDiscounts = estimateDiscounts(next.counts)
    const sorted = sortLevel(next, places, current.tokens.length, numIds)
    levels.push({ ...current, discounts, ...contextsOf(sorted, nextDiscounts) })
    current = { tokens: sorted.tokens, counts: sorted.counts }
    places = sorted.places
    discounts = nextDiscounts
  }
  return [...levels, { ...current, discounts }]
}

interface SortedLevel {
  readonly tokens: Uint32Array
  readonly counts: Uint32Array
  readonly childStarts: Uint32Array
  readonly places: Int32Array<ArrayBuffer>
}

/** Two stable counting sorts: by the last token, then by the prefix. */
const sortLevel = ({ prefixes, tokens, counts }: CountedLevel, prefixPlaces: Int32Array, numPrefixes: number, numIds: number): SortedLevel => {
  const byToken = countingSort(tokens.length, numIds, (i) => tokens[i]!).order
  const { order, starts } = countingSort(tokens.length, numPrefixes, (i) => prefixPlaces[prefixes[i]!]!, byToken)
  const places = new Int32Array(tokens.length)
  for (let i = 0; i < order.length; i++) places[order[i]!] = i
  return { tokens: Uint32Array.from(order, (i) => tokens[i]!), counts: Uint32Array.from(order, (i) => counts[i]!), childStarts: starts, places }
}

const countingSort = (count: number, numKeys: number, keyOf: (item: number) => number, input?: Uint32Array): { order: Uint32Array; starts: Uint32Array } => {
  const starts = new Uint32Array(numKeys + 1)
  for (let item = 0; item < count; item++) starts[keyOf(item) + 1]!++
  for (let key = 0; key < numKeys; key++) starts[key + 1]! += starts[key]!
  const next = starts.slice(0, numKeys)
  const order = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    const item = input ? input[i]! : i
    order[next[keyOf(item)]!++] = item
  }
  return { order, starts }
}

/** For each n-gram as a context: the sum of what goes on from it, and what smoothing takes from it. */
const contextsOf = ({ childStarts, counts }: SortedLevel, discounts: Discounts): Required<Pick<NgramLevel, 'childStarts' | 'childTotals' | 'backoffs'>> => {
  const numContexts = childStarts.length - 1
  const childTotals = new Float64Array(numContexts)
  const backoffs = new Float64Array(numContexts)
  for (let context = 0; context < numContexts; context++) {
    let total = 0
    let taken = 0
    for (let i = childStarts[context]!; i < childStarts[context + 1]!; i++) {
      total += counts[i]!
      taken += discountOf(discounts, counts[i]!)
    }
    childTotals[context] = total
    backoffs[context] = total === 0 ? 1 : taken / total
  }
  return { childStarts, childTotals, backoffs }
}

const smoothUnigrams = ({ counts, discounts }: NgramLevel, vocabSize: number): Float64Array => {
  let total = 0
  let taken = 0
  for (let token = 0; token < vocabSize; token++) {
    total += counts[token]!
    taken += discountOf(discounts, counts[token]!)
  }
  return Float64Array.from({ length: vocabSize }, (_, token) => (counts[token]! - discountOf(discounts, counts[token]!) + taken / vocabSize) / total)
}
