// Counts word n-grams of one text without making a string for each: a hash table over positions, compared exactly by the joined
// characters. Linear, and good for texts of tens of millions of words, where a Set or Map would refuse (2^24 entries).
import { codePointLength } from './python-text.ts'

export interface GramTable {
  /**
   * Looks up the n words from `index` on, joined; adds them where they are new.
   * @returns the index where the same characters came first (`index` itself when new).
   */
  findOrAdd(index: number): number
  /** Code points of the n words from `index` on, without separators. */
  length(index: number): number
}

/** The words of one text, ready for tables of any n. Words are joined by `separator`, so that "ab c" and "a bc" can be one or two. */
export const createGramTables = (words: readonly string[], separator: string) => {
  const text = words.join(separator)
  const starts = new Uint32Array(words.length + 1)
  const lengths = new Uint32Array(words.length + 1)
  const hashes = new Int32Array(words.length)
  const powers = new Int32Array(words.length)
  for (const [i, word] of words.entries()) {
    starts[i + 1] = starts[i]! + word.length + separator.length
    lengths[i + 1] = lengths[i]! + codePointLength(word)
    let hash = 0
    let power = 1
    const joined = word + separator
    for (let j = 0; j < joined.length; j++) {
      hash = (Math.imul(hash, base) + joined.charCodeAt(j)) | 0
      power = Math.imul(power, base)
    }
    hashes[i] = hash
    powers[i] = power
  }
  return (n: number): GramTable => createTable({ text, starts, lengths, hashes, powers, n, separatorLength: separator.length })
}

const base = 0x01000193 // FNV's prime, here as the base of a polynomial modulo 2^32

interface TableParts {
  readonly text: string
  readonly starts: Uint32Array
  readonly lengths: Uint32Array
  readonly hashes: Int32Array
  readonly powers: Int32Array
  readonly n: number
  readonly separatorLength: number
}

const createTable = ({ text, starts, lengths, hashes, powers, n, separatorLength }: TableParts): GramTable => {
  const count = Math.max(0, hashes.length - n + 1)
  const capacity = 2 ** Math.ceil(Math.log2(count * 2 + 2))
  const slots = new Int32Array(capacity).fill(-1)
  const isSame = (a: number, b: number): boolean => {
    const length = starts[a + n]! - starts[a]!
    if (starts[b + n]! - starts[b]! !== length) return false
    const [from, other] = [starts[a]!, starts[b]!]
    for (let i = 0; i < length - separatorLength; i++) {
      if (text.charCodeAt(from + i) !== text.charCodeAt(other + i)) return false
    }
    return true
  }
  return {
    findOrAdd: (index) => {
      let hash = 0
      for (let i = index; i < index + n; i++) hash = (Math.imul(hash, powers[i]!) + hashes[i]!) | 0
      hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
      let slot = (hash ^ (hash >>> 13)) & (capacity - 1)
      for (; slots[slot] !== -1; slot = (slot + 1) & (capacity - 1)) {
        if (isSame(slots[slot]!, index)) return slots[slot]!
      }
      slots[slot] = index
      return index
    },
    length: (index) => lengths[index + n]! - lengths[index]!,
  }
}
