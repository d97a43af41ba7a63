// What the same sentence costs in different languages: tokens relative to English on parallel text. Who pays by the token, or has a
// context of so many, pays this factor for their language.
// Reference: Petrov et al. 2023, arXiv:2305.15425 (tokenization premium).
import type { Tokenizer } from '@weft/contracts'

export interface SentencePair {
  readonly language: string
  readonly text: string
  readonly english: string
}

export interface LanguageCost {
  readonly language: string
  readonly sentences: number
  readonly tokens: number
  readonly englishTokens: number
  /** Tokens for each English token, over all sentences together. */
  readonly premium: number
  /** A quarter of the sentences cost less than `low` times their English, a quarter more than `high`. */
  readonly low: number
  readonly median: number
  readonly high: number
  /** The same of UTF-8 bytes: what is the writing's, not the tokenizer's. */
  readonly bytesPremium: number
}

export interface FairnessReport {
  /** The dearest first. */
  readonly languages: readonly LanguageCost[]
  /** Greatest and least premium, and the mean over languages. */
  readonly greatest: number
  readonly least: number
  readonly mean: number
}

export const measureFairness = async (options: {
  readonly tokenizer: Tokenizer
  readonly pairs: Iterable<SentencePair> | AsyncIterable<SentencePair>
  readonly signal?: AbortSignal
}): Promise<FairnessReport> => {
  const { tokenizer, pairs, signal } = options
  const encoder = new TextEncoder()
  const sums = new Map<string, { tokens: number; english: number; bytes: number; englishBytes: number; ratios: number[] }>()
  const count = (text: string): number => tokenizer.encode(text, { addSpecialTokens: false, allowSpecial: false }).length
  for await (const { language, text, english } of pairs) {
    signal?.throwIfAborted()
    const sum = sums.get(language) ?? { tokens: 0, english: 0, bytes: 0, englishBytes: 0, ratios: [] }
    sums.set(language, sum)
    const [own, other] = [count(text), count(english)]
    if (other === 0) continue
    sum.tokens += own
    sum.english += other
    sum.bytes += encoder.encode(text).length
    sum.englishBytes += encoder.encode(english).length
    sum.ratios.push(own / other)
  }
  const languages = Array.from(sums, ([language, { tokens, english, bytes, englishBytes, ratios }]): LanguageCost => {
    const sorted = ratios.sort((a, b) => a - b)
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    return {
      language,
      sentences: ratios.length,
      tokens,
      englishTokens: english,
      premium: english === 0 ? 0 : tokens / english,
      low: at(0.25),
      median: at(0.5),
      high: at(0.75),
      bytesPremium: englishBytes === 0 ? 0 : bytes / englishBytes,
    }
  }).sort((a, b) => b.premium - a.premium || (a.language < b.language ? -1 : 1))
  const premiums = languages.map(({ premium }) => premium)
  return {
    languages,
    greatest: premiums[0] ?? 0,
    least: premiums.at(-1) ?? 0,
    mean: premiums.length === 0 ? 0 : premiums.reduce((sum, premium) => sum + premium, 0) / premiums.length,
  }
}
