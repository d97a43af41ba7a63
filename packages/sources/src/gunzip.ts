// gzip (RFC 1952): members one after the other, checksums verified, in bounded memory, on every platform.
import { FormatError } from '@weft/contracts'
import { inputName, readChunks, type ByteInput, type ByteStream } from './byte-source.ts'
import { crc32 } from './crc32.ts'
import { alignToByte, createInflater, inflateLookahead, type BitInput } from './inflate.ts'
import { joinBytes } from './join-bytes.ts'

/**
 * The unpacked bytes of a gzip file; several members give one text, zeros after the last (padding) are ignored. However small the
 * file that unpacks into gigabytes, only some 100 KiB are held: the limits are the consumer's.
 * @throws FormatError (while iterating) with the byte in the packed file where it is broken, cut off, not gzip, or does not
 * match its checksum; all that was unpacked until there has been given out.
 */
export const gunzip = (input: ByteInput, options: { readonly signal?: AbortSignal } = {}): ByteStream => {
  const name = inputName(input)
  return { ...(name === undefined ? {} : { name }), [Symbol.asyncIterator]: () => unpack(input, name ?? 'stream', options) }
}

async function* unpack(input: ByteInput, source: string, options: { readonly signal?: AbortSignal }): AsyncGenerator<Uint8Array, void, undefined> {
  const packed = createPackedInput(readChunks(input, options), source)
  try {
    for (let member = 1; member === 1 || (await packed.hasMember()); member++) {
      await readHeader(packed)
      yield* unpackMember(packed)
    }
  } finally {
    await packed.close()
  }
}

async function* unpackMember(packed: PackedInput): AsyncGenerator<Uint8Array, void, undefined> {
  const inflater = createInflater(packed.bits)
  let checksum = 0
  let sizeBytes = 0
  for (let isDone = false; !isDone; ) {
    await packed.fill(2 * inflateLookahead)
    const step = packed.orFail(() => inflater.step(packed.isLast()))
    isDone = step.isDone
    checksum = crc32(step.bytes, checksum)
    sizeBytes = (sizeBytes + step.bytes.length) % 2 ** 32
    if (step.bytes.length > 0) yield step.bytes
  }
  alignToByte(packed.bits)
  if ((await packed.uint32()) !== checksum) packed.fail('the unpacked bytes do not match their checksum')
  if ((await packed.uint32()) !== sizeBytes) packed.fail('the unpacked bytes do not match their stated size')
}

const readHeader = async (packed: PackedInput): Promise<void> => {
  await packed.fill(10)
  const { bytes, position } = packed.bits
  if (bytes[position] !== 0x1f || bytes[position + 1] !== 0x8b) packed.fail('expected gzip data (1f 8b)')
  if (bytes[position + 2] !== 8) packed.fail('expected the compression method 8 (deflate)')
  await packed.skip(3)
  const flags = await packed.byte()
  if ((flags & 0xe0) !== 0) packed.fail('expected no reserved flags')
  await packed.skip(6) // time, extra flags, system
  if ((flags & 4) !== 0) await packed.skip((await packed.byte()) + 256 * (await packed.byte()))
  if ((flags & 8) !== 0) while ((await packed.byte()) !== 0); // file name
  if ((flags & 16) !== 0) while ((await packed.byte()) !== 0); // comment
  if ((flags & 2) !== 0) await packed.skip(2) // the header's checksum
}

type PackedInput = ReturnType<typeof createPackedInput>

const createPackedInput = (chunks: AsyncGenerator<Uint8Array, void, undefined>, source: string) => {
  const bits: BitInput = { bytes: new Uint8Array(0), position: 0, buffer: 0, count: 0, overrun: 0 }
  let passedBytes = 0 // before bits.bytes
  let isLast = false

  const fail = (reason: string, cause?: unknown): never => {
    throw new FormatError(`broken gzip data: ${reason}`, { source, byteOffset: passedBytes + bits.position }, { cause })
  }
  /** Until `count` bytes are there, or all. */
  const fill = async (count: number): Promise<void> => {
    while (!isLast && bits.bytes.length - bits.position < count) {
      const next = await chunks.next()
      if (next.done === true) isLast = true
      else {
        passedBytes += bits.position
        bits.bytes = joinBytes([bits.bytes.subarray(bits.position), next.value])
        bits.position = 0
      }
    }
  }
  const byte = async (): Promise<number> => {
    if (bits.position >= bits.bytes.length) await fill(1)
    return bits.bytes[bits.position++] ?? fail('the file ends too early')
  }
  const skip = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await byte()
  }
  return {
    bits,
    isLast: () => isLast,
    fail,
    fill,
    byte,
    skip,
    uint32: async (): Promise<number> => {
      let value = 0
      for (let shift = 0; shift < 4; shift++) value += (await byte()) * 2 ** (8 * shift)
      return value
    },
    orFail: <T>(work: () => T): T => {
      try {
        return work()
      } catch (error) {
        return fail(error instanceof Error ? error.message : String(error), error)
      }
    },
    /** Whether anything but padding follows. */
    hasMember: async (): Promise<boolean> => {
      for (;;) {
        await fill(1)
        if (bits.position >= bits.bytes.length) return false
        if (bits.bytes[bits.position] !== 0) return true
        bits.position++
      }
    },
    close: async (): Promise<void> => void (await chunks.return()),
  }
}
