// Learning a BPE vocabulary over characters, as SentencePiece does: merges stay within a word and a script, of equally frequent pairs the
// shorter goes first, then the one that sorts first; rare characters are left to the bytes.
// Reference: google/sentencepiece, src/bpe_model_trainer.cc and trainer_interface.cc. It counts all pairs at every step; the reference
// looks at the five percent that were most frequent some merges ago.
import { anyScript, scriptOf } from '../pre-tokenizers/unicode-scripts.ts'
import { spaceSymbol } from '../normalizers/sentencepiece-normalizer.ts'
import { learnMergesOf, type MergeVocabulary } from './learn-merges.ts'
import type { CountedWords } from './piece-lattice.ts'

export interface LearnCharacterMergesOptions {
  /** Each begins with the visible space, or has none. */
  readonly words: CountedWords
  /** How many pieces to make, characters included. */
  readonly pieceCount: number
  /** Which part of the text the kept characters make up. */
  readonly characterCoverage: number
  readonly maxPieceLength: number
  readonly minFrequency: number
  /** Every digit stays alone. */
  readonly splitDigits: boolean
}

export interface LearnedCharacterMerges {
  /** What was merged, in that order. */
  readonly merged: readonly string[]
  /** The most frequent first. */
  readonly characters: readonly string[]
}

const space = spaceSymbol.codePointAt(0)!
const isDigit = (codePoint: number): boolean => codePoint >= 0x30 && codePoint <= 0x39

/** @yields the number of pieces so far. */
export function* learnCharacterMerges(options: LearnCharacterMergesOptions): Generator<number, LearnedCharacterMerges> {
  const { words, pieceCount, minFrequency } = options
  const characters = keptCharacters(words, options.characterCoverage)
  const vocabulary = createPieceVocabulary(characters, options)
  const learning = learnMergesOf({
    pieces: toSymbols(words, vocabulary.symbolOf),
    vocabulary,
    minFrequency,
    maxNewTokens: Math.max(0, pieceCount - characters.length),
  })
  for (let step = learning.next(); step.done !== true; step = learning.next()) yield step.value + characters.length
  return { merged: vocabulary.merged(), characters: characters.map((codePoint) => String.fromCodePoint(codePoint)) }
}

/** The most frequent characters, until they cover the wanted part of the text. */
const keptCharacters = ({ text, starts, counts }: CountedWords, coverage: number): readonly number[] => {
  const frequencies = new Map<number, number>()
  let all = 0
  for (let word = 0; word < counts.length; word++) {
    for (let at = starts[word]!; at < starts[word + 1]! - 1; at++) {
      frequencies.set(text[at]!, (frequencies.get(text[at]!) ?? 0) + counts[word]!)
      all += counts[word]!
    }
  }
  const kept: number[] = []
  let covered = 0
  for (const [codePoint, frequency] of [...frequencies].sort((a, b) => b[1] - a[1] || a[0] - b[0])) {
    if (covered / all >= coverage) break
    covered += frequency
    kept.push(codePoint)
  }
  return kept
}

/** Words cut at characters that are not kept. */
const toSymbols = ({ text, starts, counts }: CountedWords, symbolOf: ReadonlyMap<number, number>) => {
  const symbols: number[] = []
  const symbolStarts = [0]
  const symbolCounts: number[] = []
  const end = (word: number): void => {
    if (symbols.length === symbolStarts.at(-1)) return
    symbolStarts.push(symbols.length)
    symbolCounts.push(counts[word]!)
  }
  for (let word = 0; word < counts.length; word++) {
    for (let at = starts[word]!; at < starts[word + 1]! - 1; at++) {
      const symbol = symbolOf.get(text[at]!)
      if (symbol === undefined) end(word)
      else symbols.push(symbol)
    }
    end(word)
  }
  return { symbols: Int32Array.from(symbols), starts: Int32Array.from(symbolStarts), counts: Float64Array.from(symbolCounts) }
}

const createPieceVocabulary = (characters: readonly number[], { maxPieceLength, splitDigits }: LearnCharacterMergesOptions) => {
  const texts: (readonly number[])[] = characters.map((codePoint) => [codePoint])
  const seen = new Set(characters.map((codePoint) => String.fromCodePoint(codePoint)))
  const merged: string[] = []
  const isValid = (piece: readonly number[]): boolean => {
    if (piece.length > maxPieceLength) return false
    let script: number = anyScript
    for (let i = 0; i < piece.length; i++) {
      const codePoint = piece[i]!
      if (codePoint === space) {
        if (i > 0) return false
        continue
      }
      if (splitDigits && isDigit(codePoint)) return false
      const own = scriptOf(codePoint)
      if (own !== anyScript && script !== anyScript && own !== script) return false
      script = own
    }
    return true
  }
  return {
    symbolOf: new Map(characters.map((codePoint, symbol) => [codePoint, symbol])),
    merged: () => merged,
    get newTokens() {
      return merged.length
    },
    join: (left, right) => {
      const piece = [...texts[left]!, ...texts[right]!]
      if (!isValid(piece)) return -1
      const text = String.fromCodePoint(...piece)
      if (seen.has(text)) return -1 // the other way to write it came first
      seen.add(text)
      merged.push(text)
      return texts.push(piece) - 1
    },
    isBefore: (left, right, otherLeft, otherRight) => {
      const length = texts[left]!.length + texts[right]!.length
      const otherLength = texts[otherLeft]!.length + texts[otherRight]!.length
      if (length !== otherLength) return length < otherLength
      for (let i = 0; i < length; i++) {
        const own = codePointOf(texts[left]!, texts[right]!, i)
        const other = codePointOf(texts[otherLeft]!, texts[otherRight]!, i)
        if (own !== other) return own < other
      }
      return left < otherLeft
    },
  } satisfies MergeVocabulary & Record<string, unknown>
}

const codePointOf = (left: readonly number[], right: readonly number[], index: number): number =>
  index < left.length ? left[index]! : right[index - left.length]!
