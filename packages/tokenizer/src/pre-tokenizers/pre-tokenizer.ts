// The cutting of a text into pieces, from the description in a tokenizer.json, and the description of a named or own pattern.
import { UnsupportedError, type Json } from '@weft/contracts'
import type { JsonField } from '../formats/json-field.ts'
import { knownSplitter, namedPatterns, splitDigits, splitGpt2 } from './known-patterns.ts'
import { patternSplitter } from './pattern-splitter.ts'
import { readMatcher } from './read-pattern.ts'
import { splitBehaviors, type SplitBehavior } from './stretches.ts'
import type { Splitter } from './pieces.ts'

export interface PreTokenizer {
  readonly splitters: readonly Splitter[]
  /** Whether a space is put before a text that does not begin with one. */
  readonly prefixSpace: boolean
}

/**
 * How text is cut before merging: a named pattern, or a regular expression. `\s`, `\d`, `\w` of an own expression mean the Unicode
 * classes and `^`, `$` the ends of every line, as in a tokenizer.json; text that it does not match becomes pieces too.
 */
export type SplitPattern = keyof typeof namedPatterns | RegExp

/** The pattern as a tokenizer.json writes it. */
export const patternText = (pattern: SplitPattern): string => {
  if (typeof pattern === 'string') return namedPatterns[pattern]
  const source = pattern.source.replace(/\\([pP])\{(?:Script|sc|Script_Extensions|scx)=(\w+)\}/g, '\\$1{$2}')
  if (pattern.dotAll) throw new UnsupportedError(`pattern ${pattern}: the flag s is not supported, write [\\s\\S]`)
  return pattern.ignoreCase ? `(?i:${source})` : source
}

export const describePreTokenizer = (pattern: string): Json => {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: pattern === namedPatterns.gpt2 }
  if (byteLevel.use_regex) return byteLevel
  return { type: 'Sequence', pretokenizers: [{ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }, byteLevel] }
}

/** @throws UnsupportedError for a component that is not known here, or a chain that does not end in one ByteLevel. */
export const readPreTokenizer = (field: JsonField): PreTokenizer => {
  if (field.isAbsent()) throw field.unsupported('a BPE tokenizer without a ByteLevel pre-tokenizer')
  const steps = flatten(field)
  const last = steps.at(-1)
  if (last === undefined || last.get('type').string() !== 'ByteLevel') {
    throw (last ?? field).unsupported(`a BPE tokenizer whose pre-tokenizer ends in ${last?.get('type').string() ?? 'nothing'}, not in ByteLevel,`)
  }
  const prefixSpace = last.get('add_prefix_space').booleanOr(true)
  if (prefixSpace && steps.length > 1) throw last.unsupported('add_prefix_space behind another pre-tokenizer')
  const splitters = steps.slice(0, -1).map(readStep)
  return { splitters: last.get('use_regex').booleanOr(true) ? [...splitters, splitGpt2] : splitters, prefixSpace }
}

const flatten = (field: JsonField): readonly JsonField[] =>
  field.get('type').string() === 'Sequence' ? field.get('pretokenizers').items().flatMap(flatten) : [field]

const readStep = (field: JsonField): Splitter => {
  const type = field.get('type').string()
  if (type === 'Digits') return splitDigits(field.get('individual_digits').booleanOr(false))
  if (type === 'Split') return readSplit(field)
  throw field.get('type').unsupported(`the pre-tokenizer ${type}${type === 'ByteLevel' ? ' before another one' : ''}`)
}

const readSplit = (field: JsonField): Splitter => {
  const behavior = field.get('behavior').string() as SplitBehavior
  if (!splitBehaviors.includes(behavior)) throw field.get('behavior').wrong(`one of ${splitBehaviors.join(', ')}`)
  const invert = field.get('invert').booleanOr(false)
  const source = field.get('pattern').get('Regex')
  // These patterns match all of a text, so that both of these keep each match as a piece.
  const keepsMatches = behavior === 'Isolated' || (behavior === 'Removed' && invert)
  const known = keepsMatches && !source.isAbsent() ? knownSplitter(source.string()) : undefined
  return known ?? patternSplitter(readMatcher(field.get('pattern')), behavior, invert)
}
