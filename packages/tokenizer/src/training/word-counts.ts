// How often each word occurs in the training texts, where a word is a piece of normalized text. Words are kept as UTF-16 units in one
// pool: no string is made of any, and no text is held.
import type { CountedWords } from './piece-lattice.ts'

export interface WordCounts {
  readonly size: number
  /** Counts the word text[from, to). */
  add(text: string, from: number, to: number): void
  /** The words in the order in which they first occurred, as code points. Characters U+0000 are left out. */
  finish(): CountedWords
}

export const createWordCounts = (): WordCounts => {
  let slots = new Int32Array(1 << 13).fill(-1)
  let hashes = new Int32Array(1 << 12)
  let starts = new Float64Array((1 << 12) + 1)
  let counts = new Float64Array(1 << 12)
  let pool = new Uint16Array(1 << 16)
  let size = 0

  const isEqual = (word: number, text: string, from: number, length: number): boolean => {
    const start = starts[word]!
    if (starts[word + 1]! - start !== length) return false
    for (let i = 0; i < length; i++) if (pool[start + i] !== text.charCodeAt(from + i)) return false
    return true
  }
  const grow = (): void => {
    hashes = enlarged(hashes, new Int32Array(size * 2))
    starts = enlarged(starts, new Float64Array(size * 2 + 1))
    counts = enlarged(counts, new Float64Array(size * 2))
    slots = new Int32Array(slots.length * 2).fill(-1)
    const mask = slots.length - 1
    for (let word = 0; word < size; word++) {
      let slot = hashes[word]! & mask
      while (slots[slot]! >= 0) slot = (slot + 1) & mask
      slots[slot] = word
    }
  }

  return {
    get size() {
      return size
    },
    add: (text, from, to) => {
      let hash = 0x811c9dc5
      for (let at = from; at < to; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
      hash ^= hash >>> 15
      const mask = slots.length - 1
      let slot = hash & mask
      for (; slots[slot]! >= 0; slot = (slot + 1) & mask) {
        const word = slots[slot]!
        if (hashes[word] === hash && isEqual(word, text, from, to - from)) {
          counts[word]!++
          return
        }
      }
      const start = starts[size]!
      if (start + to - from > pool.length) pool = enlarged(pool, new Uint16Array(Math.max(pool.length * 2, start + to - from)))
      for (let at = from; at < to; at++) pool[start + at - from] = text.charCodeAt(at)
      slots[slot] = size
      hashes[size] = hash
      counts[size] = 1
      starts[++size] = start + to - from
      if (size === hashes.length) grow()
    },
    finish: () => {
      const points = new Int32Array(starts[size]! + size)
      const wordStarts = new Int32Array(size + 1)
      let used = 0
      for (let word = 0; word < size; word++) {
        for (let at = starts[word]!; at < starts[word + 1]!; at++) {
          const unit = pool[at]!
          const isPair = (unit & 0xfc00) === 0xd800 && at + 1 < starts[word + 1]!
          if (unit !== 0) points[used++] = isPair ? 0x10000 + ((unit & 0x3ff) << 10) + (pool[++at]! & 0x3ff) : unit
        }
        points[used++] = 0
        wordStarts[word + 1] = used
      }
      return { text: points.slice(0, used), starts: wordStarts, counts: counts.slice(0, size) }
    },
  }
}

const enlarged = <T extends Int32Array | Float64Array | Uint16Array>(from: T, to: T): T => {
  to.set(from)
  return to
}
