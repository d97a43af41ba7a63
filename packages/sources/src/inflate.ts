// DEFLATE (RFC 1951), decoded a piece at a time. Written here because the platforms' own decoders differ where it matters: a
// browser's DecompressionStream refuses a second gzip member and does not say where the first one ended.
import { buildCode, fixedDistances, fixedLiterals, primaryBits, type PrefixCode } from './prefix-code.ts'

/** Bits of a stream whose bytes arrive in chunks, lowest bit of each byte first. */
export interface BitInput {
  bytes: Uint8Array
  /** The next byte to take into `buffer`. */
  position: number
  buffer: number
  /** How many bits of `buffer` are valid, at most 32. */
  count: number
  /** How many zero bytes were made up beyond the end of `bytes`. */
  overrun: number
}

/** The bytes that must be there (or be the last ones) before `step`: a block's code lengths take at most 569. */
export const inflateLookahead = 1024

const windowBytes = 2 ** 15
const pieceBytes = 2 ** 16
const longestMatch = 258

/**
 * Decodes one DEFLATE stream.
 * @returns `step(isLast)`: some more output (possibly none), and whether the stream ended. It stops when its buffer is full or the
 * input runs low; `isLast` says that no more input will come. @throws Error with the reason for a broken stream.
 */
export const createInflater = (input: BitInput): { step(isLast: boolean): { bytes: Uint8Array; isDone: boolean } } => {
  const window = new Uint8Array(windowBytes + pieceBytes + longestMatch)
  let start = 0 // of what was not given out yet
  let end = 0
  let block: Block = { kind: 'header' }
  let isFinalBlock = false

  /** Gives out what was decoded; the last 32 KiB stay, matches refer to them. */
  const takeOutput = (): Uint8Array => {
    const bytes = window.slice(start, end)
    if (end > windowBytes) {
      window.copyWithin(0, end - windowBytes, end)
      end = windowBytes
    }
    start = end
    return bytes
  }
  const openBlock = (): void => {
    isFinalBlock = takeBits(input, 1) === 1
    const kind = takeBits(input, 2)
    if (kind === 0) block = { kind: 'stored', left: storedLength(input) }
    else if (kind === 1) block = { kind: 'coded', literals: fixedLiterals(), distances: fixedDistances() }
    else if (kind === 2) block = { kind: 'coded', ...readCodes(input) }
    else throw new Error('a block of unknown kind')
  }
  return {
    step(isLast) {
      const limit = windowBytes + pieceBytes
      while (end < limit && (isLast || input.bytes.length - input.position >= inflateLookahead)) {
        if (block.kind === 'done') break
        if (block.kind === 'header') openBlock()
        else if (block.kind === 'stored') {
          const count = copyStored(input, window.subarray(end, Math.min(limit, end + block.left)))
          end += count
          block.left -= count
          if (block.left > 0 && count === 0) throw new Error('the data ends in the middle of a block')
          if (block.left === 0) block = { kind: isFinalBlock ? 'done' : 'header' }
        } else {
          const ended = inflateCoded(input, block, window, end, limit, isLast)
          end = ended.end
          if (ended.isBlockEnd) block = { kind: isFinalBlock ? 'done' : 'header' }
        }
        if (input.overrun * 8 > input.count) throw new Error('the data ends too early')
      }
      return { bytes: takeOutput(), isDone: block.kind === 'done' }
    },
  }
}

type Block =
  | { kind: 'header' }
  | { kind: 'done' }
  | { kind: 'stored'; left: number }
  | { kind: 'coded'; literals: PrefixCode; distances: PrefixCode }

/** At least 25 valid bits; zeros beyond the end, counted in `overrun`. */
const fill = (input: BitInput): void => {
  while (input.count <= 24) {
    if (input.position < input.bytes.length) input.buffer |= input.bytes[input.position++]! << input.count
    else input.overrun++
    input.count += 8
  }
}

const takeBits = (input: BitInput, count: number): number => {
  fill(input)
  const bits = input.buffer & ((1 << count) - 1)
  input.buffer >>>= count
  input.count -= count
  return bits
}

/** Drops the bits up to the next whole byte and gives back the whole bytes that were taken too early. */
export const alignToByte = (input: BitInput): void => {
  const whole = input.count >> 3
  const made = Math.min(whole, input.overrun)
  input.position -= whole - made
  input.overrun -= made
  input.buffer = 0
  input.count = 0
}

const storedLength = (input: BitInput): number => {
  alignToByte(input)
  const length = takeBits(input, 16)
  if ((takeBits(input, 16) ^ 0xffff) !== length) throw new Error('a stored block whose length does not match its complement')
  alignToByte(input)
  return length
}

const copyStored = (input: BitInput, target: Uint8Array): number => {
  const part = input.bytes.subarray(input.position, input.position + target.length)
  target.set(part)
  input.position += part.length
  return part.length
}

