// Learning a WordPiece vocabulary: byte-pair encoding over characters, of which those inside a word are written with ## before them; the
// merges themselves are not kept. Reference: huggingface/tokenizers, models/wordpiece/trainer.rs.
import { learnMergesOf } from './learn-merges.ts'
import type { CountedWords } from './piece-lattice.ts'

export interface LearnWordPiecesOptions {
  readonly words: CountedWords
  /** They get the first ids. */
  readonly specialTokens: readonly string[]
  readonly vocabSize: number
  readonly minFrequency: number
  /** Written before a token that continues a word. */
  readonly prefix: string
  /** How many different characters to keep, the most frequent ones; default all. */
  readonly alphabetSize?: number
}

/** @yields the number of tokens so far. @returns all tokens by id: special ones, characters, those inside words, what was merged. */
export function* learnWordPieces(options: LearnWordPiecesOptions): Generator<number, readonly string[]> {
  const { words, prefix, vocabSize, minFrequency } = options
  const tokens = [...options.specialTokens]
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const add = (token: string): number => {
    const known = ids.get(token)
    if (known !== undefined) return known
    ids.set(token, tokens.length)
    return tokens.push(token) - 1
  }
  const alphabet = chooseAlphabet(words, options.alphabetSize)
  for (const codePoint of alphabet) add(String.fromCodePoint(codePoint))
  const pieces = toSymbols(words, new Set(alphabet), prefix, add)
  const base = tokens.length
  const learning = learnMergesOf({
    pieces,
    minFrequency,
    maxNewTokens: Math.max(0, vocabSize - base),
    vocabulary: {
      get newTokens() {
        return tokens.length - base
      },
      join: (left, right) => add(tokens[left]! + tokens[right]!.slice(tokens[right]!.startsWith(prefix) ? prefix.length : 0)),
    },
  })
  for (let step = learning.next(); step.done !== true; step = learning.next()) yield base + step.value
  return tokens
}

/** The characters in the order of their code points. */
const chooseAlphabet = ({ text, starts, counts }: CountedWords, size = Infinity): readonly number[] => {
  const frequencies = new Map<number, number>()
  for (let word = 0; word < counts.length; word++) {
    for (let at = starts[word]!; at < starts[word + 1]! - 1; at++) frequencies.set(text[at]!, (frequencies.get(text[at]!) ?? 0) + counts[word]!)
  }
  const byFrequency = [...frequencies].sort((a, b) => b[1] - a[1] || a[0] - b[0])
  return byFrequency.slice(0, size).map(([codePoint]) => codePoint).sort((a, b) => a - b)
}

/** Characters that are not of the alphabet are left out; those inside words get their ids as they come up: both as in the reference. */
const toSymbols = ({ text, starts, counts }: CountedWords, alphabet: ReadonlySet<number>, prefix: string, add: (token: string) => number) => {
  const first = new Map<number, number>()
  const inner = new Map<number, number>()
  const symbols = new Int32Array(text.length)
  const symbolStarts = new Int32Array(counts.length + 1)
  let used = 0
  for (const codePoint of alphabet) first.set(codePoint, add(String.fromCodePoint(codePoint)))
  for (let word = 0; word < counts.length; word++) {
    for (let at = starts[word]!; at < starts[word + 1]! - 1; at++) {
      const codePoint = text[at]!
      if (!alphabet.has(codePoint)) continue
      if (at > starts[word]! && !inner.has(codePoint)) inner.set(codePoint, add(prefix + String.fromCodePoint(codePoint)))
      symbols[used++] = (at === starts[word] ? first : inner).get(codePoint)!
    }
    symbolStarts[word + 1] = used
  }
  return { symbols: symbols.slice(0, used), starts: symbolStarts, counts }
}
