// GGUF version 2 and 3, lazily: a magic, counts, metadata, the list of tensors, then their bytes, each at a multiple of the alignment.
// Only the header is read when opening. Format: docs/gguf.md of ggml-org/ggml.
import { FormatError, type Json } from '@weft/contracts'
import type { ByteSource } from '@weft/sources'
import { tensorBytes, type Dtype } from '../dtype.ts'
import { readRange } from '../read-range.ts'
import { unknownTensor } from '../unknown-tensor.ts'
import type { TensorInfo, WeightsFile } from '../weights-file.ts'
import { GgufCursor } from './gguf-cursor.ts'
import { readMetadata } from './gguf-metadata.ts'

const maxTensors = 1 << 20
const maxNameBytes = 4096
const maxAxes = 8

/** ggml's numbers for element types; the gaps are formats that no longer exist. */
const dtypes: Readonly<Record<number, Dtype>> = {
  0: 'F32', 1: 'F16', 2: 'Q4_0', 3: 'Q4_1', 6: 'Q5_0', 7: 'Q5_1', 8: 'Q8_0', 9: 'Q8_1', 10: 'Q2_K', 11: 'Q3_K', 12: 'Q4_K', 13: 'Q5_K', 14: 'Q6_K', 15: 'Q8_K',
  16: 'IQ2_XXS', 17: 'IQ2_XS', 18: 'IQ3_XXS', 19: 'IQ1_S', 20: 'IQ4_NL', 21: 'IQ3_S', 22: 'IQ2_S', 23: 'IQ4_XS', 24: 'I8', 25: 'I16', 26: 'I32', 27: 'I64', 28: 'F64', 29: 'IQ1_M',
  30: 'BF16', 34: 'TQ1_0', 35: 'TQ2_0', 39: 'MXFP4',
} // prettier-ignore

interface Placed extends TensorInfo {
  readonly name: string
  /** In the file. */
  readonly offset: number
}

/**
 * Opens a GGUF file. Shapes are row-major, the last axis is the one whose values lie side by side (the reverse of ggml's order). The
 * tensors come in the order of their bytes; `close` closes the source.
 * @throws FormatError, naming the place, for another magic or version, counts and lengths that cannot be, names that occur twice,
 * element types that do not exist, and tensors that overlap, are not aligned, or lie beyond the end of the file.
 */
export const openGguf = async (source: ByteSource, options: { readonly signal?: AbortSignal } = {}): Promise<WeightsFile> => {
  options.signal?.throwIfAborted()
  const { cursor, isLittleEndian } = await readStart(source)
  if (!isLittleEndian) throw new FormatError('expected little-endian numbers, this file has them big-endian; convert it with gguf_convert_endian', { source: source.name })
  const tensorCount = await cursor.size('number of tensors')
  if (tensorCount > maxTensors) throw cursor.fail(`expected at most ${maxTensors} tensors, got ${tensorCount}`)
  const metadata = await readMetadata(cursor, await cursor.size('number of metadata entries'))
  options.signal?.throwIfAborted()
  const placed = await readTensors(source, cursor, tensorCount, metadata)
  options.signal?.throwIfAborted()
  const tensors = new Map<string, TensorInfo>([...placed.values()].map(({ name, dtype, shape, sizeBytes }) => [name, { dtype, shape, sizeBytes }]))
  return {
    name: source.name,
    metadata,
    tensors,
    read: async (name, readOptions = {}) => {
      const tensor = placed.get(name)
      if (tensor === undefined) throw unknownTensor(source.name, name, tensors)
      readOptions.signal?.throwIfAborted()
      const { offset, length } = readRange(name, tensor, readOptions)
      const bytes = await source.read(tensor.offset + offset, length, readOptions.into)
      readOptions.signal?.throwIfAborted()
      return bytes
    },
    close: async () => source.close?.(),
  }
}

