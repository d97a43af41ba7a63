// Which pairs of tokens merge, how early, and into what: an open hash table of four numbers per slot, so that a look-up touches one
// cache line.

export interface MergeTable {
  /** Per slot: left id (−1: free), right id, rank, merged id. */
  readonly slots: Int32Array
  readonly mask: number
}

const hashPair = (left: number, right: number): number => {
  const hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca77)
  return hash ^ (hash >>> 15)
}

/**
 * @param triples left, right and merged ids, in the order of the merges.
 * @param ranks the rank of each; the place in the list where absent. A pair that occurs twice keeps its later rank, as in
 *   huggingface/tokenizers.
 */
export const createMergeTable = (triples: Int32Array, ranks?: Int32Array): MergeTable => {
  const count = triples.length / 3
  let capacity = 16
  while (capacity < count * 2) capacity *= 2
  const slots = new Int32Array(capacity * 4)
  for (let at = 0; at < slots.length; at += 4) slots[at] = -1
  const mask = capacity - 1
  for (let i = 0; i < count; i++) {
    const left = triples[i * 3]!
    const right = triples[i * 3 + 1]!
    let slot = hashPair(left, right) & mask
    while (slots[slot * 4]! >= 0 && (slots[slot * 4] !== left || slots[slot * 4 + 1] !== right)) slot = (slot + 1) & mask
    const at = slot * 4
    slots[at] = left
    slots[at + 1] = right
    slots[at + 2] = ranks === undefined ? i : ranks[i]!
    slots[at + 3] = triples[i * 3 + 2]!
  }
  return { slots, mask }
}

/** Where the pair's four numbers begin in `slots`; −1 where the two do not merge. */
export const findMerge = (table: MergeTable, left: number, right: number): number => {
  const { slots, mask } = table
  for (let slot = hashPair(left, right) & mask; ; slot = (slot + 1) & mask) {
    const found = slots[slot * 4]!
    if (found === left && slots[slot * 4 + 1] === right) return slot * 4
    if (found < 0) return -1
  }
}
