// Pre-tokenizers as a tokenizer.json describes them, for text in UTF-16.
import type { JsonField } from '../formats/json-field.ts'
import { cutAtCharacter, cutBert, cutDigits, cutPunctuation, cutWhitespace, cutWords } from './character-cutters.ts'
import type { Matcher } from './matcher.ts'
import { metaspace, prefixSpace, toByteAlphabet, type PrependScheme } from './metaspace.ts'
import { namedPatterns } from './known-patterns.ts'
import { patternMatcher } from './pattern-matcher.ts'
import { cutting, type Cutter, type PieceStep } from './piece-step.ts'
import { readMatcher } from './read-pattern.ts'
import { emitStretches, splitBehaviors, stretchesOf, type SplitBehavior } from './stretches.ts'
import { cutScripts } from './unicode-scripts.ts'

/** @throws UnsupportedError for a component that is not known here. */
export const readPieceSteps = (field: JsonField): readonly PieceStep[] => {
  if (field.isAbsent()) return []
  const type = field.get('type').string()
  if (type === 'Sequence') return field.get('pretokenizers').items().flatMap(readPieceSteps)
  if (type === 'ByteLevel') return readByteLevel(field)
  if (type === 'Metaspace') return [readMetaspace(field)]
  const read = Object.hasOwn(cutters, type) ? cutters[type] : undefined
  if (read === undefined) throw field.get('type').unsupported(`the pre-tokenizer ${type}`)
  return [cutting(read(field))]
}

/** Whether a step asks where its text began in the original, and a step or a normalizer before it may have moved it. */
export const asksForOrigins = (field: JsonField, hasNormalizer: boolean): boolean => {
  const steps = flatten(field)
  const first = steps.findIndex((step) => step.get('type').value === 'Metaspace' && readScheme(step) === 'first')
  return first >= 0 && (hasNormalizer || steps.slice(0, first).some((step) => ['Metaspace', 'ByteLevel'].includes(step.get('type').string())))
}

const flatten = (field: JsonField): readonly JsonField[] => {
  if (field.isAbsent()) return []
  return field.get('type').value === 'Sequence' ? field.get('pretokenizers').items().flatMap(flatten) : [field]
}

/** The matcher is asked about each piece on its own, so that look-arounds end with it. */
const cutAtMatches =
  (matcher: Matcher, behavior: SplitBehavior, invert: boolean): Cutter =>
  (text, from, to, output) => {
    const part = from === 0 && to === text.length ? text : text.slice(from, to)
    emitStretches(stretchesOf(part.length, matcher(part), invert), behavior, from, output)
  }

const readBehavior = (field: JsonField, fallback?: SplitBehavior): SplitBehavior => {
  if (field.isAbsent() && fallback !== undefined) return fallback
  const behavior = field.string() as SplitBehavior
  if (!splitBehaviors.includes(behavior)) throw field.wrong(`one of ${splitBehaviors.join(', ')}`)
  return behavior
}

const readSplit = (field: JsonField): Cutter =>
  cutAtMatches(readMatcher(field.get('pattern')), readBehavior(field.get('behavior')), field.get('invert').booleanOr(false))

const readByteLevel = (field: JsonField): readonly PieceStep[] => [
  ...(field.get('add_prefix_space').booleanOr(true) ? [prefixSpace] : []),
  ...(field.get('use_regex').booleanOr(true)
    ? [cutting(cutAtMatches(patternMatcher(namedPatterns.gpt2, 'pattern'), 'Isolated', false))]
    : []),
  toByteAlphabet,
]

const readScheme = (field: JsonField): PrependScheme => {
  const scheme = field.get('prepend_scheme')
  const name = scheme.stringOr('always')
  if (name !== 'always' && name !== 'first' && name !== 'never') throw scheme.wrong('always, first or never')
  return field.get('add_prefix_space').booleanOr(true) ? name : 'never'
}

const readCharacter = (field: JsonField): string => {
  const text = field.string()
  if (Array.from(text).length !== 1) throw field.wrong('one character')
  return text
}

const readMetaspace = (field: JsonField): PieceStep =>
  metaspace(readCharacter(field.get('replacement')), readScheme(field), field.get('split').booleanOr(true))

const readFixedLength = (field: JsonField): Cutter => {
  const length = field.get('length').index(2 ** 31)
  if (length === 0) throw field.get('length').wrong('at least 1')
  return (text, from, to, output) => {
    const cuts = [0]
    let characters = 0
    for (let at = from; at < to; at++) {
      if ((text.charCodeAt(at) & 0xfc00) === 0xdc00) continue
      if (characters > 0 && characters % length === 0) cuts.push(at - from)
      characters++
    }
    cuts.push(to - from)
    emitStretches({ cuts, matched: cuts.slice(1).map(() => false) }, 'Isolated', from, output)
  }
}

const cutters: Readonly<Record<string, (field: JsonField) => Cutter>> = {
  BertPreTokenizer: () => cutBert,
  Whitespace: () => cutWords,
  WhitespaceSplit: () => cutWhitespace,
  CharDelimiterSplit: (field) => cutAtCharacter(readCharacter(field.get('delimiter'))),
  Punctuation: (field) => cutPunctuation(readBehavior(field.get('behavior'), 'Isolated')),
  Digits: (field) => cutDigits(field.get('individual_digits').booleanOr(false)),
  Split: readSplit,
  UnicodeScripts: () => cutScripts,
  FixedLength: readFixedLength,
}
