// A growing set of byte strings, numbered in the order in which they came: an open hash table over one pool of bytes, so that
// looking up a stretch of a buffer makes no object.

export interface ByteStringTable {
  readonly size: number
  /** The number of this byte string; a new one gets the next number. */
  intern(bytes: Uint8Array, start: number, end: number): number
  /** Its number, −1 where it is not in the set. */
  find(bytes: Uint8Array, start: number, end: number): number
  /** A view that holds until the next `intern`. */
  at(index: number): Uint8Array
}

/** FNV-1a with a final mix. */
export const hashBytes = (bytes: Uint8Array, start: number, end: number): number => {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash ^ (hash >>> 15)
}

export const createByteStringTable = (): ByteStringTable => {
  let slots = new Int32Array(4096).fill(-1)
  let hashes = new Int32Array(1024)
  let starts = new Float64Array(1025) // beyond 2^31 bytes an Int32Array would not do
  let pool = new Uint8Array(16_384)
  let size = 0

  const locate = (bytes: Uint8Array, start: number, end: number, hash: number): number => {
    const mask = slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const index = slots[slot]!
      if (index < 0 || (hashes[index] === hash && isEqual(index, bytes, start, end))) return slot
    }
  }
  const isEqual = (index: number, bytes: Uint8Array, start: number, end: number): boolean => {
    const from = starts[index]!
    const length = end - start
    if (starts[index + 1]! - from !== length) return false
    for (let i = 0; i < length; i++) if (pool[from + i] !== bytes[start + i]) return false
    return true
  }
  const grow = (): void => {
    hashes = enlarged(hashes, new Int32Array(size * 2))
    starts = enlarged(starts, new Float64Array(size * 2 + 1))
    slots = new Int32Array(slots.length * 2).fill(-1)
    const mask = slots.length - 1
    for (let index = 0; index < size; index++) {
      let slot = hashes[index]! & mask
      while (slots[slot]! >= 0) slot = (slot + 1) & mask
      slots[slot] = index
    }
  }

  return {
    get size() {
      return size
    },
    find: (bytes, start, end) => slots[locate(bytes, start, end, hashBytes(bytes, start, end))]!,
    at: (index) => pool.subarray(starts[index]!, starts[index + 1]!),
    intern: (bytes, start, end) => {
      const hash = hashBytes(bytes, start, end)
      let slot = locate(bytes, start, end, hash)
      if (slots[slot]! >= 0) return slots[slot]!
      if (size === hashes.length) {
        grow()
        slot = locate(bytes, start, end, hash)
      }
      const from = starts[size]!
      const to = from + end - start
      if (to > pool.length) pool = enlarged(pool, new Uint8Array(Math.max(pool.length * 2, to)))
      for (let i = start; i < end; i++) pool[from + i - start] = bytes[i]!
      hashes[size] = hash
      starts[size + 1] = to
      slots[slot] = size
      return size++
    },
  }
}

const enlarged = <T extends Int32Array | Uint8Array | Float64Array>(from: T, to: T): T => {
  to.set(from)
  return to
}
