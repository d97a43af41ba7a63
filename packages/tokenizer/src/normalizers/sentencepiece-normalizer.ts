// Normalization as SentencePiece does it: the longest rule of the character map that begins at each place, white space tidied and made
// visible, one more put before the text. User-defined symbols stand as they came.
// Reference: google/sentencepiece, src/normalizer.cc.
import { trackedWriter, untouched, type Normalizer } from '../text/tracked-text.ts'
import type { CharsMap } from './precompiled.ts'

export interface SentencePieceNormalizerOptions {
  /** Absent: every character stands as it came. */
  readonly charsMap?: CharsMap | undefined
  readonly addDummyPrefix: boolean
  readonly removeExtraWhitespaces: boolean
  readonly escapeWhitespaces: boolean
  /** The dummy prefix is put behind the text. */
  readonly treatWhitespaceAsSuffix: boolean
  /** How many units of a user-defined symbol begin at a place, 0 where none does. */
  readonly symbolLengthAt?: ((text: string, at: number) => number) | undefined
}

export const spaceSymbol = '\u2581'

export const sentencePieceNormalizer = (options: SentencePieceNormalizerOptions): Normalizer => {
  const { addDummyPrefix, removeExtraWhitespaces, treatWhitespaceAsSuffix, symbolLengthAt } = options
  const space = options.escapeWhitespaces ? spaceSymbol : ' '
  const startRules = options.charsMap === undefined ? undefined : createRuleFinder(options.charsMap)
  return (input) => {
    const { text } = input
    const ruleAt = startRules?.(text)
    const prefixAt = (at: number): { result: string; width: number } => {
      const symbol = symbolLengthAt?.(text, at) ?? 0
      if (symbol > 0) return { result: text.slice(at, at + symbol), width: symbol }
      const rule = ruleAt?.(at)
      if (rule !== undefined) return rule
      const width = text.codePointAt(at)! > 0xffff ? 2 : 1
      return { result: text.slice(at, at + width), width }
    }
    const parts: string[] = []
    const places: number[] = []
    const write = (part: string, at: number): void => {
      parts.push(part)
      places.push(at)
    }
    let at = 0
    if (removeExtraWhitespaces) {
      for (let next; at < text.length && (next = prefixAt(at)).result === ' '; ) at += next.width
    }
    if (at === text.length) return untouched('', input.start, input.origins !== undefined)
    if (!treatWhitespaceAsSuffix && addDummyPrefix) write(space, at)
    let afterSpace = removeExtraWhitespaces
    while (at < text.length) {
      const { result, width } = prefixAt(at)
      let from = 0
      while (afterSpace && result[from] === ' ') from++
      if (from < result.length) {
        for (const character of from === 0 ? result : result.slice(from)) write(character === ' ' ? space : character, at)
        afterSpace = removeExtraWhitespaces && result.endsWith(' ')
      }
      at += width
    }
    if (removeExtraWhitespaces) while (parts.at(-1) === space) parts.pop()
    if (treatWhitespaceAsSuffix && addDummyPrefix) write(space, text.length - 1)
    if (input.origins === undefined) return { text: parts.join(''), start: input.start }
    const writer = trackedWriter(input, parts.length)
    parts.forEach((part, i) => writer.write(part, places[i]!))
    return writer.finish()
  }
}

const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6)

/** Finds the longest rule at each place of a text, places in rising order. */
const createRuleFinder = ({ units, replacements }: CharsMap) => {
  const encoder = new TextEncoder()
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const known = new Map<number, string>()
  const replacementAt = (start: number): string => {
    const found = known.get(start)
    if (found !== undefined) return found
    let end = start
    while (end < replacements.length && replacements[end] !== 0) end++
    const replacement = decoder.decode(replacements.subarray(start, end))
    known.set(start, replacement)
    return replacement
  }
  return (text: string) => {
    const bytes = encoder.encode(text)
    let unitPlace = 0
    let bytePlace = 0
    const stepTo = (at: number): void => {
      if (at < unitPlace) unitPlace = bytePlace = 0
      while (unitPlace < at) {
        const lead = bytes[bytePlace]!
        bytePlace += lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
        unitPlace += lead < 0xf0 ? 1 : 2
      }
    }
    return (at: number): { result: string; width: number } | undefined => {
      stepTo(at)
      let node = offsetOf(units[0]!)
      let value = -1
      let end = bytePlace
      for (let i = bytePlace; i < bytes.length && bytes[i] !== 0; i++) {
        node ^= bytes[i]!
        const unit = units[node]
        if (unit === undefined || (unit & 0x800000ff) !== bytes[i]) break
        node ^= offsetOf(unit)
        if ((unit & 0x100) === 0) continue
        value = (units[node] ?? 0) & 0x7fffffff
        end = i + 1
      }
      if (value < 0) return undefined
      let width = 0
      for (let i = bytePlace; i < end; i++) if ((bytes[i]! & 0xc0) !== 0x80) width += bytes[i]! < 0xf0 ? 1 : 2
      return { result: replacementAt(value), width }
    }
  }
}
