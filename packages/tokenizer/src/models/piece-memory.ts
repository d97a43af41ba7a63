// Remembers the tokens of short pieces, keyed by the UTF-16 units where they stand in the text: a piece that was seen before costs one
// hash and one comparison, and no object.
import type { IdBuffer } from './piece-encoder.ts'
import { reserveIds } from './piece-encoder.ts'
import type { Model, TokenBuffer } from './model.ts'
import { createTokenBuffer } from './model.ts'

/** Appends the ids of text[from, to). */
export type PieceToIds = (text: string, from: number, to: number, output: IdBuffer) => void

const longestRemembered = 32
const mostRemembered = 65_536 // then the memory starts afresh: some 6 MB at most per tokenizer
const slotCount = mostRemembered * 2
const mask = slotCount - 1

export const createPieceMemory = (model: Pick<Model, 'encodePiece'>): PieceToIds => {
  const slots = new Int32Array(slotCount) // entry number + 1; 0: free
  const entries = new Int32Array(mostRemembered * 4) // hash, where the key begins, key length | id count · 256, where the ids begin
  const keys = new Uint16Array(mostRemembered * 10)
  const ids = new Uint32Array(mostRemembered * 4)
  const tokens: TokenBuffer = createTokenBuffer()
  let size = 0
  let keysUsed = 0
  let idsUsed = 0

  const keep = (text: string, from: number, to: number, hash: number, slot: number, first: number): void => {
    const length = to - from
    const count = tokens.count - first
    if (count > 255) return
    if (size === mostRemembered || keysUsed + length > keys.length || idsUsed + count > ids.length) {
      slots.fill(0)
      size = keysUsed = idsUsed = 0
      slot = hash & mask
    }
    const at = size * 4
    slots[slot] = ++size
    entries[at] = hash
    entries[at + 1] = keysUsed
    entries[at + 2] = length | (count << 8)
    entries[at + 3] = idsUsed
    for (let i = 0; i < length; i++) keys[keysUsed++] = text.charCodeAt(from + i)
    for (let i = 0; i < count; i++) ids[idsUsed++] = tokens.ids[first + i]!
  }

  return (text, from, to, output) => {
    const length = to - from
    if (length > longestRemembered) {
      tokens.count = 0
      model.encodePiece(text, from, to, tokens)
      return append(output, tokens)
    }
    let hash = 0x811c9dc5
    for (let at = from; at < to; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
    hash ^= hash >>> 15
    let slot = hash & mask
    for (let entry = slots[slot]!; entry !== 0; entry = slots[slot]!) {
      const at = (entry - 1) * 4
      const shape = entries[at + 2]!
      if (entries[at] === hash && (shape & 0xff) === length) {
        const key = entries[at + 1]!
        let i = 0
        while (i < length && keys[key + i] === text.charCodeAt(from + i)) i++
        if (i === length) {
          const count = shape >> 8
          const first = entries[at + 3]!
          if (output.count + count > output.ids.length) reserveIds(output, count)
          for (let k = 0; k < count; k++) output.ids[output.count++] = ids[first + k]!
          return
        }
      }
      slot = (slot + 1) & mask
    }
    tokens.count = 0
    model.encodePiece(text, from, to, tokens)
    keep(text, from, to, hash, slot, 0)
    append(output, tokens)
  }
}

const append = (output: IdBuffer, tokens: TokenBuffer): void => {
  reserveIds(output, tokens.count)
  for (let i = 0; i < tokens.count; i++) output.ids[output.count++] = tokens.ids[i]!
}
