// BPE over characters: SentencePiece's kind with byte fallback, the older kind with a suffix or prefix of subwords, and the byte-level
// kind where its text was already written in the byte alphabet. A long piece (Llama and Gemma merge a whole text at once) is first
// cut where no merge can reach across, so that short parts can be remembered.
// Reference: huggingface/tokenizers, models/bpe/model.rs.
import { codePointAt } from '../text/code-point-set.ts'
import type { MergeBarrier } from './merge-barrier.ts'
import { createMergeScratch, mergeSymbols } from './merge-symbols.ts'
import type { MergeTable } from './merge-table.ts'
import { missingUnknown, pushToken, reserveTokens, type Model, type TokenBuffer } from './model.ts'
import { byteTokenIds } from './token-ids.ts'

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
  const fallback = options.byteFallback ? byteTokenIds(tokenToId) : undefined
  const encoder = new TextEncoder()
  const scratch = createMergeScratch(256)
  let symbols = new Int32Array(256)
  let ranges = { starts: new Int32Array(256), ends: new Int32Array(256) }

  /** The first symbols of text[from, to) with what each covers; returns how many. */
  const readSymbols = (text: string, from: number, to: number): number => {
    let count = 0
    let unknownFrom = -1 // where the unknown token begins that is not written yet
    let unknownTo = -1
    const push = (id: number, start: number, end: number): void => {
      symbols[count] = id
      ranges.starts[count] = start
      ranges.ends[count++] = end
    }
    for (let at = from; at < to; ) {
      const codePoint = codePointAt(text, at)
      const next = at + (codePoint > 0xffff ? 2 : 1)
      const id = symbolOf(codePoint, at === from, next === to)
      if (id >= 0) {
        if (unknownFrom >= 0) push(unknownId!, unknownFrom, unknownTo)
        unknownFrom = -1
        push(id, at, next)
      } else {
        const bytes = fallback === undefined ? undefined : bytesOf(codePoint, at === from, next === to)
        if (bytes !== undefined) {
          // The reference writes a waiting unknown token behind these
          for (const byte of bytes) push(byte, at, next)
        } else if (unknownId !== undefined) {
          if (unknownFrom >= 0 && !fuseUnknown) push(unknownId, unknownFrom, unknownTo)
          if (unknownFrom < 0 || !fuseUnknown) unknownFrom = at
          unknownTo = next
        } else if (options.lacksUnknown === true) {
          throw missingUnknown(text.slice(at, next))
        }
      }
      at = next
    }
    if (unknownFrom >= 0) push(unknownId!, unknownFrom, unknownTo)
    return count
  }
  const bytesOf = (codePoint: number, isFirst: boolean, isLast: boolean): readonly number[] | undefined => {
    const bytes = encoder.encode(affixed(options, codePoint, isFirst, isLast))
    const ids = Array.from(bytes, (byte) => fallback![byte]!)
    return ids.includes(-1) ? undefined : ids
  }

  const mergePart = (text: string, from: number, to: number, output: TokenBuffer): void => {
    const room = (to - from) * 4 + options.endOfWordSuffix.length * 3 + options.continuingSubwordPrefix.length * 3 * (to - from)
    if (room > symbols.length) enlarge(room * 2)
    const count = mergeSymbols(merges, symbols, readSymbols(text, from, to), scratch, ranges)
    reserveTokens(output, count)
    for (let i = 0; i < count; i++) pushToken(output, symbols[i]!, ranges.starts[i]!, ranges.ends[i]!)
    if (symbols.length > keptLimit * 4) enlarge(256)
  }
  const enlarge = (size: number): void => {
    symbols = new Int32Array(size)
    ranges = { starts: new Int32Array(size), ends: new Int32Array(size) }
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
