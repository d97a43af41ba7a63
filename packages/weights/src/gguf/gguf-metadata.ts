// The key-value part of a GGUF header. Types and limits: docs/gguf.md of ggml-org/ggml; the limits on counts and depth are Weft's, far
// above any real file.
import type { Json } from '@weft/contracts'
import type { GgufCursor } from './gguf-cursor.ts'

const maxKeyBytes = 65_535
const maxStringBytes = 1 << 26
const maxEntries = 1 << 20
const maxArrayDepth = 4

const valueTypes = { u8: 0, i8: 1, u16: 2, i16: 3, u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9, u64: 10, i64: 11, f64: 12 } as const

/** A 64-bit integer as JSON has it: beyond 2^53 its decimal digits. */
const integer = (value: bigint): Json => (value >= -limit && value <= limit ? Number(value) : String(value))
const limit = BigInt(Number.MAX_SAFE_INTEGER)
const float = (value: number): Json => (Number.isFinite(value) ? value : null)

type Reader = { readonly width: number; readonly read: (view: DataView, at: number, isLittleEndian: boolean) => Json }

const readers: Readonly<Record<number, Reader>> = {
  [valueTypes.u8]: { width: 1, read: (view, at) => view.getUint8(at) },
  [valueTypes.i8]: { width: 1, read: (view, at) => view.getInt8(at) },
  [valueTypes.u16]: { width: 2, read: (view, at, little) => view.getUint16(at, little) },
  [valueTypes.i16]: { width: 2, read: (view, at, little) => view.getInt16(at, little) },
  [valueTypes.u32]: { width: 4, read: (view, at, little) => view.getUint32(at, little) },
  [valueTypes.i32]: { width: 4, read: (view, at, little) => view.getInt32(at, little) },
  [valueTypes.f32]: { width: 4, read: (view, at, little) => float(view.getFloat32(at, little)) },
  [valueTypes.bool]: { width: 1, read: (view, at) => view.getUint8(at) !== 0 },
  [valueTypes.u64]: { width: 8, read: (view, at, little) => integer(view.getBigUint64(at, little)) },
  [valueTypes.i64]: { width: 8, read: (view, at, little) => integer(view.getBigInt64(at, little)) },
  [valueTypes.f64]: { width: 8, read: (view, at, little) => float(view.getFloat64(at, little)) },
}

/** @throws FormatError, naming key and place, for what the format does not allow. */
export const readMetadata = async (cursor: GgufCursor, count: number): Promise<Map<string, Json>> => {
  if (count > maxEntries) throw cursor.fail(`expected at most ${maxEntries} metadata entries, got ${count}`)
  const metadata = new Map<string, Json>()
  for (let i = 0; i < count; i++) {
    const key = await cursor.string(maxKeyBytes, 'a metadata key')
    if (metadata.has(key)) throw cursor.fail('expected each key once, got it twice', key)
    metadata.set(key, await readValue(cursor, await cursor.u32(), key, 0))
  }
  return metadata
}

const readValue = async (cursor: GgufCursor, type: number, key: string, depth: number): Promise<Json> => {
  if (type === valueTypes.string) return cursor.string(maxStringBytes, `the value of ${key}`)
  if (type === valueTypes.array) return readArray(cursor, key, depth + 1)
  const [value] = await cursor.numbers(1, readerOf(cursor, type, key).width, readerOf(cursor, type, key).read)
  return value!
}

const readArray = async (cursor: GgufCursor, key: string, depth: number): Promise<Json> => {
  if (depth > maxArrayDepth) throw cursor.fail(`expected arrays at most ${maxArrayDepth} deep`, key)
  const type = await cursor.u32()
  const length = await cursor.size(`length of ${key}`)
  if (type !== valueTypes.string && type !== valueTypes.array) {
    const { width, read } = readerOf(cursor, type, key)
    return cursor.numbers(length, width, read)
  }
  // Each item takes 8 bytes at least: a length that cannot be is refused before anything is made.
  if (length * 8 > cursor.bytesLeft) throw cursor.fail(`expected ${length} items, the file ends ${cursor.bytesLeft} bytes from here`, key)
  const items: Json[] = []
  for (let i = 0; i < length; i++) items.push(await readValue(cursor, type, key, depth))
  return items
}

const readerOf = (cursor: GgufCursor, type: number, key: string): Reader => {
  const reader = readers[type]
  if (reader === undefined) throw cursor.fail(`expected a metadata type of 0 to 12, got ${type}`, key)
  return reader
}