const readStart = async (source: ByteSource): Promise<{ cursor: GgufCursor; isLittleEndian: boolean }> => {
  const place = { source: source.name }
  if (source.sizeBytes < 24) throw new FormatError(`expected at least 24 bytes of a GGUF file, got ${source.sizeBytes}`, place)
  const start = await source.read(0, 8)
  if (String.fromCharCode(...start.subarray(0, 4)) !== 'GGUF') throw new FormatError('expected the file to begin with "GGUF"; this is another format, or it is broken', place)
  const view = new DataView(start.buffer, start.byteOffset, 8)
  const [little, big] = [view.getUint32(4, true), view.getUint32(4, false)]
  const isLittleEndian = little === 2 || little === 3
  if (!isLittleEndian && big !== 2 && big !== 3) throw new FormatError(`expected GGUF version 2 or 3, got ${Math.min(little, big)}`, { ...place, byteOffset: 4 })
  return { cursor: new GgufCursor(source, 8, isLittleEndian), isLittleEndian }
}

const readTensors = async (source: ByteSource, cursor: GgufCursor, count: number, metadata: ReadonlyMap<string, Json>): Promise<ReadonlyMap<string, Placed>> => {
  if (count * 28 > cursor.bytesLeft) throw cursor.fail(`expected ${count} tensors, the file ends ${cursor.bytesLeft} bytes from here`)
  const alignment = alignmentOf(source, metadata)
  const entries: Placed[] = []
  const names = new Set<string>()
  for (let i = 0; i < count; i++) {
    const entry = await readTensor(cursor, alignment)
    if (names.has(entry.name)) throw cursor.fail('expected each tensor once, got it twice', `tensor ${entry.name}`)
    names.add(entry.name)
    entries.push(entry)
  }
  const dataStart = Math.ceil(cursor.offset / alignment) * alignment
  const placed = entries.map((entry) => ({ ...entry, offset: dataStart + entry.offset })).sort((a, b) => a.offset - b.offset || a.sizeBytes - b.sizeBytes)
  checkPlaces(source, placed, dataStart)
  return new Map(placed.map((entry) => [entry.name, entry]))
}

/** Its place counts from the start of the data. */
const readTensor = async (cursor: GgufCursor, alignment: number): Promise<Placed> => {
  const name = await cursor.string(maxNameBytes, "a tensor's name")
  const path = `tensor ${name}`
  const axes = await cursor.u32()
  if (axes > maxAxes) throw cursor.fail(`expected at most ${maxAxes} axes, got ${axes}`, path)
  const shape: number[] = []
  for (let i = 0; i < axes; i++) shape.unshift(await cursor.size('size of an axis'))
  const type = await cursor.u32()
  const dtype = dtypes[type]
  if (dtype === undefined) throw cursor.fail(`expected one of ggml's element types, got number ${type}`, path)
  const sizeBytes = tensorBytes(dtype, shape)
  if (sizeBytes === undefined) throw cursor.fail(`expected a shape of whole blocks below 2^53 elements, got ${dtype} [${shape.join(', ')}]`, path)
  const offset = await cursor.size('place of a tensor')
  if (offset % alignment !== 0) throw cursor.fail(`expected a place that is a multiple of ${alignment}, got ${offset}`, path)
  return { name, dtype, shape, sizeBytes, offset }
}

const alignmentOf = (source: ByteSource, metadata: ReadonlyMap<string, Json>): number => {
  const alignment = metadata.get('general.alignment') ?? 32
  if (typeof alignment === 'number' && Number.isInteger(alignment) && alignment > 0 && alignment <= 1 << 20 && (alignment & (alignment - 1)) === 0) return alignment
  throw new FormatError(`expected a power of two up to 2^20, got ${JSON.stringify(alignment)}`, { source: source.name, path: 'general.alignment' })
}

const checkPlaces = (source: ByteSource, placed: readonly Placed[], dataStart: number): void => {
  let end = dataStart
  for (const { name, offset, sizeBytes } of placed) {
    const place = { source: source.name, path: `tensor ${name}` }
    if (offset < end) throw new FormatError(`expected data from byte ${end} on, got ${offset}: it overlaps the tensor before it`, place)
    end = offset + sizeBytes
    if (!(end <= source.sizeBytes)) throw new FormatError(`its ${sizeBytes} bytes at ${offset} lie beyond the end of the file, which has ${source.sizeBytes}: it is cut off; fetch it again`, place)
  }
}
