// safetensors, lazily: 8 bytes of length, a JSON header, then the tensors' bytes. Only the header is read when opening.
import { FormatError, UnsupportedError } from '@weft/contracts'
import type { ByteSource } from '@weft/sources'
import { readRange } from './read-range.ts'
import { maxHeaderBytes, parseSafetensorsHeader, type PlacedTensor } from './safetensors-header.ts'
import { unknownTensor } from './unknown-tensor.ts'
import type { TensorInfo, WeightsFile } from './weights-file.ts'

/**
 * Opens a safetensors file. The tensors come in the order of their bytes; `close` closes the source.
 * @throws FormatError, naming the place, for a header that is too long, no JSON or no header; for names that occur twice; for dtypes,
 * shapes and offsets that do not agree; for holes, overlaps, and a file that is longer or shorter than its header says.
 * @throws UnsupportedError for a file that is recognisably something else (GGUF, zip, npz, pickle).
 */
export const openSafetensors = async (source: ByteSource, options: { readonly signal?: AbortSignal } = {}): Promise<WeightsFile> => {
  options.signal?.throwIfAborted()
  const headerBytes = await readHeaderLength(source)
  const header = parseSafetensorsHeader(source.name, await source.read(8, headerBytes), source.sizeBytes - 8 - headerBytes)
  options.signal?.throwIfAborted()
  const placed = new Map(header.tensors.map((tensor) => [tensor.name, tensor]))
  const tensors = new Map(header.tensors.map((tensor) => [tensor.name, infoOf(tensor)]))
  return {
    name: source.name,
    metadata: header.metadata,
    tensors,
    read: async (name, readOptions = {}) => {
      const tensor = placed.get(name)
      if (tensor === undefined) throw unknownTensor(source.name, name, tensors)
      readOptions.signal?.throwIfAborted()
      const { offset, length } = readRange(name, infoOf(tensor), readOptions)
      const bytes = await source.read(8 + headerBytes + tensor.start + offset, length, readOptions.into)
      readOptions.signal?.throwIfAborted()
      return bytes
    },
    close: async () => source.close?.(),
  }
}

const infoOf = ({ dtype, shape, start, end }: PlacedTensor): TensorInfo => ({ dtype, shape, sizeBytes: end - start })

const readHeaderLength = async (source: ByteSource): Promise<number> => {
  const place = { source: source.name }
  if (source.sizeBytes < 8) throw new FormatError(`expected at least 8 bytes of a safetensors file, got ${source.sizeBytes}`, place)
  const start = await source.read(0, 8)
  const length = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true)
  const isTooLong = length > BigInt(maxHeaderBytes)
  const isCut = !isTooLong && 8 + Number(length) > source.sizeBytes
  const other = isTooLong || isCut ? otherFormat(start, isTooLong) : undefined
  if (other !== undefined) throw new UnsupportedError(`${source.name}: this is ${other}; openSafetensors reads safetensors, openGguf GGUF; convert anything else first`)
  if (isTooLong) {
    throw new FormatError(`expected a header of at most ${maxHeaderBytes} bytes, got ${length}; this is not a safetensors file, or it is broken`, place)
  }
  if (isCut) {
    throw new FormatError(`expected a header of ${length} bytes (a file of ${8 + Number(length)} or more), got a file of ${source.sizeBytes}: it is cut off`, place)
  }
  return Number(length)
}

/** Another format would only look like a file with an absurd header; so this is asked after that, never of a header that fits. */
const otherFormat = (start: Uint8Array, isTooLong: boolean): string | undefined => {
  const text = String.fromCharCode(...start.subarray(0, 4))
  if (text === 'GGUF') return 'a GGUF file'
  if (text === 'PK\u0003\u0004') return 'a zip archive (a PyTorch or .npz checkpoint)'
  // A pickle opens with 0x80 and its protocol, which could also be a small length.
  return isTooLong && start[0] === 0x80 && start[1]! >= 2 && start[1]! <= 5 ? 'a Python pickle' : undefined
}