// In this order the lengths of the code for code lengths are stored, so that rare ones can be left out at the end.
const lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

const readCodes = (input: BitInput): { literals: PrefixCode; distances: PrefixCode } => {
  const numLiterals = takeBits(input, 5) + 257
  const numDistances = takeBits(input, 5) + 1
  const numLengths = takeBits(input, 4) + 4
  if (numLiterals > 286 || numDistances > 30) throw new Error('too many codes in a block')
  const order = new Uint8Array(19)
  for (let i = 0; i < numLengths; i++) order[lengthOrder[i]!] = takeBits(input, 3)
  const lengthCode = buildCode(order, 'code lengths')
  const lengths = new Uint8Array(numLiterals + numDistances)
  for (let at = 0; at < lengths.length; ) {
    const symbol = takeSymbol(input, lengthCode)
    if (symbol < 16) {
      lengths[at++] = symbol
      continue
    }
    if (symbol === 16 && at === 0) throw new Error('a repeated code length without one before it')
    const value = symbol === 16 ? lengths[at - 1]! : 0
    const repeat = symbol === 16 ? 3 + takeBits(input, 2) : symbol === 17 ? 3 + takeBits(input, 3) : 11 + takeBits(input, 7)
    if (at + repeat > lengths.length) throw new Error('more code lengths than codes')
    lengths.fill(value, at, at + repeat)
    at += repeat
  }
  if (lengths[256] === 0) throw new Error('a block without an end')
  return { literals: buildCode(lengths.subarray(0, numLiterals), 'literals'), distances: buildCode(lengths.subarray(numLiterals), 'distances') }
}

const takeSymbol = (input: BitInput, code: PrefixCode): number => {
  fill(input)
  const entry = code.primary[input.buffer & ((1 << primaryBits) - 1)]! || code.longEntry(input.buffer)
  const length = entry & 15
  if (length === 0) throw new Error('bits that are no code')
  input.buffer >>>= length
  input.count -= length
  return entry >>> 4
}

const lengthBase = Uint16Array.from([3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258])
const lengthExtra = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0])
const distanceBase = Uint16Array.from([
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
])
const distanceExtra = Uint8Array.from([0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13])

/**
 * The hot loop: literals and matches until the block, the room or the input ends. It keeps the bit buffer in locals (twice as fast
 * as takeSymbol and takeBits); 25 bits hold a length with its extra bits (20), and then a distance (15).
 */
const inflateCoded = (
  input: BitInput,
  code: { readonly literals: PrefixCode; readonly distances: PrefixCode },
  window: Uint8Array,
  from: number,
  limit: number,
  isLast: boolean,
): { end: number; isBlockEnd: boolean } => {
  const { literals, distances } = code
  const { primary } = literals
  const mask = (1 << primaryBits) - 1
  const { bytes } = input
  const lastStart = isLast ? Infinity : bytes.length - 16 // a literal or match takes at most 48 bits
  let { position, buffer, count } = input
  let end = from
  let isBlockEnd = false
  while (end < limit && position < lastStart) {
    while (count <= 24) {
      if (position < bytes.length) buffer |= bytes[position++]! << count
      else if (++input.overrun > 8) throw new Error('the data ends too early')
      count += 8
    }
    const entry = primary[buffer & mask]! || literals.longEntry(buffer)
    const used = entry & 15
    if (used === 0) throw new Error('bits that are no code')
    buffer >>>= used
    count -= used
    const symbol = entry >>> 4
    if (symbol < 256) {
      window[end++] = symbol
      continue
    }
    if (symbol === 256) {
      isBlockEnd = true
      break
    }
    if (symbol > 285) throw new Error('an unknown length')
    const extra = lengthExtra[symbol - 257]!
    const length = lengthBase[symbol - 257]! + (buffer & ((1 << extra) - 1))
    input.position = position
    input.buffer = buffer >>> extra
    input.count = count - extra
    const distance = takeDistance(input, distances)
    if (distance > end) throw new Error('a match that begins before the data')
    copyMatch(window, end, distance, length)
    end += length
    ;({ position, buffer, count } = input)
  }
  input.position = position
  input.buffer = buffer
  input.count = count
  return { end, isBlockEnd }
}

const takeDistance = (input: BitInput, distances: PrefixCode): number => {
  const symbol = takeSymbol(input, distances)
  if (symbol > 29) throw new Error('an unknown distance')
  return distanceBase[symbol]! + takeBits(input, distanceExtra[symbol]!)
}

/** A match may run into itself: then it repeats. Below some 40 bytes a loop beats the call. */
const copyMatch = (window: Uint8Array, end: number, distance: number, length: number): void => {
  if (length > 40 && distance >= length) window.copyWithin(end, end - distance, end - distance + length)
  else for (let to = end, from = end - distance; to < end + length; to++, from++) window[to] = window[from]!
}
