// Precompiled: SentencePiece's normalization rules, a double-array trie (darts-clone) from UTF-8 to places in a blob of replacements.
// The reference asks it once per grapheme shorter than six bytes, else per character, and takes the shortest rule that begins what it
// asks for (huggingface/tokenizers, normalizers/precompiled.rs; huggingface/spm_precompiled).
import { transformed, type Normalizer, type TrackedText } from '../text/tracked-text.ts'

export interface CharsMap {
  readonly units: Uint32Array
  readonly replacements: Uint8Array
}

/** The trie and the blob of a precompiled_charsmap; undefined where the sizes do not fit. */
export const readCharsMap = (bytes: Uint8Array): CharsMap | undefined => {
  if (bytes.length < 4) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = view.getUint32(0, true)
  if (size % 4 !== 0 || size === 0 || size > bytes.length - 4) return undefined
  return { units: Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + i * 4, true)), replacements: bytes.slice(4 + size) }
}

const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6)

/** What the shortest rule that begins `bytes` says; undefined where there is none. */
const createLookup = ({ units, replacements }: CharsMap) => {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const replacementAt = (start: number): string => {
    let end = start
    while (end < replacements.length && replacements[end] !== 0) end++
    return decoder.decode(replacements.subarray(start, end))
  }
  return (bytes: Uint8Array, length: number): string | undefined => {
    let node = offsetOf(units[0]!)
    for (let i = 0; i < length && bytes[i] !== 0; i++) {
      node ^= bytes[i]!
      const unit = units[node]
      if (unit === undefined || (unit & 0x800000ff) !== bytes[i]) return undefined
      node ^= offsetOf(unit)
      if ((unit & 0x100) !== 0) return replacementAt((units[node] ?? 0) & 0x7fffffff)
    }
    return undefined
  }
}

/** Characters that may join with others to one grapheme of fewer than six bytes; without any, each character is one. */
const joining =
  /[\p{M}\p{Cf}\u0d4e\u0e33\u0eb3\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff\uff9e\uff9f\u{111c2}\u{111c3}\u{1193f}\u{11941}\u{11a3a}\u{11a84}-\u{11a89}\u{11d46}]|\r\n/u
const mostRemembered = 65_536

export const precompiled = (map: CharsMap): Normalizer => {
  const lookUp = createLookup(map)
  const encoder = new TextEncoder()
  const scratch = new Uint8Array(8)
  let segmenter: Intl.Segmenter | undefined
  const rules = new Map<string, string | undefined>()
  const ruleOf = (part: string): string | undefined => {
    const known = rules.get(part)
    if (known !== undefined || rules.has(part)) return known
    if (rules.size >= mostRemembered) rules.clear()
    const found = lookUp(scratch, encoder.encodeInto(part, scratch).written)
    rules.set(part, found)
    return found
  }

  /** Calls `visit` with each part that a rule is asked for, and the rule. */
  const eachPart = (text: string, visit: (part: string, rule: string | undefined) => void): void => {
    if (!joining.test(text)) {
      for (const character of text) visit(character, ruleOf(character))
      return
    }
    segmenter ??= new Intl.Segmenter('und', { granularity: 'grapheme' })
    for (const { segment } of segmenter.segment(text)) {
      const rule = isShort(segment) ? ruleOf(segment) : undefined
      if (rule !== undefined) visit(segment, rule)
      else for (const character of segment) visit(character, ruleOf(character))
    }
  }

  return (input) => {
    if (input.origins !== undefined) return alignedRules(input, eachPart)
    let text = ''
    eachPart(input.text, (part, rule) => {
      text += rule ?? part
    })
    return text === input.text ? input : { text, start: input.start }
  }
}

const isShort = (grapheme: string): boolean => {
  let size = 0
  for (let i = 0; i < grapheme.length && size < 6; i++) {
    const unit = grapheme.charCodeAt(i)
    size += unit < 0x80 ? 1 : unit < 0x800 ? 2 : (unit & 0xf800) === 0xd800 ? 2 : 3
  }
  return size < 6
}

const alignedRules = (input: TrackedText, eachPart: (text: string, visit: (part: string, rule: string | undefined) => void) => void): TrackedText => {
  const characters: string[] = []
  const changes: number[] = []
  let isChanged = false
  eachPart(input.text, (part, rule) => {
    isChanged ||= rule !== undefined
    const before = changes.length
    for (const character of rule ?? part) {
      characters.push(character)
      changes.push(0)
    }
    const more = changes.length - before - Array.from(part).length
    if (more > 0) changes.fill(1, changes.length - more)
    else if (changes.length > 0) changes[changes.length - 1]! += more
  })
  return isChanged ? transformed(input, characters, changes) : input
}
