// WordPiece: the longest token that begins the word, then the longest continuation, and so on; one missing part makes the whole word
// unknown. Reference: google-research/bert, tokenization.py; huggingface/tokenizers, models/wordpiece.
import { missingUnknown, pushToken, type Model } from './model.ts'
import type { TokenIds } from './token-ids.ts'
import { createUnitTrie, rootNode } from './unit-trie.ts'

export interface WordPieceOptions {
  readonly unknown: string
  /** Written before a token that continues a word. */
  readonly continuingSubwordPrefix: string
  /** Longer words are unknown. */
  readonly maxInputCharsPerWord: number
}

export const createWordPiece = (vocabulary: TokenIds, options: WordPieceOptions): Model => {
  const trie = createUnitTrie(vocabulary.tokens, vocabulary.ids)
  const unknownId = vocabulary.get(options.unknown)
  let continuingRoot: number = rootNode
  for (let i = 0; i < options.continuingSubwordPrefix.length && continuingRoot !== 0; i++) {
    continuingRoot = trie.step(continuingRoot, options.continuingSubwordPrefix.charCodeAt(i))
  }
  const max = options.maxInputCharsPerWord

  /** The end of the longest token at `at`, its id in `longestId`; −1 where there is none. */
  let longestId = -1
  const longest = (text: string, at: number, to: number, root: number): number => {
    let found = -1
    for (let node = root; at < to; ) {
      node = trie.step(node, text.charCodeAt(at++))
      if (node === 0) break
      const value = trie.valueAt(node)
      if (value < 0) continue
      longestId = value
      found = at
    }
    return found
  }
  const tooLong = (text: string, from: number, to: number): boolean => {
    if (to - from <= max) return false
    let characters = 0
    for (let at = from; at < to && characters <= max; at++) if ((text.charCodeAt(at) & 0xfc00) !== 0xdc00) characters++
    return characters > max
  }

  return {
    size: vocabulary.size,
    tokenToId: vocabulary.get,
    idToToken: vocabulary.tokenAt,
    unknownId,
    encodePiece: (text, from, to, output) => {
      const before = output.count
      let isBad = tooLong(text, from, to)
      for (let at = from; at < to && !isBad; ) {
        const root = at === from ? rootNode : continuingRoot
        const end = root === 0 ? -1 : longest(text, at, to, root)
        if (end < 0) isBad = true
        else pushToken(output, longestId, at, end)
        at = end
      }
      if (!isBad) return
      output.count = before
      if (unknownId === undefined) throw missingUnknown(text.slice(from, to))
      pushToken(output, unknownId, from, to)
    },
  }
}
