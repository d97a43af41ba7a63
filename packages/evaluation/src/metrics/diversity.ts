// How varied generated text is: distinct n-grams over a set of texts, repetition within one.
import { wordsOf } from './text-units.ts'

/** A text, cut into words by this module's own rule, or units of the caller's, such as token ids. */
export type Sequence = string | readonly (string | number)[]

const unitsOf = (sequence: Sequence): readonly (string | number)[] => (typeof sequence === 'string' ? wordsOf(sequence) : sequence)

/** Units to dense ids, so that n-grams of words and of numbers get unambiguous keys. */
const numbered = (units: readonly (string | number)[], ids: Map<string | number, number>): number[] =>
  units.map((unit) => {
    const id = ids.get(unit) ?? ids.size
    ids.set(unit, id)
    return id
  })

function* nGramKeys(ids: readonly number[], n: number): Generator<string> {
  for (let start = 0; start + n <= ids.length; start++) yield ids.slice(start, start + n).join(' ')
}

/**
 * distinct-n: different n-grams / all n-grams, over all the texts together, 0 to 1. More text has fewer new n-grams, so compare
 * sets of like size only. NaN where no text is n units long.
 *
 * @see Li et al. 2016, "A diversity-promoting objective function for neural conversation models".
 */
export const distinctN = ({ texts, n }: { readonly texts: readonly Sequence[]; readonly n: number }): number => {
  const ids = new Map<string | number, number>()
  const seen = new Set<string>()
  let total = 0
  for (const text of texts) {
    for (const key of nGramKeys(numbered(unitsOf(text), ids), n)) {
      seen.add(key)
      total++
    }
  }
  return seen.size / total
}

/**
 * The share of a text's n-grams that occurred in it before: 1 − different / all, 0 (never repeats) to near 1 (a loop). 0 for a text
 * shorter than n.
 *
 * @param options.n default 4.
 * @see Welleck et al. 2020, "Neural text generation with unlikelihood training" (seq-rep-n).
 */
export const repetition = ({ text, n = 4 }: { readonly text: Sequence; readonly n?: number }): number => {
  const ids = numbered(unitsOf(text), new Map())
  return ids.length < n ? 0 : 1 - new Set(nGramKeys(ids, n)).size / (ids.length - n + 1)
}

/**
 * The length, in units, of the longest run that occurs at least twice in the text (the two may overlap): 0 for a text in which every
 * word is new. Linear in the text's length.
 *
 * A suffix automaton: each state stands for the runs that end at the same places, and `longest` is the longest of them.
 *
 * @see Blumer et al. 1985, "The smallest automaton recognizing the subwords of a text".
 */
export const longestRepeat = (text: Sequence): number => {
  const states: State[] = [{ longest: 0, link: -1, next: new Map(), ends: 0 }]
  let last = 0
  for (const id of numbered(unitsOf(text), new Map())) last = extend(states, last, id)
  // Longer runs first, so that each state's ends are complete before they are added to its link's.
  const order = states.map((_, index) => index).sort((a, b) => states[b]!.longest - states[a]!.longest)
  for (const index of order) {
    const { link, ends } = states[index]!
    if (link >= 0) states[link]!.ends += ends
  }
  return states.reduce((best, state) => (state.ends > 1 && state.link >= 0 ? Math.max(best, state.longest) : best), 0)
}

interface State {
  longest: number
  link: number
  next: Map<number, number>
  ends: number
}

const extend = (states: State[], last: number, id: number): number => {
  const added = states.push({ longest: states[last]!.longest + 1, link: 0, next: new Map(), ends: 1 }) - 1
  let at = last
  for (; at >= 0 && !states[at]!.next.has(id); at = states[at]!.link) states[at]!.next.set(id, added)
  if (at < 0) return added
  const target = states[at]!.next.get(id)!
  if (states[target]!.longest === states[at]!.longest + 1) {
    states[added]!.link = target
    return added
  }
  const split =
    states.push({ longest: states[at]!.longest + 1, link: states[target]!.link, next: new Map(states[target]!.next), ends: 0 }) - 1
  for (; at >= 0 && states[at]!.next.get(id) === target; at = states[at]!.link) states[at]!.next.set(id, split)
  states[target]!.link = split
  states[added]!.link = split
  return added
}
