// NumPy's .npz: a zip archive of .npy files, each a short Python literal of type, order and shape, then the values. Format: NEP 1 and
// numpy.lib.format.
import { FormatError, UnsupportedError } from '@weft/contracts'
import type { ByteSource } from '@weft/sources'
import { tensorBytes, type PlainDtype } from '../dtype.ts'
import { readRange } from '../read-range.ts'
import { unknownTensor } from '../unknown-tensor.ts'
import type { TensorInfo, WeightsFile } from '../weights-file.ts'
import { openZip, type ZipEntry } from './zip-directory.ts'

const dtypes: Readonly<Record<string, PlainDtype>> = {
  '|b1': 'BOOL', '|u1': 'U8', '|i1': 'I8', '<u2': 'U16', '<i2': 'I16', '<f2': 'F16', '<u4': 'U32', '<i4': 'I32', '<f4': 'F32', '<u8': 'U64', '<i8': 'I64', '<f8': 'F64', '<c8': 'C64',
} // prettier-ignore

const maxHeaderBytes = 1 << 16

interface NpyTensor extends TensorInfo {
  readonly entry: ZipEntry
  readonly dataStart: number
  /** Stored with the first axis the fastest. */
  readonly isColumnMajor: boolean
}

/**
 * Opens an .npz file: one tensor a member, under its name without `.npy`. Members that are deflated (savez_compressed) are unpacked
 * whole when first read. `close` closes the source.
 * @throws FormatError for a broken archive or header; UnsupportedError for element types that are not numbers, or big-endian.
 */
export const openNpz = async (source: ByteSource): Promise<WeightsFile> => {
  const placed = new Map<string, NpyTensor>()
  for (const entry of (await openZip(source)).values()) {
    if (entry.name.endsWith('.npy')) placed.set(entry.name.slice(0, -'.npy'.length), await readHeader(source.name, entry))
  }
  const tensors = new Map<string, TensorInfo>([...placed].map(([name, { dtype, shape, sizeBytes }]) => [name, { dtype, shape, sizeBytes }]))
  return {
    name: source.name,
    metadata: new Map(),
    tensors,
    read: async (name, options = {}) => {
      const tensor = placed.get(name)
      if (tensor === undefined) throw unknownTensor(source.name, name, tensors)
      options.signal?.throwIfAborted()
      const { offset, length } = readRange(name, tensor, options)
      if (!tensor.isColumnMajor) return tensor.entry.read(tensor.dataStart + offset, length, options.into)
      const rows = rowMajor(await tensor.entry.read(tensor.dataStart, tensor.sizeBytes), tensor).subarray(offset, offset + length)
      if (options.into === undefined) return rows.slice()
      options.into.set(rows)
      return options.into.subarray(0, length)
    },
    close: async () => source.close?.(),
  }
}

const readHeader = async (source: string, entry: ZipEntry): Promise<NpyTensor> => {
  const place = { source, path: entry.name }
  const start = entry.sizeBytes < 12 ? new Uint8Array(0) : await entry.read(0, 12)
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength)
  if (start.length < 12 || view.getUint32(0) !== 0x934e554d || view.getUint16(4) !== 0x5059) throw new FormatError('expected a .npy file, which begins with \\x93NUMPY', place)
  const [headerStart, headerBytes] = start[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)]
  if (headerBytes > maxHeaderBytes || headerStart + headerBytes > entry.sizeBytes) throw new FormatError(`expected a header inside the file, got one of ${headerBytes} bytes`, place)
  const text = new TextDecoder('latin1').decode(await entry.read(headerStart, headerBytes))
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1]
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1]
  const dims = /'shape'\s*:\s*\(([\d,\s]*)\)/.exec(text)?.[1]
  if (order === undefined || dims === undefined) throw new FormatError(`expected {'descr', 'fortran_order', 'shape'}, got ${JSON.stringify(text.trim().slice(0, 100))}`, place)
  const dtype = descr === undefined || !Object.hasOwn(dtypes, descr) ? undefined : dtypes[descr]
  if (dtype === undefined) throw new UnsupportedError(`${source}: ${entry.name} has element type ${descr ?? 'of several fields'}; expected one of ${Object.keys(dtypes).join(' ')}`)
  const shape = dims.split(',').map((dim) => dim.trim()).filter((dim) => dim !== '').map(Number) // prettier-ignore
  const sizeBytes = tensorBytes(dtype, shape)
  const dataStart = headerStart + headerBytes
  if (sizeBytes === undefined || dataStart + sizeBytes !== entry.sizeBytes) {
    throw new FormatError(`expected ${dtype} [${shape.join(', ')}] to fill the ${entry.sizeBytes - dataStart} bytes behind the header`, place)
  }
  return { dtype, shape, sizeBytes, entry, dataStart, isColumnMajor: order === 'True' && shape.length > 1 }
}

/** From the first axis the fastest to the last. */
const rowMajor = (bytes: Uint8Array, { shape, sizeBytes }: NpyTensor): Uint8Array => {
  const count = shape.reduce((product, size) => product * size, 1)
  const width = count === 0 ? 0 : sizeBytes / count
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1))
  const result = new Uint8Array(sizeBytes)
  const index = shape.map(() => 0)
  for (let i = 0; i < count; i++) {
    const from = index.reduce((sum, at, axis) => sum + at * strides[axis]!, 0) * width
    for (let b = 0; b < width; b++) result[i * width + b] = bytes[from + b]!
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0
  }
  return result
}
