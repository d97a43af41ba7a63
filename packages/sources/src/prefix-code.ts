// Canonical prefix codes of DEFLATE (RFC 1951, section 3.2.2): from code lengths to a table that is read with the next bits.

/** Codes up to this length are found with one look-up; longer ones are rare. */
export const primaryBits = 10

export interface PrefixCode {
  /** Next bits → symbol << 4 | length; 0: a longer code, or none. */
  readonly primary: Uint16Array
  /** The same for codes longer than `primaryBits`; 0: none. */
  longEntry(bits: number): number
}

/** @throws Error where the lengths describe no code. */
export const buildCode = (lengths: Uint8Array, what: string): PrefixCode => {
  const counts = new Uint16Array(16)
  for (const length of lengths) counts[length]!++
  counts[0] = 0
  checkCounts(counts, what)
  const nextCode = new Uint16Array(16)
  for (let length = 1; length < 15; length++) nextCode[length + 1] = (nextCode[length]! + counts[length]!) << 1
  const primary = new Uint16Array(1 << primaryBits)
  const long = new Map<number, number>() // length << 16 | reversed code → entry
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]!
    if (length === 0) continue
    const code = reverse(nextCode[length]!++, length)
    const entry = (symbol << 4) | length
    if (length > primaryBits) long.set((length << 16) | code, entry)
    else for (let at = code; at < primary.length; at += 1 << length) primary[at] = entry
  }
  return { primary, longEntry: longLookup(long) }
}

const longLookup = (long: ReadonlyMap<number, number>) => (bits: number): number => {
  if (long.size === 0) return 0
  for (let length = primaryBits + 1; length <= 15; length++) {
    const entry = long.get((length << 16) | (bits & ((1 << length) - 1)))
    if (entry !== undefined) return entry
  }
  return 0
}

/** A code must use all bit patterns; as with zlib, a single code of one bit, and no code at all, may leave some unused. */
const checkCounts = (counts: Uint16Array, what: string): void => {
  let left = 1
  let total = 0
  for (let length = 1; length <= 15; length++) {
    left = left * 2 - counts[length]!
    total += counts[length]!
    if (left < 0) throw new Error(`too many ${what} of one length`)
  }
  const mayBeIncomplete = what !== 'code lengths' && (total === 0 || (total === 1 && counts[1] === 1))
  if (left > 0 && !mayBeIncomplete) throw new Error(`unused bit patterns in the code of ${what}`)
}

const reverse = (code: number, length: number): number => {
  let reversed = 0
  for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit)
  return reversed
}

let fixed: { literals: PrefixCode; distances: PrefixCode } | undefined

const fixedCodes = () => {
  fixed ??= {
    literals: buildCode(Uint8Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)), 'literals'),
    distances: buildCode(new Uint8Array(32).fill(5), 'distances'),
  }
  return fixed
}

/** The codes that blocks of kind 1 use. */
export const fixedLiterals = (): PrefixCode => fixedCodes().literals
export const fixedDistances = (): PrefixCode => fixedCodes().distances
