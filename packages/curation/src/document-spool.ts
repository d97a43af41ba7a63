// Documents on their way through scratch space between two stages: written once in order, read back once in order.
// A record is a 4-byte little-endian length and that many bytes of JSON in UTF-8 (lone surrogates survive as escapes).
import { FormatError, type TextDocument } from '@weft/contracts'
import type { ByteSink, ByteSource, ScratchStore } from '@weft/sources'
import type { Edit } from './step.ts'

/** A document between two stages, with what has happened to it so far. */
export interface Traveller {
  readonly document: TextDocument
  readonly edits: readonly Edit[]
  readonly addedBy?: string
}

const chunkBytes = 1 << 20 // few enough writes, small beside any document set

/** Joins small writes into larger ones. */
export const createBufferedSink = (sink: ByteSink, bufferBytes = chunkBytes) => {
  const buffer = new Uint8Array(bufferBytes)
  let filled = 0
  const flush = async (): Promise<void> => {
    if (filled === 0) return
    await sink.write(buffer.subarray(0, filled))
    filled = 0
  }
  return {
    write: async (bytes: Uint8Array): Promise<void> => {
      if (filled + bytes.length > bufferBytes) await flush()
      if (bytes.length > bufferBytes) return sink.write(bytes)
      buffer.set(bytes, filled)
      filled += bytes.length
    },
    commit: async (): Promise<void> => {
      await flush()
      await sink.commit()
    },
    abort: () => sink.abort(),
  }
}

/** Reads a source from its start in chunks. */
export const createBufferedReader = (source: ByteSource) => {
  let chunk = new Uint8Array(0)
  let at = 0
  let offset = 0
  const fill = async (length: number): Promise<void> => {
    const rest = chunk.subarray(at)
    const wanted = Math.min(Math.max(chunkBytes, length - rest.length), source.sizeBytes - offset)
    const next = await source.read(offset, wanted)
    offset += next.length
    const joined = new Uint8Array(rest.length + next.length)
    joined.set(rest)
    joined.set(next, rest.length)
    chunk = joined
    at = 0
  }
  return {
    isAtEnd: () => at === chunk.length && offset >= source.sizeBytes,
    read: async (length: number): Promise<Uint8Array> => {
      if (chunk.length - at < length) await fill(length)
      if (chunk.length - at < length) {
        throw new FormatError(`expected ${length} more bytes of scratch data, got ${chunk.length - at}; was the file changed?`, { source: source.name })
      }
      at += length
      return chunk.subarray(at - length, at)
    },
  }
}

/** Opens a spool for writing; after `commit`, `read` gives the documents back and removes the file. */
export const createDocumentSpool = async (scratch: ScratchStore, name: string) => {
  const sink = createBufferedSink(await scratch.create(name))
  const encoder = new TextEncoder()
  const frame = new Uint8Array(4)
  return {
    write: async (traveller: Traveller): Promise<void> => {
      const bytes = encoder.encode(JSON.stringify(traveller))
      new DataView(frame.buffer).setUint32(0, bytes.length, true)
      await sink.write(frame)
      await sink.write(bytes)
    },
    commit: () => sink.commit(),
    /** For when it will not be read. */
    discard: async (): Promise<void> => {
      await sink.abort()
      await scratch.remove(name)
    },
    read: () => readSpool(scratch, name),
  }
}

async function* readSpool(scratch: ScratchStore, name: string): AsyncGenerator<Traveller> {
  const source = await scratch.open(name)
  try {
    const reader = createBufferedReader(source)
    const decoder = new TextDecoder()
    while (!reader.isAtEnd()) {
      const frame = await reader.read(4)
      const length = new DataView(frame.buffer, frame.byteOffset, 4).getUint32(0, true)
      yield JSON.parse(decoder.decode(await reader.read(length))) as Traveller
    }
  } finally {
    await source.close?.()
    await scratch.remove(name)
  }
}
