// Swaps the gendered words of an English text, all in one pass, with the case of each word kept. "her" is "his" or "him" by what follows;
// the same rule read backwards tells "his" from "hers", so that swapping twice gives the text back. Where a word and its surroundings
// disagree with the rule ("gave him books" looks like "gave his books"), a reversible swap leaves that word alone.
import { ConfigError } from '@weft/contracts'
import { genderPairs } from './lexicon/gender-pairs.ts'
import type { Span } from './step.ts'
import { isFunctionWord, isModifier, isPredication, takesObject, takesBareVerb } from './pronoun-context.ts'

export interface GenderSwapOptions {
  /** [feminine, masculine], lower case, one to one; default: some 150 pairs of English. */
  readonly pairs?: readonly (readonly [string, string])[]
  /** First names to swap as well, [feminine, masculine] as written, one to one; default none. */
  readonly names?: readonly (readonly [string, string])[]
  /**
   * Whether swapping twice must give the text back (the default). If not, every pronoun is swapped by the best guess, and words without a
   * counterpart of their own go one way ("Ms" becomes "Mr").
   */
  readonly reversible?: boolean
}

export interface GenderSwap {
  /** The replacements in this text, first to last. */
  replacements(text: string): { readonly span: Span; readonly replacement: string }[]
}

const oneWay: readonly (readonly [string, string])[] = [['ms', 'mr'], ['miss', 'mr'], ['mister', 'mrs'], ['goddess', 'god'], ['hostess', 'host']]
const pronouns = new Set(['her', 'his', 'him', 'hers'])

interface Word {
  readonly text: string
  readonly lower: string
  readonly start: number
  readonly end: number
}

