// Counts n-grams of token ids in one pass. An n-gram is a pair (its first n − 1 tokens, as an index into the level below; its last token), kept
// in one hash table a level, so that counting costs `order` look-ups a token and equality is exact.
import { ConfigError } from '@weft/contracts'

/** The n-grams of one length, numbered in the order of their first appearance. */
export interface CountedLevel {
  /** Index of the first n − 1 tokens in the level below. */
  readonly prefixes: Int32Array
  readonly tokens: Int32Array
  /**
   * Kneser-Ney's counts: for the longest n-grams and those at the start of a text how often they occur, for the others after how many
   * different tokens.
   */
  readonly counts: Uint32Array
}

const maxEntries = 2 ** 29 // twice that many slots are as many as a typed array can be asked for safely

export const createNgramCounter = (order: number, vocabSize: number) => {
  const startId = vocabSize // stands before each text; never predicted
  const unigramCounts = new Uint32Array(vocabSize + 1)
  const levels = Array.from({ length: order - 1 }, createLevelTable)
  const raise = (length: number, index: number): void => {
    if (length === 1) unigramCounts[index]!++
    else levels[length - 2]!.raise(index)
  }
  let numTokens = 0

  /** Ids of the n-grams that end at a place, by length (0: the empty one); −1 where the text is too short for it. */
  let ending = new Int32Array(order + 1)
  let before = new Int32Array(order + 1)

  const see = (token: number, place: number): void => {
    numTokens++
    ;[ending, before] = [before, ending]
    ending.fill(-1)
    ending[0] = 0
    ending[1] = token
    const longest = Math.min(order, place + 1)
    for (let length = 2; length <= longest; length++) {
      const level = levels[length - 2]!
      const known = level.size()
      const index = level.findOrAdd(before[length - 1]!, token)
      ending[length] = index
      // A new n-gram is a new token before its own end.
      if (index === known) raise(length - 1, ending[length - 1]!)
    }
    // The longest n-grams keep their plain counts; so do those that begin with the start, which nothing stands before.
    raise(longest, ending[longest]!)
  }

  return {
    startId,
    numTokens: () => numTokens,
    /** Counts one text; its start is a token of its own. */
    add: (tokens: ArrayLike<number>): void => {
      ending.fill(-1)
      ending[0] = 0
      ending[1] = startId
      for (let i = 0; i < tokens.length; i++) see(tokens[i]!, i + 1)
    },
    unigramCounts,
    /** From pairs on. */
    levels: (): CountedLevel[] => levels.map((level) => level.entries()),
  }
}

const createLevelTable = () => {
  let capacity = 1 << 12
  let slots = new Int32Array(capacity).fill(-1)
  let prefixes = new Int32Array(capacity / 2)
  let tokens = new Int32Array(capacity / 2)
  let counts = new Uint32Array(capacity / 2)
  let size = 0
  const slotFor = (prefix: number, token: number): number => {
    let hash = Math.imul(prefix, 0x9e3779b1) ^ Math.imul(token, 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    let slot = (hash ^ (hash >>> 13)) & (capacity - 1)
    for (;;) {
      const index = slots[slot]!
      if (index === -1 || (prefixes[index] === prefix && tokens[index] === token)) return slot
      slot = (slot + 1) & (capacity - 1)
    }
  }
  const grow = (): void => {
    if (size >= maxEntries) throw new ConfigError(`n-gram model: more than ${maxEntries} different n-grams of one length; expected less text or a lower order`)
    capacity *= 2
    slots = new Int32Array(capacity).fill(-1)
    prefixes = enlarged(prefixes, new Int32Array(capacity / 2))
    tokens = enlarged(tokens, new Int32Array(capacity / 2))
    counts = enlarged(counts, new Uint32Array(capacity / 2))
    for (let index = 0; index < size; index++) slots[slotFor(prefixes[index]!, tokens[index]!)] = index
  }
  return {
    size: () => size,
    findOrAdd: (prefix: number, token: number): number => {
      const slot = slotFor(prefix, token)
      if (slots[slot] !== -1) return slots[slot]!
      slots[slot] = size
      prefixes[size] = prefix
      tokens[size] = token
      size++
      if (size * 2 >= capacity) grow()
      return size - 1
    },
    raise: (index: number): void => {
      counts[index]!++
    },
    entries: (): CountedLevel => ({ prefixes: prefixes.subarray(0, size), tokens: tokens.subarray(0, size), counts: counts.subarray(0, size) }),
  }
}

const enlarged = <T extends Int32Array | Uint32Array>(from: T, to: T): T => {
  to.set(from)
  return to
}
