// What a tokenizer makes of texts, by language and domain: how well it compresses, how many tokens a word takes, what it never uses; and
// which of its tokens a model can hardly have learned. All as plain data.
// Reference: Land and Bartolo 2024, arXiv:2405.05417 (tokens that no text gives).
import type { Tokenizer } from '@weft/contracts'

export interface MeasuredText {
  readonly text: string
  readonly language?: string
  readonly domain?: string
}

export interface TokenizerMeasures {
  /** The language, domain, or `all`. */
  readonly name: string
  readonly texts: number
  readonly bytes: number
  readonly characters: number
  readonly words: number
  readonly tokens: number
  readonly bytesPerToken: number
  readonly charactersPerToken: number
  /** Fertility: tokens for each run of letters and digits. */
  readonly tokensPerWord: number
  /** Share of these that take more than one token. */
  readonly splitWords: number
  /** Share of the tokens that stand for the unknown. */
  readonly unknownShare: number
}

export interface SuspectToken {
  readonly id: number
  /** As decoded text, with U+FFFD for what is none by itself. */
  readonly text: string
  /** `unreachable`: no text with it that was tried gives it; `partial`: not whole characters, and in none of the texts. */
  readonly reason: 'unreachable' | 'partial'
}

export interface TokenizerReport {
  readonly vocabSize: number
  readonly all: TokenizerMeasures
  readonly byLanguage: readonly TokenizerMeasures[]
  readonly byDomain: readonly TokenizerMeasures[]
  /** Ids of ordinary tokens that no text used. */
  readonly unused: readonly number[]
  /** Candidates for glitch tokens. */
  readonly suspects: readonly SuspectToken[]
}

const mostRememberedWords = 65_536

/** @param options.texts with what they are, as far as that is known. */
export const measureTokenizer = async (options: {
  readonly tokenizer: Tokenizer
  readonly texts: Iterable<MeasuredText> | AsyncIterable<MeasuredText>
  readonly signal?: AbortSignal
}): Promise<TokenizerReport> => {
  const { tokenizer, texts, signal } = options
  const uses = new Float64Array(tokenizer.vocabSize)
  const measureText = createTextMeasure(tokenizer, uses)
  const all = createSum('all')
  const languages = new Map<string, Sum>()
  const domains = new Map<string, Sum>()
  for await (const { text, language, domain } of texts) {
    signal?.throwIfAborted()
    const counts = measureText(text)
    all.add(counts)
    if (language !== undefined) sumOf(languages, language).add(counts)
    if (domain !== undefined) sumOf(domains, domain).add(counts)
  }
  const byTokens = (sums: ReadonlyMap<string, Sum>): TokenizerMeasures[] => Array.from(sums.values(), (sum) => sum.finish()).sort((a, b) => (a.name < b.name ? -1 : 1))
  const special = new Set(tokenizer.specialTokens.values())
  const unused = Array.from(uses.keys()).filter((id) => uses[id] === 0 && !special.has(id) && tokenizer.tokenBytes(id).length > 0)
  return {
    vocabSize: tokenizer.vocabSize,
    all: all.finish(),
    byLanguage: byTokens(languages),
    byDomain: byTokens(domains),
    unused,
    suspects: findSuspects(tokenizer, uses, special),
  }
}

type Counts = Omit<TokenizerMeasures, 'name' | 'texts' | 'bytesPerToken' | 'charactersPerToken' | 'tokensPerWord' | 'splitWords' | 'unknownShare'> & { readonly split: number; readonly unknown: number }

const wordPattern = /[\p{L}\p{M}\p{N}]+/gu

const createTextMeasure = (tokenizer: Tokenizer, uses: Float64Array): ((text: string) => Counts) => {
  const encoder = new TextEncoder()
  const isSplit = new Map<string, boolean>()
  const splits = (word: string): boolean => {
    const known = isSplit.get(word)
    if (known !== undefined) return known
    if (isSplit.size >= mostRememberedWords) isSplit.clear()
    const found = tokenizer.encode(` ${word}`, { addSpecialTokens: false, allowSpecial: false }).length > 1
    isSplit.set(word, found)
    return found
  }
  return (text) => {
    const ids = tokenizer.encode(text, { addSpecialTokens: false, allowSpecial: false })
    let unknown = 0
    for (let i = 0; i < ids.length; i++) {
      uses[ids[i]!]!++
      if (ids[i] === tokenizer.unknownId) unknown++
    }
    let [words, split, characters] = [0, 0, 0]
    for (const [word] of text.matchAll(wordPattern)) {
      words++
      if (splits(word)) split++
    }
    for (const _ of text) characters++
    return { bytes: encoder.encode(text).length, characters, words, tokens: ids.length, split, unknown }
  }
}

const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b)

const createSum = (name: string) => {
  let texts = 0
  const sum = { bytes: 0, characters: 0, words: 0, tokens: 0, split: 0, unknown: 0 }
  return {
    add: (counts: Counts): void => {
      texts++
      for (const key of ['bytes', 'characters', 'words', 'tokens', 'split', 'unknown'] as const) sum[key] += counts[key]
    },
    finish: (): TokenizerMeasures => {
      const { bytes, characters, words, tokens, split, unknown } = sum
      return {
        name,
        texts,
        bytes,
        characters,
        words,
        tokens,
        bytesPerToken: ratio(bytes, tokens),
        charactersPerToken: ratio(characters, tokens),
        tokensPerWord: ratio(tokens, words),
        splitWords: ratio(split, words),
        unknownShare: ratio(unknown, tokens),
      }
    },
  }
}
type Sum = ReturnType<typeof createSum>

const sumOf = (sums: Map<string, Sum>, name: string): Sum => {
  const sum = sums.get(name) ?? createSum(name)
  sums.set(name, sum)
  return sum
}

/** Where a token may stand: alone, at the end of a word or in its midst, beside a mark. */
const surroundings = [['', ''], ['a', ''], ['', 'a'], ['the', 's'], ['e', 'e'], [' ', ' '], ['.', '.'], ['1', '1']] as const

const findSuspects = (tokenizer: Tokenizer, uses: Float64Array, special: ReadonlySet<number>): SuspectToken[] => {
  const suspects: SuspectToken[] = []
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const bytes = tokenizer.tokenBytes(id)
    if (uses[id] !== 0 || special.has(id) || bytes.length === 0) continue
    const text = decoded(strict, bytes)
    if (text === undefined) {
      if (bytes.length > 1) suspects.push({ id, text: new TextDecoder().decode(bytes), reason: 'partial' })
      continue
    }
    const isReached = surroundings.some(([before, behind]) => tokenizer.encode(before + text + behind, { addSpecialTokens: false, allowSpecial: false }).includes(id))
    if (!isReached) suspects.push({ id, text, reason: 'unreachable' })
  }
  return suspects
}

const decoded = (decoder: TextDecoder, bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
