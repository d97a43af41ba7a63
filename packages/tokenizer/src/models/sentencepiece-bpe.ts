// BPE as SentencePiece has it: any two adjacent symbols merge whose text together is a piece, the piece of the greatest score first, of
// equals the leftmost. User-defined symbols are never merged; pieces that are marked as unused are taken apart again.
// Reference: google/sentencepiece, src/bpe_model.cc.
import type { SentencePiece } from '../formats/sentencepiece-model.ts'
import { createCharacterBpe } from './character-bpe.ts'
import { createMergeBarrier, type MergeBarrier } from './merge-barrier.ts'
import { createMergeTable, type MergeTable } from './merge-table.ts'
import { pushToken, type Model, type TokenBuffer, createTokenBuffer } from './model.ts'

export interface SentencePieceBpe {
  readonly model: Model
  /** Left, right and merged ids, in the order of their ranks. */
  readonly triples: Int32Array
  /** Where a text can be cut without changing its ids. */
  readonly barrier: MergeBarrier
}

export interface SentencePieceBpeOptions {
  readonly pieces: readonly SentencePiece[]
  readonly unknownId: number
  readonly byteFallback: boolean
  /** Whether symbols are merged at all; a model of characters alone is BPE without merges. */
  readonly merges: boolean
  readonly symbolLengthAt?: ((text: string, at: number) => number) | undefined
}

export const createSentencePieceBpe = (options: SentencePieceBpeOptions): SentencePieceBpe => {
  const { pieces, unknownId, byteFallback, symbolLengthAt } = options
  const inText = new Map<string, number>()
  const all = new Map<string, number>()
  pieces.forEach(({ piece, type }, id) => {
    all.set(piece, id)
    if (type === 'normal' || type === 'userDefined' || type === 'unused') inText.set(piece, id)
  })
  const { triples, ranks } = options.merges ? findMerges(pieces, inText) : { triples: new Int32Array(0), ranks: new Int32Array(0) }
  const bytes = (token: string): number | undefined => {
    const id = all.get(token)
    return id !== undefined && pieces[id]!.type === 'byte' ? id : undefined
  }
  const isKnown = (unit: number): boolean => (unit & 0xf800) !== 0xd800 && inText.has(String.fromCharCode(unit))
  const barrier = createMergeBarrier(piecesMade(triples, pieces), byteFallback ? undefined : isKnown)
  const bpeOf = (merges: MergeTable): Model =>
    createCharacterBpe({
      size: pieces.length,
      tokenToId: (token) => inText.get(token) ?? (token.startsWith('<0x') ? bytes(token) : undefined),
      idToToken: (id) => pieces[id]?.piece,
      merges,
      unknownId,
      fuseUnknown: true,
      byteFallback,
      ignoreMerges: false,
      continuingSubwordPrefix: '',
      endOfWordSuffix: '',
      barrier,
    })
  const bpe = bpeOf(createMergeTable(triples, ranks))
  const hasUnused = pieces.some(({ type }) => type === 'unused')
  const withoutSymbols = hasUnused ? takingApart(bpe, pieces, triples, ranks, bpeOf) : bpe
  const model: Model = {
    ...withoutSymbols,
    tokenToId: (token) => all.get(token),
    unknownId,
    encodePiece: symbolLengthAt === undefined ? withoutSymbols.encodePiece : aroundSymbols(withoutSymbols, inText, symbolLengthAt),
  }
  return { model, triples, barrier }
}

/** All texts that must not be cut: what merges make, and user-defined symbols. */
function* piecesMade(triples: Int32Array, pieces: readonly SentencePiece[]): Generator<string> {
  for (let i = 2; i < triples.length; i += 3) yield pieces[triples[i]!]!.piece
  for (const { piece, type } of pieces) if (type === 'userDefined') yield piece
}

/** Every way to make a piece of two others; all ways of one score have one rank. */
const findMerges = (pieces: readonly SentencePiece[], inText: ReadonlyMap<string, number>) => {
  const ids = [...inText.values()].sort((a, b) => pieces[b]!.score - pieces[a]!.score || a - b)
  const triples: number[] = []
  const ranks: number[] = []
  let rank = -1
  let last = NaN
  for (const id of ids) {
    const { piece, score } = pieces[id]!
    if (score !== last) rank++
    last = score
    for (let cut = 1; cut < piece.length; cut++) {
      if ((piece.charCodeAt(cut) & 0xfc00) === 0xdc00) continue
      const left = inText.get(piece.slice(0, cut))
      const right = left === undefined ? undefined : inText.get(piece.slice(cut))
      if (left === undefined || right === undefined) continue
      triples.push(left, right, id)
      ranks.push(rank)
    }
  }
  return { triples: Int32Array.from(triples), ranks: Int32Array.from(ranks) }
}

/** User-defined symbols stand alone, the text between them is encoded by `model`. */
const aroundSymbols =
  (model: Model, inText: ReadonlyMap<string, number>, symbolLengthAt: (text: string, at: number) => number): Model['encodePiece'] =>
  (text, from, to, output) => {
    let start = from
    for (let at = from; at < to; ) {
      const length = symbolLengthAt(text, at)
      if (length === 0 || at + length > to) {
        at += 1
        continue
      }
      if (at > start) model.encodePiece(text, start, at, output)
      pushToken(output, inText.get(text.slice(at, at + length))!, at, at + length)
      at += length
      start = at
    }
    if (start < to) model.encodePiece(text, start, to, output)
  }

/** Replaces unused pieces by what their text is without them. */
const takingApart = (
  bpe: Model,
  pieces: readonly SentencePiece[],
  triples: Int32Array,
  ranks: Int32Array,
  bpeOf: (merges: MergeTable) => Model,
): Model => {
  const kept = ranks.map((_, i) => (pieces[triples[i * 3 + 2]!]!.type === 'unused' ? -1 : i)).filter((i) => i >= 0)
  const usedTriples = Int32Array.from({ length: kept.length * 3 }, (_, i) => triples[kept[Math.floor(i / 3)]! * 3 + (i % 3)]!)
  const used = bpeOf(createMergeTable(usedTriples, kept.map((i) => ranks[i]!)))
  const own = createTokenBuffer()
  return {
    ...bpe,
    encodePiece: (text, from, to, output: TokenBuffer) => {
      own.count = 0
      bpe.encodePiece(text, from, to, own)
      for (let i = 0; i < own.count; i++) {
        const id = own.ids[i]!
        if (pieces[id]!.type === 'unused') used.encodePiece(text, own.starts[i]!, own.ends[i]!, output)
        else pushToken(output, id, own.starts[i]!, own.ends[i]!)
      }
    },
  }
}
