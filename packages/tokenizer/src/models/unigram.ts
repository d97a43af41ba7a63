// Unigram: of all ways to cut a piece into tokens the one with the greatest sum of scores, found by Viterbi over a trie. A character
// that is no token costs ten more than the worst token; runs of such characters are one unknown token, or the tokens of their bytes.
// Reference: google/sentencepiece, unigram_model.cc; huggingface/tokenizers, models/unigram (ties go to the first found).
import { missingUnknown, pushToken, type Model, type TokenBuffer } from './model.ts'
import { byteTokenIds, type TokenIds } from './token-ids.ts'
import { createUnitTrie, rootNode } from './unit-trie.ts'

export interface UnigramOptions {
  readonly vocabulary: TokenIds
  /** By id. */
  readonly scores: Float64Array
  readonly unknownId?: number | undefined
  readonly byteFallback: boolean
  /** SentencePiece's own ways, where these differ from those of huggingface/tokenizers. */
  readonly sentencePiece?: {
    /** 1 for the tokens that are looked for in a text; control tokens and the like are not. */
    readonly isInText: Uint8Array
    /** The least score of an ordinary token. */
    readonly leastScore: number
  }
}

const unknownPenalty = 10
const keptLimit = 65_536 // longer pieces get arrays of their own

export const createUnigram = ({ vocabulary, scores, unknownId, byteFallback, sentencePiece }: UnigramOptions): Model => {
  const unknownScore = (sentencePiece?.leastScore ?? scores.reduce((least, score) => Math.min(least, score), Infinity)) - unknownPenalty
  const { tokens, ids } = vocabulary
  const trie =
    sentencePiece === undefined
      ? createUnitTrie(tokens, ids)
      : createUnitTrie(tokens.filter((_, i) => sentencePiece.isInText[ids[i]!] === 1), ids.filter((id) => sentencePiece.isInText[id] === 1))
  // SentencePiece keeps sums of scores in single precision, which decides between ways that are nearly equal
  const createLattice = sentencePiece === undefined ? createDoubleLattice : createSingleLattice
  const bytes = byteTokenIds(vocabulary.get)
  const encoder = new TextEncoder()
  let lattice: ReturnType<typeof createDoubleLattice> | ReturnType<typeof createSingleLattice> = createLattice(1024)

  /** Fills the lattice with the best way to every place of text[from, to). */
  const search = (text: string, from: number, to: number): void => {
    const { best, startOf, idOf } = lattice
    const length = to - from
    startOf.fill(-1, 0, length + 1)
    best[0] = 0
    for (let at = 0; at < length; ) {
      const reached = best[at]!
      const first = text.charCodeAt(from + at)
      const width = (first & 0xfc00) === 0xd800 && at + 1 < length ? 2 : 1
      let isCovered = false
      let node: number = rootNode
      for (let end = at; end < length; ) {
        node = trie.step(node, text.charCodeAt(from + end++))
        if (node === 0) break
        const id = trie.valueAt(node)
        if (id < 0) continue
        const score = sentencePiece === undefined ? scores[id]! + reached : Math.fround(scores[id]! + reached)
        if (startOf[end]! < 0 || score > best[end]!) {
          best[end] = score
          startOf[end] = at
          idOf[end] = id
        }
        isCovered ||= end - at === width
      }
      if (!isCovered) {
        if (unknownId === undefined) throw missingUnknown(text.slice(from + at, from + at + width))
        const end = at + width
        const score = sentencePiece === undefined ? unknownScore + reached : Math.fround(Math.fround(unknownScore) + reached)
        if (startOf[end]! < 0 || score > best[end]!) {
          best[end] = score
          startOf[end] = at
          idOf[end] = unknownId
        }
      }
      at += width
    }
  }

  const pushUnknown = (text: string, start: number, end: number, output: TokenBuffer): void => {
    const run = text.slice(start, end)
    const known = sentencePiece === undefined ? vocabulary.get(run) : undefined
    if (known !== undefined) return pushToken(output, known, start, end)
    const written = byteFallback ? encoder.encode(run) : undefined
    if (written === undefined || !written.every((byte) => bytes[byte]! >= 0)) return pushToken(output, unknownId!, start, end)
    for (const byte of written) pushToken(output, bytes[byte]!, start, end)
  }

  return {
    size: vocabulary.size,
    tokenToId: vocabulary.get,
    idToToken: vocabulary.tokenAt,
    unknownId,
    writesUnknownAsText: true,
    encodePiece: (text, from, to, output) => {
      const length = to - from
      if (length >= lattice.best.length) lattice = createLattice(length * 2)
      search(text, from, to)
      const { startOf, idOf, ends } = lattice
      let count = 0
      for (let end = length; end > 0; end = startOf[end]!) ends[count++] = end
      let start = 0
      while (count > 0) {
        let end = ends[--count]!
        if (idOf[end] !== unknownId) {
          pushToken(output, idOf[end]!, from + start, from + end)
        } else {
          while (count > 0 && idOf[ends[count - 1]!] === unknownId) end = ends[--count]!
          pushUnknown(text, from + start, from + end, output)
        }
        start = end
      }
      if (lattice.best.length > keptLimit) lattice = createLattice(1024)
    },
  }
}

const createDoubleLattice = (size: number) => ({ best: new Float64Array(size), ...createWays(size) })
const createSingleLattice = (size: number) => ({ best: new Float32Array(size), ...createWays(size) })
const createWays = (size: number) => ({ startOf: new Int32Array(size), idOf: new Int32Array(size), ends: new Int32Array(size) })
