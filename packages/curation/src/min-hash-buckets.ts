// Which rows of one bucket file agree in all hashes, as pairs in datatrove's order: signatures ascending (their hashes compared one after
// the other), within equal ones each row with the one before. The order decides which document of a cluster is kept.
import type { ByteSource } from '@weft/sources'
import { createBufferedReader } from './document-spool.ts'
import { createXxHash64 } from './hash/xx-hash64.ts'

/** @returns pairs of rows, [earlier, later]. */
export const findBucketPairs = async (source: ByteSource, rows: number, hashesPerBucket: number): Promise<[number, number][]> => {
  const recordBytes = hashesPerBucket * 8
  const groups = await groupEqualRows(source, rows, recordBytes)
  const signatures = new Map<readonly number[], Uint32Array>()
  for (const group of groups) signatures.set(group, new Uint32Array((await source.read(group[0]! * recordBytes, recordBytes)).slice().buffer))
  groups.sort((a, b) => compareSignatures(signatures.get(a)!, signatures.get(b)!))
  return groups.flatMap((group) => group.slice(1).map((row, i): [number, number] => [group[i]!, row]))
}

/** Rows with equal records, ascending, for those that have company. Records are compared by a 64-bit hash. */
const groupEqualRows = async (source: ByteSource, rows: number, recordBytes: number): Promise<number[][]> => {
  const capacity = 2 ** Math.ceil(Math.log2(rows * 2 + 2))
  const slots = new Int32Array(capacity).fill(-1)
  const high = new Int32Array(rows)
  const low = new Int32Array(rows)
  const groups = new Map<number, number[]>()
  const hasher = createXxHash64()
  const reader = createBufferedReader(source)
  for (let row = 0; row < rows; row++) {
    hasher.hash(await reader.read(recordBytes), 0, recordBytes)
    high[row] = hasher.high
    low[row] = hasher.low
    let slot = hasher.low & (capacity - 1)
    while (slots[slot] !== -1 && (high[slots[slot]!] !== hasher.high || low[slots[slot]!] !== hasher.low)) slot = (slot + 1) & (capacity - 1)
    const first = slots[slot]!
    if (first === -1) slots[slot] = row
    else if (groups.has(first)) groups.get(first)!.push(row)
    else groups.set(first, [first, row])
  }
  return [...groups.values()]
}

/** Hashes are [low, high] halves. */
const compareSignatures = (a: Uint32Array, b: Uint32Array): number => {
  for (let i = 0; i < a.length; i += 2) {
    const difference = a[i + 1]! - b[i + 1]! || a[i]! - b[i]!
    if (difference !== 0) return difference
  }
  return 0
}
