// The list of files in a zip archive, and their bytes on demand: what .npz and PyTorch's .pt need of the format, zip64 included.
// Format: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3.
import { FormatError, UnsupportedError } from '@weft/contracts'
import type { ByteSource } from '@weft/sources'

export interface ZipEntry {
  readonly name: string
  /** Unpacked. */
  readonly sizeBytes: number
  /** Whether parts of it can be read without unpacking what comes before. */
  readonly isStored: boolean
  /** The part [offset, offset + length) of the unpacked bytes. */
  read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array>
}

// Above any checkpoint, below what could hurt.
const maxEntries = 1 << 20
const maxDirectoryBytes = 1 << 28
const maxUnpackedBytes = 2 ** 32

interface Directory {
  readonly offset: number
  readonly sizeBytes: number
  readonly count: number
}

interface Record {
  readonly name: string
  readonly method: number
  readonly packedBytes: number
  readonly sizeBytes: number
  readonly headerOffset: number
}

/** @throws FormatError for what is no zip archive, or a broken one; UnsupportedError for encryption and methods other than stored and deflated. */
export const openZip = async (source: ByteSource): Promise<ReadonlyMap<string, ZipEntry>> => {
  const directory = await findDirectory(source)
  if (directory.count > maxEntries || directory.sizeBytes > maxDirectoryBytes || directory.offset + directory.sizeBytes > source.sizeBytes) {
    throw new FormatError(`expected a zip directory inside the file, got ${directory.count} entries, ${directory.sizeBytes} bytes at ${directory.offset}`, { source: source.name })
  }
  const view = viewOf(await source.read(directory.offset, directory.sizeBytes))
  const entries = new Map<string, ZipEntry>()
  let at = 0
  for (let i = 0; i < directory.count; i++) {
    const place = { source: source.name, byteOffset: directory.offset + at }
    if (at + 46 > view.byteLength || view.getUint32(at, true) !== 0x02014b50) throw new FormatError('expected an entry of the zip directory', place)
    const { record, next } = readRecord(source, view, at)
    if (entries.has(record.name)) throw new FormatError('expected each file of the archive once, got it twice', { ...place, path: record.name })
    if (!record.name.endsWith('/')) entries.set(record.name, entryOf(source, record))
    at = next
  }
  return entries
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const u64 = (view: DataView, at: number): number => Number(view.getBigUint64(at, true))

/** The end record is the last thing in the file but for a comment of at most 65,535 bytes. */
const findDirectory = async (source: ByteSource): Promise<Directory> => {
  const tailBytes = Math.min(source.sizeBytes, 65_535 + 22 + 20)
  const tail = viewOf(await source.read(source.sizeBytes - tailBytes, tailBytes))
  for (let at = tailBytes - 22; at >= 0; at--) {
    if (tail.getUint32(at, true) !== 0x06054b50) continue
    const end = { count: tail.getUint16(at + 10, true), sizeBytes: tail.getUint32(at + 12, true), offset: tail.getUint32(at + 16, true) }
    const isLarge = end.count === 0xffff || end.sizeBytes === 0xffffffff || end.offset === 0xffffffff
    return isLarge && at >= 20 && tail.getUint32(at - 20, true) === 0x07064b50 ? readLargeDirectory(source, u64(tail, at - 12)) : end
  }
  throw new FormatError('expected a zip archive, its directory is missing: the file is cut off, or another format', { source: source.name })
}

const readLargeDirectory = async (source: ByteSource, offset: number): Promise<Directory> => {
  const view = viewOf(await source.read(offset, 56))
  if (view.getUint32(0, true) !== 0x06064b50) throw new FormatError('expected the zip64 end record', { source: source.name, byteOffset: offset })
  return { count: u64(view, 32), sizeBytes: u64(view, 40), offset: u64(view, 48) }
}

const readRecord = (source: ByteSource, view: DataView, at: number): { record: Record; next: number } => {
  const flags = view.getUint16(at + 8, true)
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.getUint16(at + field, true)) as [number, number, number]
  const next = at + 46 + nameBytes + extraBytes + commentBytes
  if (next > view.byteLength) throw new FormatError('expected a whole entry of the zip directory, it is cut off', { source: source.name })
  const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, nameBytes))
  const method = view.getUint16(at + 10, true)
  if ((flags & 1) !== 0) throw new UnsupportedError(`${source.name}: ${name} is encrypted`)
  if (method !== 0 && method !== 8) throw new UnsupportedError(`${source.name}: ${name} is packed by method ${method}; only stored and deflated files can be read`)
  const sizes = largeSizes(view, at, at + 46 + nameBytes, extraBytes)
  return { record: { name, method, ...sizes }, next }
}

