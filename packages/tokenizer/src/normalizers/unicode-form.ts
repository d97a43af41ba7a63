// NFC, NFD, NFKC and NFKD with the tables of the reference, and where each character of the result came from.
import { transformed, type Normalizer, type TrackedText } from '../text/tracked-text.ts'
import { inertForNormalization } from '../text/unicode-differences.ts'

export type NormalizationForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD'

let inert: RegExp | undefined
const inertPattern = (): RegExp => (inert ??= new RegExp(`[${inertForNormalization}]`, 'v'))
const ascii = /^[\0-\x7f]*$/

export const unicodeForm =
  (form: NormalizationForm): Normalizer =>
  (input) => {
    if (ascii.test(input.text)) return input
    const result = normalized(input.text, form)
    if (result === input.text) return input
    return input.origins === undefined ? { text: result, start: input.start } : aligned(input, form)
  }

/** Characters that the reference does not know are left where they are, and nothing composes with them or moves across them. */
const normalized = (text: string, form: NormalizationForm): string => {
  const result = text.normalize(form)
  if (result === text || !inertPattern().test(text)) return result
  const parts = text.split(new RegExp(`([${inertForNormalization}])`, 'v'))
  return parts.map((part, i) => (i % 2 === 1 ? part : part.normalize(form))).join('')
}

/** A character with the marks (and conjoining Hangul vowels and finals) behind it: what normalization treats as one. */
const cluster = /[^][\p{M}\u1160-\u11ff]*/gu

const aligned = (input: TrackedText, form: NormalizationForm): TrackedText => {
  const clusters = Array.from(input.text.matchAll(cluster), ([text]) => text)
  const isWhole = clusters.map((text) => normalized(text, form)).join('') === normalized(input.text, form)
  const characters: string[] = []
  const changes: number[] = []
  for (const text of isWhole ? clusters : [input.text]) alignCluster(text, form, characters, changes)
  return transformed(input, characters, changes)
}

/**
 * Decomposes each character (the first part replaces it, the others are inserted), orders the parts, then lets each character of the
 * result take the parts that it is composed of.
 */
const alignCluster = (text: string, form: NormalizationForm, characters: string[], changes: number[]): void => {
  const decomposition = form === 'NFC' || form === 'NFD' ? 'NFD' : 'NFKD'
  const parts: { character: string; change: number }[] = []
  for (const character of text) {
    let isFirst = true
    for (const part of normalized(character, decomposition)) {
      parts.push({ character: part, change: isFirst ? 0 : 1 })
      isFirst = false
    }
  }
  let next = 0
  const take = (character: string): number => {
    const at = parts.findIndex((part, i) => i >= next && part.character === character)
    if (at < 0) return 0
    const [found] = parts.splice(at, 1)
    parts.splice(next, 0, found!) // those that were passed over stay in order behind it
    next++
    return found!.change
  }
  for (const character of normalized(text, form)) {
    let change = 1
    for (const part of normalized(character, decomposition)) change += take(part) - 1
    characters.push(character)
    changes.push(change)
  }
}
