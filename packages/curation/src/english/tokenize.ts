// English words as spaCy's blank("en") finds them: chunks between white space, marks cut off both ends, special cases, web
// addresses, then cuts inside. Thresholds of Gopher, FineWeb and MinHash are stated in these words. The tokens of a chunk cover it
// without gaps, so a chunk's result is its token ends; chunks repeat, so results are remembered.
import { isSpace } from '../python-text.ts'
import { infixes, prefixLength, suffixLength } from './affixes.ts'
import { longestSpecialCase, specialCases } from './special-cases.ts'
import { isWebAddress } from './web-address.ts'

const rememberedChunks = 1 << 16 // some 10 MB of strings; then the memory starts anew
const longestRemembered = 64
/** A longer run without white space is no English: it stays one word, so that a 100 MB line cannot become 100 million words. */
const longestChunk = 1 << 16

let remembered = new Map<string, readonly string[]>()

/** The tokens of a chunk without white space. */
export const tokenizeChunk = (chunk: string): readonly string[] => {
  const known = remembered.get(chunk)
  if (known !== undefined) return known
  if (chunk.length > longestChunk) return [chunk]
  const words = cutChunk(chunk)
  if (chunk.length <= longestRemembered) {
    if (remembered.size >= rememberedChunks) remembered = new Map()
    remembered.set(chunk, words)
  }
  return words
}

/** The words of a text; white space is no word. */
export const englishWords = (text: string): string[] => {
  const words: string[] = []
  let i = 0
  while (i < text.length) {
    while (i < text.length && isSpace(text.charCodeAt(i))) i++
    const start = i
    while (i < text.length && !isSpace(text.charCodeAt(i))) i++
    if (i > start) for (const word of tokenizeChunk(text.slice(start, i))) words.push(word)
  }
  return words
}

const cutChunk = (chunk: string): string[] => {
  const special = splitSpecial(chunk)
  if (special) return special
  return mergeSpecial(cutAffixes(chunk, true))
}

const splitSpecial = (text: string): string[] | undefined => {
  const lengths = text.length <= longestSpecialCase ? specialCases.get(text) : undefined
  if (lengths === undefined) return undefined
  let at = 0
  return lengths.map((length) => text.slice(at, (at += length)))
}

const isSpecial = (chunk: string, from: number, to: number): boolean =>
  to > from && to - from <= longestSpecialCase && specialCases.has(chunk.slice(from, to))

const cutAffixes = (chunk: string, withSpecialCases: boolean): string[] => {
  const front: string[] = []
  const back: string[] = []
  let from = 0
  let to = chunk.length
  for (;;) {
    if (withSpecialCases && isSpecial(chunk, from, to)) break
    const prefix = prefixLength(chunk, from, to)
    if (prefix > 0) {
      front.push(chunk.slice(from, from + prefix))
      if (withSpecialCases && isSpecial(chunk, from + prefix, to)) {
        from += prefix
        break
      }
    }
    const suffix = suffixLength(chunk, from + prefix, to)
    if (suffix > 0) {
      const rest = to - suffix
      if (withSpecialCases && isSpecial(chunk, from, rest)) {
        if (prefix > 0) front.pop() // the special case takes the prefix with it
        back.push(chunk.slice(rest, to))
        to = rest
        break
      }
      back.push(chunk.slice(rest, to))
    }
    if (prefix + suffix === 0) break
    from += prefix
    to -= suffix
  }
  if (to > from) for (const part of cutInside(chunk.slice(from, to), withSpecialCases)) front.push(part) // too many, at times, for push(...)
  for (let i = back.length - 1; i >= 0; i--) front.push(back[i]!)
  return front
}

const cutInside = (text: string, withSpecialCases: boolean): string[] => {
  const special = withSpecialCases ? splitSpecial(text) : undefined
  if (special) return special
  if (isWebAddress(text)) return [text]
  const parts: string[] = []
  let start = 0
  for (const match of text.matchAll(infixes)) {
    if (match.index === 0) continue // a mark at the very front stays with what follows
    if (match.index > start) parts.push(text.slice(start, match.index))
    parts.push(match[0])
    start = match.index + match[0].length
  }
  if (start < text.length) parts.push(text.slice(start))
  return parts
}

/** Special cases that the affix rules tear apart (emoticons, mostly), by what is left of them: the first token → all of them. */
const tornCases = (): ReadonlyMap<string, readonly { text: string; tokens: readonly string[] }[]> => {
  const byFirst = new Map<string, { text: string; tokens: readonly string[] }[]>()
  for (const text of specialCases.keys()) {
    if (prefixLength(text, 0, text.length) === 0 && suffixLength(text, 0, text.length) === 0 && text.search(infixes) < 0) continue
    const tokens = cutAffixes(text, false)
    const first = tokens[0]!
    byFirst.set(first, [...(byFirst.get(first) ?? []), { text, tokens }])
  }
  return byFirst
}

let torn: ReturnType<typeof tornCases> | undefined

/** Puts torn special cases together again: the longest first, then the leftmost. */
const mergeSpecial = (tokens: string[]): string[] => {
  torn ??= tornCases()
  const found: { start: number; end: number; text: string }[] = []
  for (let start = 0; start < tokens.length; start++) {
    for (const candidate of torn.get(tokens[start]!) ?? []) {
      if (candidate.tokens.every((token, i) => tokens[start + i] === token)) found.push({ start, end: start + candidate.tokens.length, text: candidate.text })
    }
  }
  if (found.length === 0) return tokens
  found.sort((a, b) => b.end - b.start - (a.end - a.start) || a.start - b.start)
  const taken = new Map<number, { end: number; text: string }>()
  const isTaken = new Uint8Array(tokens.length)
  for (const { start, end, text } of found) {
    if (isTaken[start] === 1 || isTaken[end - 1] === 1) continue
    isTaken.fill(1, start, end)
    taken.set(start, { end, text })
  }
  const merged: string[] = []
  for (let i = 0; i < tokens.length; ) {
    const special = taken.get(i)
    if (special === undefined) {
      merged.push(tokens[i++]!)
      continue
    }
    merged.push(...splitSpecial(special.text)!)
    i = special.end
  }
  return merged
}
