// Drops documents with listed words, as C4 did with its list of bad words: a phrase counts where no letter, digit or underscore adjoins
// it, in any case. One pass with a trie, whatever the number of phrases.
import { ConfigError } from '@weft/contracts'
import { blockedWords } from './blocked-words.ts'
import { checkInteger, checkNames, dropFor } from './limits.ts'
import { keep, pureStep, type Span, type Step } from './step.ts'

export interface BlocklistOptions {
  /** Words or phrases, in any case. Default: a short list of our own, of English obscenities and slurs. */
  readonly words?: readonly string[]
  /** How many occurrences a document may have and stay; default 0. */
  readonly maxHits?: number
  /** Substrings count too: for scripts without spaces between words. Default false. */
  readonly matchInsideWords?: boolean
  /** The name under which decisions record the rule; default `blocklist`. */
  readonly rule?: string
}

interface Node {
  readonly next: Map<number, Node>
  isEnd: boolean
}

const wordCharacter = /[\p{L}\p{N}_]/u

/** @throws ConfigError for an empty list or an empty phrase. */
export const blocklist = (options: BlocklistOptions = {}): Step => {
  const name = 'blocklist'
  checkNames(name, options, ['words', 'maxHits', 'matchInsideWords', 'rule'])
  const { words = blockedWords, maxHits = 0, matchInsideWords = false, rule = 'blocklist' } = options
  checkInteger(name, 'maxHits', maxHits, 0, Number.MAX_SAFE_INTEGER)
  const root = buildTrie(words)
  return pureStep(name, { words: [...words], maxHits, matchInsideWords, rule }, (document) => {
    const found = findPhrases(document.text, root, matchInsideWords)
    return found.count > maxHits && found.first ? dropFor(rule, found.count, maxHits, { span: found.first }) : keep(document)
  })
}

const buildTrie = (phrases: readonly string[]): Node => {
  if (phrases.length === 0) throw new ConfigError('blocklist: words: expected at least one word or phrase, got none')
  const root: Node = { next: new Map(), isEnd: false }
  for (const phrase of phrases) {
    if (typeof phrase !== 'string' || phrase.trim() === '') throw new ConfigError(`blocklist: words: expected text, got ${JSON.stringify(phrase)}`)
    let node = root
    for (const unit of unitsOf(phrase)) {
      let next = node.next.get(unit)
      if (next === undefined) node.next.set(unit, (next = { next: new Map(), isEnd: false }))
      node = next
    }
    node.isEnd = true
  }
  return root
}

const unitsOf = (phrase: string): number[] => Array.from({ length: phrase.length }, (_, i) => lowerUnit(phrase.charCodeAt(i)))

/** Lower case without a change of length, so that places in the text stay true. */
const lowerUnit = (unit: number): number => {
  if (unit < 0x80) return unit >= 0x41 && unit <= 0x5a ? unit + 0x20 : unit
  const lower = String.fromCharCode(unit).toLowerCase()
  return lower.length === 1 ? lower.charCodeAt(0) : unit
}

const isWordAt = (text: string, at: number): boolean => {
  const unit = text.charCodeAt(at)
  if (unit < 0x80) return (unit >= 0x30 && unit <= 0x39) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a) || unit === 0x5f
  return at < text.length && at >= 0 && wordCharacter.test(wholeCharacter(text, at))
}

const wholeCharacter = (text: string, at: number): string => {
  const isLow = (text.charCodeAt(at) & 0xfc00) === 0xdc00 && at > 0
  return String.fromCodePoint(text.codePointAt(isLow ? at - 1 : at)!)
}

const findPhrases = (text: string, root: Node, inside: boolean): { count: number; first?: Span } => {
  let count = 0
  let first: Span | undefined
  for (let start = 0; start < text.length; start++) {
    let node = root.next.get(lowerUnit(text.charCodeAt(start)))
    if (node === undefined || (!inside && isWordAt(text, start - 1))) continue
    for (let end = start + 1; ; end++) {
      if (node.isEnd && (inside || !isWordAt(text, end))) {
        count++
        first ??= [start, end]
        start = end - 1
        break
      }
      const next: Node | undefined = end < text.length ? node.next.get(lowerUnit(text.charCodeAt(end))) : undefined
      if (next === undefined) break
      node = next
    }
  }
  return first === undefined ? { count } : { count, first }
}
