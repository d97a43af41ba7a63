// The protobuf wire format, read field by field from bytes that come from outside: every length is checked against what is there, and
// an error names the byte. It knows no message; those say what a field number means.
// Reference: protobuf.dev/programming-guides/encoding.
import { FormatError } from '@weft/contracts'

export interface ProtobufField {
  readonly number: number
  /** Where the field's tag stands in the whole file. */
  readonly offset: number
  /** @throws FormatError where the field is written as another type. */
  bytes(): Uint8Array
  string(): string
  float(): number
  /** A 32-bit integer as int32 and enums write it: negative ones as 64 bits. */
  integer(): number
  boolean(): boolean
  /** The fields of the message inside. */
  message(): Generator<ProtobufField>
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })

/**
 * The fields of a message, in order; groups (obsolete since 2008) are refused.
 * @param source the file's name, for errors.
 * @throws FormatError with the byte where the file is cut off or no protobuf.
 */
export function* readProtobuf(bytes: Uint8Array, source?: string, start = 0, end = bytes.length): Generator<ProtobufField> {
  const fail = (what: string, offset: number): FormatError => new FormatError(what, { byteOffset: offset, ...(source === undefined ? {} : { source }) })
  for (let at = start; at < end; ) {
    const offset = at
    const tag = readVarint(bytes, at, end)
    if (tag === undefined) throw fail('expected the tag of a protobuf field; the file is cut off or no protobuf', offset)
    const number = Number(tag.value >> 3n)
    if (number < 1 || number >= 2 ** 29) throw fail(`expected a protobuf field number from 1 to 536870911, got ${number}`, offset)
    const type = Number(tag.value & 7n)
    const span = payloadSpan(bytes, type, tag.end, end)
    if (span === 'unknown') throw fail(`expected a protobuf wire type 0, 1, 2 or 5, got ${type}`, offset)
    if (span === undefined) throw fail(`field ${number} reaches beyond its message, which ends at byte ${end}; the file is cut off or no protobuf`, offset)
    yield fieldOf(bytes, { number, offset, type, from: span.from, to: span.to }, fail, source)
    at = span.to
  }
}

interface FieldPlace {
  readonly number: number
  readonly offset: number
  readonly type: number
  readonly from: number
  readonly to: number
}

const fieldOf = (bytes: Uint8Array, place: FieldPlace, fail: (what: string, offset: number) => FormatError, source: string | undefined): ProtobufField => {
  const { number, offset, type, from, to } = place
  const expectType = (wanted: number, name: string): void => {
    if (type !== wanted) throw fail(`field ${number}: expected ${name} (wire type ${wanted}), got wire type ${type}`, offset)
  }
  const integer = (): number => {
    expectType(0, 'an integer')
    return Number(BigInt.asIntN(32, readVarint(bytes, from, to)!.value))
  }
  return {
    number,
    offset,
    integer,
    boolean: () => integer() !== 0,
    bytes: () => {
      expectType(2, 'bytes')
      return bytes.subarray(from, to)
    },
    string: () => {
      expectType(2, 'a string')
      try {
        return utf8.decode(bytes.subarray(from, to))
      } catch {
        throw fail(`field ${number}: expected UTF-8`, offset)
      }
    },
    float: () => {
      expectType(5, 'a 32-bit float')
      return new DataView(bytes.buffer, bytes.byteOffset + from, 4).getFloat32(0, true)
    },
    message: () => {
      expectType(2, 'a message')
      return readProtobuf(bytes, source, from, to)
    },
  }
}

const readVarint = (bytes: Uint8Array, at: number, end: number): { value: bigint; end: number } | undefined => {
  let value = 0n
  for (let shift = 0n; shift < 70n && at < end; shift += 7n) {
    const byte = bytes[at++]!
    value |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) return { value, end: at }
  }
  return undefined
}

const payloadSpan = (bytes: Uint8Array, type: number, at: number, end: number): { from: number; to: number } | undefined | 'unknown' => {
  if (type === 0) {
    const found = readVarint(bytes, at, end)
    return found && { from: at, to: found.end }
  }
  if (type === 1 || type === 5) {
    const to = at + (type === 1 ? 8 : 4)
    return to > end ? undefined : { from: at, to }
  }
  if (type !== 2) return 'unknown'
  const length = readVarint(bytes, at, end)
  if (length === undefined || length.value > BigInt(end - length.end)) return undefined
  return { from: length.end, to: length.end + Number(length.value) }
}
