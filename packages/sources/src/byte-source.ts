// Bytes with random access (ByteSource) or in order (ByteStream), whatever they come from. Knows no format.
import { ConfigError, FormatError } from '@weft/contracts'

/** Bytes of a known size that can be read at any offset. `close` frees what it holds, twice if need be. */
export interface ByteSource {
  /** What errors and progress call it: a path, an address, a file name. */
  readonly name: string
  readonly sizeBytes: number
  /**
   * Exactly `length` bytes from `offset` on.
   * @param into where to put them, from its start; the result is then a view of it. Otherwise the result is a buffer of its own.
   * @throws FormatError when the range goes beyond the end; ConfigError for an impossible range or an `into` that is too small.
   */
  read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array>
  close?(): Promise<void>
}

/** Bytes in order, once. */
export interface ByteStream extends AsyncIterable<Uint8Array> {
  readonly name?: string
}

/** What readers accept: a source, a stream, or the platform's ReadableStream (a fetch's `response.body`). */
export type ByteInput = ByteSource | ByteStream | ReadableStream<Uint8Array>

/** A source over bytes in memory. They are not copied until read. */
export const bytesSource = (name: string, bytes: Uint8Array): ByteSource => ({
  name,
  sizeBytes: bytes.length,
  read: async (offset, length, into) => {
    checkRange({ name, sizeBytes: bytes.length }, offset, length, into)
    const part = bytes.subarray(offset, offset + length)
    if (into === undefined) return part.slice()
    into.set(part)
    return into.subarray(0, length)
  },
})

/** A source over a Blob or a File, for example from a file input in the browser. */
export const blobSource = (blob: Blob, options: { readonly name?: string } = {}): ByteSource => {
  const name = options.name ?? (('name' in blob && typeof blob.name === 'string' && blob.name) || 'blob')
  return {
    name,
    sizeBytes: blob.size,
    read: async (offset, length, into) => {
      checkRange({ name, sizeBytes: blob.size }, offset, length, into)
      const part = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer())
      if (into === undefined) return part
      into.set(part)
      return into.subarray(0, length)
    },
  }
}

/**
 * All bytes of a source, for files that are small by nature (a configuration, a vocabulary).
 * @param options.maxBytes refuses larger ones; default 1 GiB, well below the largest buffer of any platform.
 * @throws FormatError when the source is larger.
 */
export const readWhole = async (source: ByteSource, options: { readonly maxBytes?: number; readonly signal?: AbortSignal } = {}): Promise<Uint8Array> => {
  const { maxBytes = 2 ** 30, signal } = options
  signal?.throwIfAborted()
  if (source.sizeBytes > maxBytes) {
    throw new FormatError(`expected at most ${maxBytes} bytes, got ${source.sizeBytes}`, { source: source.name })
  }
  const bytes = await source.read(0, source.sizeBytes)
  signal?.throwIfAborted()
  return bytes
}

/**
 * The bytes of any input in order, each chunk a buffer of its own.
 * @param options.chunkBytes how much is read from a source at a time; streams give the chunks that they have. Default 256 KiB.
 */
export async function* readChunks(
  input: ByteInput,
  options: { readonly chunkBytes?: number; readonly signal?: AbortSignal } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { chunkBytes = 2 ** 18, signal } = options
  signal?.throwIfAborted()
  if (Symbol.asyncIterator in input) {
    for await (const chunk of input) {
      signal?.throwIfAborted()
      yield chunk
    }
  } else if (!('sizeBytes' in input)) {
    yield* readStream(input, signal)
  } else {
    for (let offset = 0; offset < input.sizeBytes; offset += chunkBytes) {
      const chunk = await input.read(offset, Math.min(chunkBytes, input.sizeBytes - offset))
      signal?.throwIfAborted()
      yield chunk
    }
  }
}

/** What to call an input in an error. */
export const inputName = (input: ByteInput): string | undefined => ('name' in input && typeof input.name === 'string' ? input.name : undefined)

/** The checks of every `read`, with the errors that ByteSource promises. */
export const checkRange = (source: { readonly name: string; readonly sizeBytes: number }, offset: number, length: number, into?: Uint8Array): void => {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
    throw new ConfigError(`${source.name}: expected a byte range of non-negative integers, got offset ${offset}, length ${length}`)
  }
  if (offset + length > source.sizeBytes) {
    throw new FormatError(`expected ${length} bytes here, but the file ends at byte ${source.sizeBytes}`, { source: source.name, byteOffset: offset })
  }
  if (into !== undefined && into.length < length) {
    throw new ConfigError(`${source.name}: expected \`into\` to hold ${length} bytes, it holds ${into.length}`)
  }
}

// Safari's ReadableStream is not async iterable.
async function* readStream(stream: ReadableStream<Uint8Array>, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      signal?.throwIfAborted()
      if (done) return
      yield value
    }
  } finally {
    // Leaving early frees the connection behind the stream; after its end this does nothing.
    await reader.cancel().catch(() => undefined)
  }
}