/** Sizes that do not fit into 32 bits stand in an extra field, in this order, each only where its own field is full. */
const largeSizes = (view: DataView, at: number, extra: number, extraBytes: number): Pick<Record, 'packedBytes' | 'sizeBytes' | 'headerOffset'> => {
  const sizes = { sizeBytes: view.getUint32(at + 24, true), packedBytes: view.getUint32(at + 20, true), headerOffset: view.getUint32(at + 42, true) }
  for (let field = extra; field + 4 <= extra + extraBytes; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== 1) continue
    let value = field + 4
    for (const name of ['sizeBytes', 'packedBytes', 'headerOffset'] as const) {
      if (sizes[name] !== 0xffffffff || value + 8 > extra + extraBytes) continue
      sizes[name] = u64(view, value)
      value += 8
    }
  }
  return sizes
}

const entryOf = (source: ByteSource, record: Record): ZipEntry => {
  const { name, method, packedBytes, sizeBytes } = record
  const place = { source: source.name, path: name }
  let start: Promise<number> | undefined
  let whole: Promise<Uint8Array> | undefined
  const unpacked = async (): Promise<Uint8Array> => {
    start ??= dataStart(source, record)
    if (sizeBytes > maxUnpackedBytes) throw new UnsupportedError(`${source.name}: ${name} is deflated and unpacks to ${sizeBytes} bytes; store it instead`)
    return inflate(await source.read(await start, packedBytes), sizeBytes, place)
  }
  return {
    name,
    sizeBytes,
    isStored: method === 0,
    read: async (offset, length, into) => {
      if (offset < 0 || length < 0 || offset + length > sizeBytes) throw new FormatError(`expected ${length} bytes from ${offset} on, there are ${sizeBytes}`, place)
      if (method === 0) {
        start ??= dataStart(source, record)
        return source.read((await start) + offset, length, into)
      }
      whole ??= unpacked()
      const part = (await whole).subarray(offset, offset + length)
      if (into === undefined) return part.slice()
      into.set(part)
      return into.subarray(0, length)
    },
  }
}

/** Behind the file's own header, whose extra field differs from the directory's. */
const dataStart = async (source: ByteSource, { name, headerOffset }: Record): Promise<number> => {
  const view = viewOf(await source.read(headerOffset, 30))
  if (view.getUint32(0, true) !== 0x04034b50) throw new FormatError('expected the header of a file in the archive', { source: source.name, path: name, byteOffset: headerOffset })
  return headerOffset + 30 + view.getUint16(26, true) + view.getUint16(28, true)
}

/** Refuses to make more than was promised: a small file may claim to be small and unpack to anything. */
const inflate = async (packed: Uint8Array, sizeBytes: number, place: { readonly source: string; readonly path: string }): Promise<Uint8Array> => {
  const result = new Uint8Array(sizeBytes)
  const stream = new Blob([packed as BlobPart]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
  const reader = stream.getReader() as ReadableStreamDefaultReader<Uint8Array>
  let filled = 0
  try {
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      if (filled + value!.length > sizeBytes) throw new FormatError(`expected ${sizeBytes} unpacked bytes, there are more`, place)
      result.set(value!, filled)
      filled += value!.length
    }
  } catch (cause) {
    if (cause instanceof FormatError) throw cause
    throw new FormatError('expected deflated data, it is broken', place, { cause })
  } finally {
    await reader.cancel().catch(() => undefined)
  }
  if (filled !== sizeBytes) throw new FormatError(`expected ${sizeBytes} unpacked bytes, got ${filled}`, place)
  return result
}
