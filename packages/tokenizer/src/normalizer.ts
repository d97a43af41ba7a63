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
 * Aligns `normalize(text)` with the text: all units that come from a base character and its marks get the range of both. Where the
 * clusters, normalized one by one, are not the whole normalized, the whole text is one range.
 */
export const originsOf = (text: string, forms: readonly NormalizationForm[]): UnitOrigins => {
  const normalized = normalize(text, forms)
  const starts = new Int32Array(normalized.length)
  const ends = new Int32Array(normalized.length).fill(text.length)
  let source = 0
  let target = 0
  let joined = ''
  for (const [original] of text.matchAll(cluster)) {
    const result = normalize(original, forms)
    starts.fill(source, target, target + result.length)
    ends.fill(source + original.length, target, target + result.length)
    source += original.length
    target += result.length
    joined += result
  }
  if (joined === normalized) return { starts, ends }
  return { starts: starts.fill(0), ends: ends.fill(text.length) }
}