const wordPattern = /[\p{L}\p{M}\p{N}]+/gu
/** Nothing but white space, or that and an opening quote or bracket: the phrase goes on. Two line breaks end it. */
const longestGap = 200 // white space; what is longer is no sentence
const goesOn = /^(?!.*\n\s*\n)\s+["“‘([]?$/s

/** @throws ConfigError when a word stands in two pairs, which could not be swapped back. */
export const createGenderSwap = (options: GenderSwapOptions = {}): GenderSwap => {
  const { pairs = genderPairs, names = [], reversible = true } = options
  const partners = partnersOf(pairs, (word) => word.toLowerCase())
  const nameOf = partnersOf(names, (name) => name)
  if (!reversible) for (const [from, to] of oneWay) if (!partners.has(from)) partners.set(from, to)
  const feminine = new Map(pairs.flatMap(([a, b]) => [[a.toLowerCase(), a.toLowerCase()], [b.toLowerCase(), a.toLowerCase()]] as const))
  /** One form for both words of a pair: what the rules look at must not change with the swap. */
  const canonical = (word: Word | undefined): string => (word === undefined ? '' : pronouns.has(word.lower) ? 'her' : (feminine.get(word.lower) ?? word.lower))

  const swapped = (text: string, place: Place): string | undefined => {
    const { word } = place
    const name = nameOf.get(word.text)
    if (name !== undefined) return name
    const target = pronouns.has(word.lower) ? swapPronoun(word.lower, contextOf(text, place, canonical), reversible) : partners.get(word.lower)
    return target === undefined ? undefined : withCaseOf(word.text, target)
  }
  return {
    replacements: (text) => {
      const found: { span: Span; replacement: string }[] = []
      for (const place of placesIn(text)) {
        const { word } = place
        const replacement = swapped(text, place)
        if (replacement !== undefined && replacement !== word.text) found.push({ span: [word.start, word.end], replacement })
      }
      return found
    },
  }
}

/** A word and its neighbours: all that is looked at, so that a long text needs no list of its words. */
interface Place {
  readonly before?: Word | undefined
  readonly word: Word
  readonly next?: Word | undefined
  readonly afterNext?: Word | undefined
}

function* placesIn(text: string): Generator<Place> {
  let before: Word | undefined
  let word: Word | undefined
  let next: Word | undefined
  for (const match of text.matchAll(wordPattern)) {
    const afterNext = { text: match[0], lower: match[0].toLowerCase(), start: match.index, end: match.index + match[0].length }
    if (word) yield { before, word, next, afterNext }
    ;[before, word, next] = [word, next, afterNext]
  }
  if (word) yield { before, word, next }
  if (next) yield { before: word, word: next }
}

const partnersOf = (pairs: readonly (readonly [string, string])[], form: (word: string) => string): Map<string, string> => {
  const partners = new Map<string, string>()
  for (const [a, b] of pairs) {
    for (const [from, to] of [[form(a), form(b)], [form(b), form(a)]] as const) {
      if (partners.has(from) || pronouns.has(from.toLowerCase()) || from === to) {
        throw new ConfigError(`gender swap: expected every word in one pair (her, his, him and hers in none), got ${JSON.stringify(from)} again`)
      }
      if (!/^[\p{L}\p{M}\p{N}]+$/u.test(from)) throw new ConfigError(`gender swap: expected single words, got ${JSON.stringify(from)}`)
      partners.set(from, to)
    }
  }
  return partners
}

interface PronounContext {
  /** Whether "her" here would stand before its noun. */
  readonly herIsPossessive: boolean
  /** Whether "his" here would stand before its noun. */
  readonly hisIsPossessive: boolean
}

const swapPronoun = (word: string, context: PronounContext, reversible: boolean): string | undefined => {
  const { herIsPossessive, hisIsPossessive } = context
  const when = (isReversible: boolean, target: string): string | undefined => (isReversible || !reversible ? target : undefined)
  switch (word) {
    case 'her':
      return herIsPossessive ? when(hisIsPossessive, 'his') : 'him'
    case 'his':
      return hisIsPossessive ? when(herIsPossessive, 'her') : 'hers'
    case 'him':
      return when(!herIsPossessive, 'her')
    default:
      return when(!hisIsPossessive, 'his')
  }
}

type Canonical = (word: Word | undefined) => string

const contextOf = (text: string, place: Place, canonical: Canonical): PronounContext => {
  const next = following(text, place.word, place.next)
  const hisIsPossessive = next !== undefined && startsNounPhrase(next, following(text, next, place.afterNext), canonical)
  if (!hisIsPossessive) return { hisIsPossessive, herIsPossessive: false }
  const before = canonical(place.before)
  const after = canonical(next)
  // "let her go", "saw her leaving", "told her stories": an object, though a noun might have followed.
  const isObject = isPredication(before, after) || (takesBareVerb(before) && looksLikeVerb(after)) || (takesObject(before) && !nounFollows(after))
  return { hisIsPossessive, herIsPossessive: !isObject }
}

/** The next word if the phrase goes on to it. */
const following = (text: string, word: Word, next: Word | undefined): Word | undefined =>
  next !== undefined && goesOn.test(text.slice(word.end, Math.min(next.start, word.end + longestGap))) ? next : undefined

/** Whether a noun or what leads to one begins with this word. */
const startsNounPhrase = (word: Word, next: Word | undefined, canonical: Canonical): boolean => {
  if (isFunctionWord(canonical(word))) return false
  return !isModifier(canonical(word)) || (next !== undefined && !isFunctionWord(canonical(next)))
}

const commonVerbs = new Set(
  (
    'be become believe bring call carry change choose come cry dance decide die do eat enter fall feel fight find finish follow forget get give go grow ' +
    'have hear hold hurry keep know laugh learn leave lie listen live look lose make marry meet move open pass pay play put read realize remember rest ' +
    'return ride rise run say see seem sell send share show sing sit sleep smile speak stand start stay step stop suffer swim take talk tell think try ' +
    'turn understand use wait walk want watch wear weep win wonder work write'
  ).split(' '),
)

const looksLikeVerb = (word: string): boolean => commonVerbs.has(word) || /^.{3,}ing$/.test(word)

/** After a verb with two objects, a possessed noun is as likely as a second object; these are nearly always possessed. */
const nounFollows = (word: string): boolean => possessed.has(word)

const possessed = new Set(
  (
    'name story mother sister daughter wife aunt niece friend friends family parents child children age hand hands eyes face heart mind life love secret story own ' +
    'opinion thoughts plan plans feelings attention house home room way'
  ).split(' '),
)

/** The target in the case of the word that it replaces; undefined where that case has no counterpart ("hEr"). */
const withCaseOf = (word: string, target: string): string | undefined => {
  if (word === word.toLowerCase()) return target
  const title = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
  if (word === title(word.toLowerCase())) return title(target)
  return word === word.toUpperCase() ? target.toUpperCase() : undefined
}
