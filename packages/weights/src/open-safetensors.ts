// safetensors, lazily: 8 bytes of length, a JSON header, then the tensors' bytes. Only the header is read when opening.
import { ConfigError, FormatError, UnsupportedError } from '@weft/contracts'
import type { ByteSource } from '@weft/sources'
import { bitsOf } from './dtype.ts'
import { maxHeaderBytes, parseSafetensorsHeader, type PlacedTensor } from './safetensors-header.ts'
import type { ReadOptions, TensorInfo, WeightsFile } from './weights-file.ts'

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
      const { offset, length } = rangeOf(tensor, readOptions)
      const bytes = await source.read(8 + headerBytes + offset, length, readOptions.into)
      readOptions.signal?.throwIfAborted()
      return bytes
    },
    close: async () => source.close?.(),
  }
}

/** @throws ConfigError's text for a name that no tensor has, with some that there are. */
export const unknownTensor = (source: string, name: string, tensors: ReadonlyMap<string, TensorInfo>): ConfigError => {
  const names = [...tensors.keys()]
  const some = names.slice(0, 5).join(', ') + (names.length > 5 ? `, … (${names.length} in all)` : '')
  return new ConfigError(`${source}: no tensor named ${JSON.stringify(name)}; there are ${names.length === 0 ? 'none' : some}`)
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

const rangeOf = (tensor: PlacedTensor, { rows }: ReadOptions): { offset: number; length: number } => {
  if (rows === undefined) return { offset: tensor.start, length: tensor.end - tensor.start }
  const [start, end] = rows
  const [numRows, ...rest] = tensor.shape
  if (numRows === undefined || !Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start || end > numRows) {
    const axis = numRows === undefined ? 'a tensor without axes has none' : `it has ${numRows}`
    throw new ConfigError(`tensor ${tensor.name}: expected rows [start, end) inside its first axis, got [${start}, ${end}); ${axis}`)
  }
  const rowBits = rest.reduce((product, size) => product * size, 1) * bitsOf(tensor.dtype)
  if ((start * rowBits) % 8 !== 0 || (end * rowBits) % 8 !== 0) {
    throw new ConfigError(`tensor ${tensor.name}: rows of ${tensor.dtype} begin and end inside a byte here; read more rows, or all`)
  }
  return { offset: tensor.start + (start * rowBits) / 8, length: ((end - start) * rowBits) / 8 }
}
