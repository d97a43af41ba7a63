// A vocabulary: token as files write it → id, and back. An open hash table over one pool of UTF-16 units, so that the half million
// merges of a file are looked up, part by part and joined, without a string being made; `__proto__` is a token like any other.

export interface TokenIds {
  /** One more than the largest id. */
  readonly size: number
  /** In the order of the file. */
  readonly tokens: readonly string[]
  readonly ids: Int32Array
  get(token: string): number | undefined
  /** The id of left[leftFrom, leftTo) and right[rightFrom, rightTo) together; −1 where there is no such token. */
  findJoined(left: string, leftFrom: number, leftTo: number, right: string, rightFrom: number, rightTo: number): number
  /** The token with this id, the last of the file where several have it. */
  tokenAt(id: number): string | undefined
}

export const createTokenIds = (tokens: readonly string[], ids: Int32Array): TokenIds => {
  const count = tokens.length
  let capacity = 16
  while (capacity < count * 2) capacity *= 2
  const mask = capacity - 1
  const slots = new Int32Array(capacity).fill(-1)
  const hashes = new Int32Array(count)
  const starts = new Int32Array(count + 1)
  for (let i = 0; i < count; i++) starts[i + 1] = starts[i]! + tokens[i]!.length
  const pool = new Uint16Array(starts[count]!)

  const isEqual = (index: number, left: string, leftFrom: number, leftLength: number, right: string, rightFrom: number, rightLength: number): boolean => {
    const start = starts[index]!
    if (starts[index + 1]! - start !== leftLength + rightLength) return false
    for (let i = 0; i < leftLength; i++) if (pool[start + i] !== left.charCodeAt(leftFrom + i)) return false
    for (let i = 0; i < rightLength; i++) if (pool[start + leftLength + i] !== right.charCodeAt(rightFrom + i)) return false
    return true
  }
  const locate = (left: string, leftFrom: number, leftTo: number, right: string, rightFrom: number, rightTo: number, hash: number): number => {
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const index = slots[slot]!
      if (index < 0 || (hashes[index] === hash && isEqual(index, left, leftFrom, leftTo - leftFrom, right, rightFrom, rightTo - rightFrom))) return slot
    }
  }
  const findJoined: TokenIds['findJoined'] = (left, leftFrom, leftTo, right, rightFrom, rightTo) => {
    const hash = finished(hashed(right, rightFrom, rightTo, hashed(left, leftFrom, leftTo, seed)))
    const index = slots[locate(left, leftFrom, leftTo, right, rightFrom, rightTo, hash)]!
    return index < 0 ? -1 : ids[index]!
  }

  let size = 0
  for (let index = 0; index < count; index++) {
    const token = tokens[index]!
    const hash = finished(hashed(token, 0, token.length, seed))
    for (let i = 0, at = starts[index]!; i < token.length; i++) pool[at++] = token.charCodeAt(i)
    hashes[index] = hash
    slots[locate(token, 0, token.length, '', 0, 0, hash)] = index // of equal tokens the last counts
    size = Math.max(size, ids[index]! + 1)
  }
  const byId = new Int32Array(size).fill(-1)
  for (let index = 0; index < count; index++) byId[ids[index]!] = index
  return {
    size,
    tokens,
    ids,
    findJoined,
    get: (token) => {
      const id = findJoined(token, 0, token.length, '', 0, 0)
      return id < 0 ? undefined : id
    },
    tokenAt: (id) => tokens[byId[id] ?? -1],
  }
}

const seed = 0x811c9dc5 | 0

const hashed = (text: string, from: number, to: number, hash: number): number => {
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}

const finished = (hash: number): number => hash ^ (hash >>> 15)

/** Tokens whose ids are their places. */
export const numberedTokens = (tokens: readonly string[]): TokenIds => createTokenIds(tokens, Int32Array.from(tokens, (_, id) => id))

export const byteToken = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`

/** The ids of the 256 tokens `<0x00>` to `<0xFF>`, −1 where one is missing. */
export const byteTokenIds = (tokenToId: (token: string) => number | undefined): Int32Array =>
  Int32Array.from({ length: 256 }, (_, byte) => tokenToId(byteToken(byte)) ?? -1)
