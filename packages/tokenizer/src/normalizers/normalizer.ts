// Unicode normalization of a text, and where each unit of the result came from.
export type NormalizationForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD'

/** Original UTF-16 range of every unit of a normalized text. */
export interface UnitOrigins {
  readonly starts: Int32Array
  readonly ends: Int32Array
}

export const normalize = (text: string, forms: readonly NormalizationForm[]): string =>
  forms.reduce((result, form) => result.normalize(form), text)

/** A character with the marks (and conjoining Hangul vowels and finals) behind it: what normalization treats as one. */
const cluster = /[^][\p{M}\u1160-\u11ff]*/gu

/**
 * Aligns `normalize(text)` with the text: all units that come from joined characters get the range of all of them, unchanged ones
 * their own. Where the clusters, normalized one by one, are not the whole normalized, the whole text is one range.
 */
export const originsOf = (text: string, forms: readonly NormalizationForm[]): UnitOrigins => {
  const normalized = normalize(text, forms)
  const starts = new Int32Array(normalized.length)
  const ends = new Int32Array(normalized.length)
  let source = 0
  let target = 0
  let joined = ''
  for (const [original] of text.matchAll(cluster)) {
    const result = normalize(original, forms)
    const { head, tail } = unchangedEnds(original, result)
    for (let unit = 0; unit < result.length; unit++) {
      const isTail = unit >= result.length - tail
      const own = unit < head ? unit : isTail ? original.length - (result.length - unit) : -1
      starts[target + unit] = source + (own < 0 ? head : own)
      ends[target + unit] = source + (own < 0 ? original.length - tail : own + 1)
    }
    source += original.length
    target += result.length
    joined += result
  }
  if (joined === normalized) return { starts, ends }
  return { starts: starts.fill(0), ends: ends.fill(text.length) }
}

/** How many units at the head and at the tail are the same in both; never half of a surrogate pair. */
const unchangedEnds = (original: string, result: string): { head: number; tail: number } => {
  const shorter = Math.min(original.length, result.length)
  let head = 0
  while (head < shorter && original[head] === result[head]) head++
  if (head < shorter && head > 0 && isSurrogate(original, head - 1, 0xd800)) head--
  let tail = 0
  while (tail < shorter - head && original[original.length - 1 - tail] === result[result.length - 1 - tail]) tail++
  if (tail > 0 && isSurrogate(original, original.length - tail, 0xdc00)) tail--
  return { head, tail }
}

const isSurrogate = (text: string, at: number, first: number): boolean => (text.charCodeAt(at) & 0xfc00) === first
