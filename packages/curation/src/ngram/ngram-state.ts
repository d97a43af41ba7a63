// Reading an n-gram model: a state is where the last tokens stand in the trie, for every length that was seen.
import { discountOf } from './discounts.ts'
import type { NgramModel } from './ngram-model.ts'

/** Places of the n-grams that end the context, by length − 1; it ends where a length was never seen. Not changed once made. */
export type NgramState = readonly number[]

/** The beginning of a text. */
export const startState = (model: NgramModel): NgramState => (model.order === 1 ? [] : [model.startId])

/** The state after one more token. */
export const advance = (model: NgramModel, state: NgramState, token: number): NgramState => {
  if (model.order === 1) return []
  const next = [token]
  for (let length = 2; length < model.order && length - 2 < state.length; length++) {
    const place = findChild(model, length, state[length - 2]!, token)
    if (place === -1) break
    next.push(place)
  }
  return next
}

/** Place in the level of n-grams of this length, or −1. */
const findChild = (model: NgramModel, length: number, prefix: number, token: number): number => {
  const starts = model.levels[length - 2]!.childStarts!
  const { tokens } = model.levels[length - 1]!
  let low = starts[prefix]!
  let high = starts[prefix + 1]! - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    if (tokens[middle] === token) return middle
    if (tokens[middle]! < token) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** p(token | state), > 0. */
export const probability = (model: NgramModel, state: NgramState, token: number): number => {
  let p = model.unigrams[token]!
  for (const [i, context] of state.entries()) {
    const { childTotals, backoffs } = model.levels[i]!
    const total = childTotals![context]!
    if (total === 0) break // seen at the end of texts only
    const place = findChild(model, i + 2, context, token)
    const { counts, discounts } = model.levels[i + 1]!
    const count = place === -1 ? 0 : counts[place]!
    p = (count - discountOf(discounts, count)) / total + backoffs![context]! * p
  }
  return p
}

/** p of every token, [vocabSize]. */
export const distribution = (model: NgramModel, state: NgramState): Float64Array => {
  const p = model.unigrams.slice()
  for (const [i, context] of state.entries()) {
    const { childTotals, childStarts, backoffs } = model.levels[i]!
    const total = childTotals![context]!
    if (total === 0) break
    const backoff = backoffs![context]!
    for (let token = 0; token < p.length; token++) p[token]! *= backoff
    const { tokens, counts, discounts } = model.levels[i + 1]!
    for (let place = childStarts![context]!; place < childStarts![context + 1]!; place++) {
      p[tokens[place]!]! += (counts[place]! - discountOf(discounts, counts[place]!)) / total
    }
  }
  return p
}

/** The likeliest token; the lowest id of equals. */
export const likeliest = (model: NgramModel, state: NgramState): number => {
  const [context] = state
  if (context === undefined) return argMax(model.unigrams)
  // Only what once followed the last token can beat the most frequent token of all.
  const { childStarts } = model.levels[0]!
  const { tokens } = model.levels[1]!
  let best = argMax(model.unigrams)
  let bestP = probability(model, state, best)
  for (let place = childStarts![context]!; place < childStarts![context + 1]!; place++) {
    const token = tokens[place]!
    const p = probability(model, state, token)
    if (p > bestP || (p === bestP && token < best)) [best, bestP] = [token, p]
  }
  return best
}

const maxima = new WeakMap<Float64Array, number>()

const argMax = (values: Float64Array): number => {
  let best = maxima.get(values)
  if (best !== undefined) return best
  best = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  maxima.set(values, best)
  return best
}
