// 64-bit unsigned arithmetic on two 32-bit halves. BigInt would allocate on every operation; hashing runs millions of them.

/** High 32 bits of the 64-bit product of two unsigned 32-bit numbers (any int32 is read as unsigned). */
export const multiplyHigh = (a: number, b: number): number => {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16) // < 2^32, exact
  const middle2 = aLow * bHigh + (middle & 0xffff)
  return (aHigh * bHigh + (middle >>> 16) + (middle2 >>> 16)) | 0
}

/** 1 if low halves a + b carried, given their sum (all read as unsigned). */
export const carry = (sum: number, a: number): number => (sum >>> 0 < a >>> 0 ? 1 : 0)

/** A hash function of bytes; the result's halves are left in `high` and `low`, as int32. */
export interface Hasher64 {
  high: number
  low: number
  hash(bytes: Uint8Array, from: number, to: number): void
}
