// BPE over characters: SentencePiece's kind with byte fallback, the older kind with a suffix or prefix of subwords, and the byte-level
// kind where its text was already written in the byte alphabet. A long piece (Llama and Gemma merge a whole text at once) is first
// cut where no merge can reach across, so that short parts can be remembered.
// Reference: huggingface/tokenizers, models/bpe/model.rs.
import { codePointAt } from '../text/code-point-set.ts'
import type { MergeBarrier } from './merge-barrier.ts'
import { createMergeScratch, mergeSymbols } from './merge-symbols.ts'
import type { MergeTable } from './merge-table.ts'
import { byteTokenIds, missingUnknown, pushToken, reserveTokens, type Model, type TokenBuffer } from './model.ts'

export interface CharacterBpeOptions {
  readonly size: number
  readonly tokenToId: (token: string) => number | undefined
  readonly idToToken: (id: number) => string | undefined
  readonly merges: MergeTable
  /** Stands for characters without a token; absent: they are left out. */
  readonly unknownId?: number | undefined
  /** Whether the file names an unknown token that is not there: then such characters are an error. */
  readonly lacksUnknown?: boolean
  /** Whether a run of such characters is one unknown token. */
  readonly fuseUnknown: boolean
  /** Whether they become the tokens `<0x..>` of their bytes, where those are all there. */
  readonly byteFallback: boolean
  /** Whether a piece that is a token whole is taken without merging. */
  readonly ignoreMerges: boolean
  readonly continuingSubwordPrefix: string
  readonly endOfWordSuffix: string
  /** Where long pieces may be cut beforehand; absent: nowhere. */
  readonly barrier?: MergeBarrier | undefined
}

const keptLimit = 65_536 // longer pieces get arrays of their own
const longPiece = 64

export const createCharacterBpe = (options: CharacterBpeOptions): Model => {
  const { merges, unknownId, fuseUnknown, tokenToId, barrier } = options
  const symbolOf = createSymbolLookup(options)
  const fallback = options.byteFallback ? byteTokenIds({ get: tokenToId } as ReadonlyMap<string, number>) : undefined
  const encoder = new TextEncoder()
  const scratch = createMergeScratch(256)
  let symbols = new Int32Array(256)
  let sizes = new Int32Array(256)

  /** The first symbols of text[from, to) with the units that each covers; returns how many. */
  const readSymbols = (text: string, from: number, to: number): number => {
    let count = 0
    let unknown = 0 // units of the unknown token that is not written yet
    const push = (id: number, size: number): void => {
      symbols[count] = id
      sizes[count++] = size
    }
    for (let at = from; at < to; ) {
      const codePoint = codePointAt(text, at)
      const width = codePoint > 0xffff ? 2 : 1
      const id = symbolOf(codePoint, at === from, at + width === to)
      if (id >= 0) {
        if (unknown > 0) push(unknownId!, unknown)
        unknown = 0
        push(id, width)
      } else {
        const bytes = fallback === undefined ? undefined : bytesOf(codePoint, at === from, at + width === to)
        if (bytes !== undefined) {
          // The reference writes a waiting unknown token behind these
          bytes.forEach((byte, i) => push(byte, i === 0 ? width : 0))
        } else if (unknownId !== undefined) {
          if (unknown > 0 && !fuseUnknown) push(unknownId, unknown)
          unknown = unknown > 0 && fuseUnknown ? unknown + width : width
        } else if (options.lacksUnknown === true) {
          throw missingUnknown(text.slice(at, at + width))
        }
      }
      at += width
    }
    if (unknown > 0) push(unknownId!, unknown)
    return count
  }
  const bytesOf = (codePoint: number, isFirst: boolean, isLast: boolean): readonly number[] | undefined => {
    const bytes = encoder.encode(affixed(options, codePoint, isFirst, isLast))
    const ids = Array.from(bytes, (byte) => fallback![byte]!)
    return ids.includes(-1) ? undefined : ids
  }

  const mergePart = (text: string, from: number, to: number, output: TokenBuffer): void => {
    const room = (to - from) * 4 + options.endOfWordSuffix.length * 3 + options.continuingSubwordPrefix.length * 3 * (to - from)
    if (room > symbols.length) {
      symbols = new Int32Array(room * 2)
      sizes = new Int32Array(room * 2)
    }
    const count = mergeSymbols(merges, symbols, readSymbols(text, from, to), scratch, sizes)
    reserveTokens(output, count)
    let at = from
    for (let i = 0; i < count; i++) {
      // Behind the first byte of a character its other bytes stand where it stands
      const size = sizes[i]!
      const start = size === 0 && i > 0 ? output.starts[output.count - 1]! : at
      at += size
      pushToken(output, symbols[i]!, start, at)
    }
    if (symbols.length > keptLimit * 4) {
      symbols = new Int32Array(256)
      sizes = new Int32Array(256)
    }
  }

  return {
    size: options.size,
    tokenToId,
    idToToken: options.idToToken,
    unknownId,
    encodePiece: (text, from, to, output) => {
      if (options.ignoreMerges) {
        const whole = tokenToId(text.slice(from, to))
        if (whole !== undefined) return pushToken(output, whole, from, to)
      }
      if (barrier === undefined || to - from < longPiece) return mergePart(text, from, to, output)
      for (let start = from; start < to; ) {
        const end = barrier.next(text, start, to)
        mergePart(text, start, end, output)
        start = end
      }
    },
  }
}

const affixed = (options: CharacterBpeOptions, codePoint: number, isFirst: boolean, isLast: boolean): string =>
  (isFirst ? '' : options.continuingSubwordPrefix) + String.fromCodePoint(codePoint) + (isLast ? options.endOfWordSuffix : '')

/** Code point → the token of the character alone, −1 where there is none. */
const createSymbolLookup = (options: CharacterBpeOptions): ((codePoint: number, isFirst: boolean, isLast: boolean) => number) => {
  const { tokenToId, continuingSubwordPrefix, endOfWordSuffix } = options
  const pages = [0, 1, 2, 3].map(() => new Array<Int32Array | undefined>(0x1100).fill(undefined))
  return (codePoint, isFirst, isLast) => {
    const kind = (continuingSubwordPrefix !== '' && !isFirst ? 1 : 0) + (endOfWordSuffix !== '' && isLast ? 2 : 0)
    let page = pages[kind]![codePoint >> 8]
    if (page === undefined) {
      page = Int32Array.from({ length: 256 }, (_, low) => tokenToId(affixed(options, (codePoint & ~255) + low, isFirst, isLast)) ?? -1)
      pages[kind]![codePoint >> 8] = page
    }
    return page[codePoint & 255]!
  }
}
