// Pieces of text to token ids: merges each piece, and remembers the short ones. The memory is keyed by the bytes where they stand in
// the text, so a piece that was seen before costs one hash and one comparison, no object.
import { hashBytes } from '../text/byte-string-table.ts'
import { createMergeScratch, mergeSymbols } from './merge-symbols.ts'
import type { MergeTable } from './merge-table.ts'
import type { PieceList } from '../pre-tokenizers/pieces.ts'
import type { TokenTable } from '../tokenizer/token-table.ts'

/** A byte-level BPE vocabulary, ready to merge. */
export interface BpeModel {
  readonly tokens: TokenTable
  /** 1 where the id belongs to the model's own vocabulary, not only to the added tokens. */
  readonly inVocabulary: Uint8Array
  /** The token of each single byte, −1 where the vocabulary lacks it. */
  readonly byteIds: Int32Array
  readonly merges: MergeTable
  /** Left, right and merged ids in the order of the merges: what is written to a file. */
  readonly mergeTriples: Int32Array
  /** Set where a piece that is a token whole is taken without merging (tiktoken; `ignore_merges`): its id, or −1. */
  readonly findWhole?: (bytes: Uint8Array, start: number, end: number) => number
  /** Stands for bytes without a token; −1: they are left out, as huggingface/tokenizers does. */
  readonly unknownId: number
  /** Whether a run of such bytes is one unknown token. */
  readonly fuseUnknown: boolean
}

export interface IdBuffer {
  ids: Uint32Array
  count: number
}

export const createIdBuffer = (): IdBuffer => ({ ids: new Uint32Array(1024), count: 0 })

export const pushId = (buffer: IdBuffer, id: number): void => {
  if (buffer.count === buffer.ids.length) reserveIds(buffer, 1)
  buffer.ids[buffer.count++] = id
}

export const reserveIds = (buffer: IdBuffer, more: number): void => {
  if (buffer.count + more <= buffer.ids.length) return
  const grown = new Uint32Array(Math.max(buffer.ids.length * 2, buffer.count + more))
  grown.set(buffer.ids)
  buffer.ids = grown
}

/** Appends the ids of all pieces to `output`. */
export type PieceEncoder = (bytes: Uint8Array, pieces: PieceList, output: IdBuffer) => void

const longestRemembered = 48 // longer pieces hardly ever come again
const mostRemembered = 65_536 // then the memory starts afresh: some 4 MB at most per tokenizer
const slotCount = mostRemembered * 2

export const createPieceEncoder = (model: BpeModel): PieceEncoder => {
  const { byteIds, merges, findWhole, unknownId, fuseUnknown } = model
  const scratch = createMergeScratch(256)
  let symbols = new Int32Array(256)

  /** Leaves the ids of one piece in `symbols`. */
  const mergePiece = (bytes: Uint8Array, start: number, end: number): number => {
    if (end - start > symbols.length) symbols = new Int32Array((end - start) * 2)
    if (findWhole !== undefined) {
      const whole = findWhole(bytes, start, end)
      if (whole >= 0) {
        symbols[0] = whole
        return 1
      }
    }
    let count = 0
    let afterUnknown = false
    for (let at = start; at < end; at++) {
      const id = byteIds[bytes[at]!]!
      if (id >= 0) symbols[count++] = id
      else if (unknownId >= 0 && !(fuseUnknown && afterUnknown)) symbols[count++] = unknownId
      afterUnknown = id < 0
    }
    return mergeSymbols(merges, symbols, count, scratch)
  }

  const memory = createMemory()
  return (bytes, pieces, output) => {
    const { spans, count } = pieces
    for (let piece = 0; piece < count; piece++) {
      const start = spans[piece * 2]!
      const end = spans[piece * 2 + 1]!
      if (end - start <= longestRemembered) {
        const hash = hashBytes(bytes, start, end)
        if (memory.recall(bytes, start, end, hash, output)) continue
        const merged = mergePiece(bytes, start, end)
        memory.keep(bytes, start, end, hash, symbols, merged)
        append(output, symbols, merged)
      } else {
        const merged = mergePiece(bytes, start, end)
        append(output, symbols, merged)
        if (symbols.length > 1 << 20) symbols = new Int32Array(256)
      }
    }
  }
}

const append = (output: IdBuffer, symbols: Int32Array, count: number): void => {
  reserveIds(output, count)
  for (let i = 0; i < count; i++) output.ids[output.count + i] = symbols[i]!
  output.count += count
}

/** Entries are four numbers: hash, where the key begins, key length | id count · 256, the id (or where the ids begin, if several). */
const createMemory = () => {
  const slots = new Int32Array(slotCount) // entry number + 1; 0: free
  const entries = new Int32Array(mostRemembered * 4)
  const keys = new Uint8Array(mostRemembered * 12)
  const ids = new Uint32Array(mostRemembered * 4)
  const mask = slotCount - 1
  let size = 0
  let keysUsed = 0
  let idsUsed = 0

  const recall = (bytes: Uint8Array, start: number, end: number, hash: number, output: IdBuffer): boolean => {
    const length = end - start
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot]!
      if (entry === 0) return false
      const at = (entry - 1) * 4
      if (entries[at] !== hash) continue
      const shape = entries[at + 2]!
      if ((shape & 0xff) !== length) continue
      const key = entries[at + 1]!
      let i = 0
      while (i < length && keys[key + i] === bytes[start + i]) i++
      if (i < length) continue
      const idCount = shape >> 8
      const from = entries[at + 3]!
      if (idCount === 1) {
        pushId(output, from)
        return true
      }
      reserveIds(output, idCount)
      for (let k = 0; k < idCount; k++) output.ids[output.count + k] = ids[from + k]!
      output.count += idCount
      return true
    }
  }

  const keep = (bytes: Uint8Array, start: number, end: number, hash: number, found: Int32Array, idCount: number): void => {
    const length = end - start
    if (size === mostRemembered || keysUsed + length > keys.length || idsUsed + idCount > ids.length) {
      slots.fill(0)
      size = keysUsed = idsUsed = 0
    }
    let slot = hash & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    const at = size * 4
    slots[slot] = ++size
    entries[at] = hash
    entries[at + 1] = keysUsed
    entries[at + 2] = length | (idCount << 8)
    entries[at + 3] = idCount === 1 ? found[0]! : idsUsed
    for (let i = 0; i < length; i++) keys[keysUsed + i] = bytes[start + i]!
    keysUsed += length
    if (idCount === 1) return
    for (let k = 0; k < idCount; k++) ids[idsUsed + k] = found[k]!
    idsUsed += idCount
  }

  return { recall, keep }
}
