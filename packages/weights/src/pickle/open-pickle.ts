// PyTorch's .pt and .bin: a pickle of (nested) dictionaries whose tensors point into raw storages; in a zip archive since PyTorch 1.6,
// one stream before. Nothing of the pickle is run: the few names that build tensors are known here, any other is refused. Layout:
// torch/serialization.py, torch/_utils.py.
import { FormatError, UnsupportedError, type Json } from '@weft/contracts'
import type { ByteSource } from '@weft/sources'
import { bitsOf, tensorBytes, type PlainDtype } from '../dtype.ts'
import { readRange } from '../read-range.ts'
import { unknownTensor } from '../unknown-tensor.ts'
import type { TensorInfo, WeightsFile } from '../weights-file.ts'
import { openZip } from '../zip/zip-directory.ts'
import { dictOf, PickledDict, PickledGlobal, PickledObject, PickledTuple, readPickle, type Pickled } from './pickle-machine.ts'

const storageDtypes: Readonly<Record<string, PlainDtype>> = {
  FloatStorage: 'F32', DoubleStorage: 'F64', HalfStorage: 'F16', BFloat16Storage: 'BF16', LongStorage: 'I64', IntStorage: 'I32', ShortStorage: 'I16', CharStorage: 'I8', ByteStorage: 'U8',
  BoolStorage: 'BOOL', ComplexFloatStorage: 'C64', UntypedStorage: 'U8',
} // prettier-ignore

const torchDtypes: Readonly<Record<string, PlainDtype>> = {
  float32: 'F32', float64: 'F64', float16: 'F16', bfloat16: 'BF16', int64: 'I64', int32: 'I32', int16: 'I16', int8: 'I8', uint8: 'U8', bool: 'BOOL', uint16: 'U16', uint32: 'U32', uint64: 'U64', complex64: 'C64',
  float8_e4m3fn: 'F8_E4M3', float8_e5m2: 'F8_E5M2', float8_e4m3fnuz: 'F8_E4M3FNUZ', float8_e5m2fnuz: 'F8_E5M2FNUZ',
} // prettier-ignore

const allowed = new Set([
  ...Object.keys(storageDtypes).flatMap((name) => [`torch.${name}`, `torch.storage.${name}`]),
  ...Object.keys(torchDtypes).map((name) => `torch.${name}`),
  'torch.storage.TypedStorage', 'torch.Size', 'torch.device', 'torch._utils._rebuild_tensor', 'torch._utils._rebuild_tensor_v2', 'torch._utils._rebuild_tensor_v3', 'torch._utils._rebuild_parameter',
  'collections.OrderedDict', 'collections.defaultdict', 'builtins.dict', '__builtin__.dict', 'builtins.set', '__builtin__.set',
]) // prettier-ignore

const maxPickleBytes = 1 << 28
const maxDepth = 64

/** Raw values of one storage. */
interface Storage {
  readonly dtype: PlainDtype
  readonly key: string
  readonly location: Bytes | undefined
}

interface Bytes {
  readonly sizeBytes: number
  read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array>
}

interface StoredTensor extends TensorInfo {
  readonly dtype: PlainDtype
  readonly storage: Storage
  /** In elements. */
  readonly offset: number
  readonly stride: readonly number[]
}

/**
 * Opens a PyTorch checkpoint. Names of nested dictionaries and lists are joined by dots; what is no tensor stands in the metadata.
 * @throws UnsupportedError for a pickle that asks for any code but PyTorch's own tensors, by the name that it asks for; FormatError for
 * a broken archive, pickle or tensor.
 */
export const openPickle = async (source: ByteSource): Promise<WeightsFile> => {
  const { value, storageBytes } = await readCheckpoint(source)
  const placed = new Map<string, StoredTensor>()
  const metadata = new Map<string, Json>()
  collect(value, '', 0, { source: source.name, storageBytes, placed, metadata })
  const tensors = new Map<string, TensorInfo>([...placed].map(([name, { dtype, shape, sizeBytes }]) => [name, { dtype, shape, sizeBytes }]))
  return {
    name: source.name,
    metadata,
    tensors,
    read: async (name, options = {}) => {
      const tensor = placed.get(name)
      if (tensor === undefined) throw unknownTensor(source.name, name, tensors)
      options.signal?.throwIfAborted()
      const { offset, length } = readRange(name, tensor, options)
      if (tensor.sizeBytes === 0) return options.into?.subarray(0, 0) ?? new Uint8Array(0)
      const width = bitsOf(tensor.dtype) / 8
      const bytes = tensor.storage.location!
      if (isContiguous(tensor)) return bytes.read(tensor.offset * width + offset, length, options.into)
      const rows = (await gatherStrided(bytes, tensor, width)).subarray(offset, offset + length)
      if (options.into === undefined) return rows.slice()
      options.into.set(rows)
      return options.into.subarray(0, length)
    },
    close: async () => source.close?.(),
  }
}

const readCheckpoint = async (source: ByteSource): Promise<{ value: Pickled; storageBytes: (key: string) => Bytes | undefined }> => {
  const start = source.sizeBytes < 4 ? new Uint8Array(0) : await source.read(0, 4)
  if (start[0] === 0x50 && start[1] === 0x4b) return readArchive(source)
  if (start[0] === 0x80) return readLegacy(source)
  throw new FormatError('expected a PyTorch checkpoint: a zip archive or a pickle', { source: source.name })
}

const pickleOptions = (source: ByteSource, persistent: (id: Pickled) => Pickled = (id) => id) => ({
  source: source.name,
  persistent,
  allow: (callee: PickledGlobal): void => {
    if (allowed.has(String(callee))) return
    throw new UnsupportedError(
      `${source.name}: this pickle asks for ${callee}, which is code and is not run; save the weights alone (torch.save(model.state_dict(), …)) or convert them to safetensors`,
    )
  },
})

const readArchive = async (source: ByteSource): Promise<{ value: Pickled; storageBytes: (key: string) => Bytes | undefined }> => {
  const entries = await openZip(source)
  const pickle = [...entries.values()].find(({ name }) => name === 'data.pkl' || name.endsWith('/data.pkl'))
  if (pickle === undefined) throw new FormatError('expected data.pkl in the archive; this is no PyTorch checkpoint', { source: source.name })
  if (pickle.sizeBytes > maxPickleBytes) throw new FormatError(`expected a pickle of at most ${maxPickleBytes} bytes, got ${pickle.sizeBytes}`, { source: source.name, path: pickle.name })
  const folder = pickle.name.slice(0, -'data.pkl'.length)
  const order = entries.get(`${folder}byteorder`)
  if (order !== undefined && new TextDecoder().decode(await order.read(0, Math.min(order.sizeBytes, 16))).trim() === 'big') throw new UnsupportedError(`${source.name}: its values are big-endian`)
  const { value } = readPickle(await pickle.read(0, pickle.sizeBytes), pickleOptions(source))
  return { value, storageBytes: (key) => entries.get(`${folder}data/${key}`) }
}

/** Before PyTorch 1.6: three pickles about the file, the object, the list of storages, then each storage with its length before it. */
const readLegacy = async (source: ByteSource): Promise<{ value: Pickled; storageBytes: (key: string) => Bytes | undefined }> => {
  const widths = new Map<string, number>()
  const persistent = (id: Pickled): Pickled => {
    const [, type, key] = id instanceof PickledTuple ? id.items : []
    const dtype = type instanceof PickledGlobal ? storageDtypes[type.name] : undefined
    if (dtype !== undefined && typeof key === 'string') widths.set(key, bitsOf(dtype) / 8)
    return id
  }
  const bytes = await source.read(0, Math.min(source.sizeBytes, maxPickleBytes))
  let at = 0
  const next = (): Pickled => {
    const { value, sizeBytes } = readPickle(bytes.subarray(at), { ...pickleOptions(source, persistent), byteOffset: at })
    at += sizeBytes
    return value
  }
  if (next() !== 0x1950a86a20f9469cfc6cn) throw new FormatError("expected PyTorch's magic number in the first pickle; a plain pickle is no checkpoint", { source: source.name })
  if (next() !== 1001) throw new FormatError('expected protocol version 1001 of the old format', { source: source.name })
  next()
  const value = next()
  const keys = next()
  if (!Array.isArray(keys)) throw new FormatError('expected the list of storages', { source: source.name, byteOffset: at })
  const storages = new Map<string, Bytes>()
  for (const key of keys) {
    const width = typeof key === 'string' ? widths.get(key) : undefined
    const count = at + 8 <= source.sizeBytes ? Number(new DataView((await source.read(at, 8)).buffer).getBigInt64(0, true)) : -1
    if (width === undefined || !(count >= 0) || at + 8 + count * width > source.sizeBytes) throw new FormatError(`expected the values of storage ${String(key)}`, { source: source.name, byteOffset: at })
    const start = at + 8
    storages.set(key as string, { sizeBytes: count * width, read: (offset, length, into) => source.read(start + offset, length, into) })
    at = start + count * width
  }
  return { value, storageBytes: (key) => storages.get(key) }
}

interface Collected {
  readonly source: string
  readonly storageBytes: (key: string) => Bytes | undefined
  readonly placed: Map<string, StoredTensor>
  readonly metadata: Map<string, Json>
}

/** Walks through dictionaries and lists: tensors by their dotted names, all else into the metadata. */
const collect = (value: Pickled, path: string, depth: number, into: Collected): void => {
  if (depth > maxDepth) throw new FormatError(`expected at most ${maxDepth} dictionaries in one another`, { source: into.source, path })
  const tensor = value instanceof PickledObject ? tensorOf(value, path || 'tensor', into) : undefined
  if (tensor !== undefined) return void into.placed.set(path || 'tensor', tensor)
  const dict = value instanceof PickledDict ? value : value instanceof PickledObject ? dictOf(value) : undefined
  const below = (name: string): string => (path === '' ? name : `${path}.${name}`)
  if (dict !== undefined) {
    // A module's dictionary carries its versions as state; that is no weight.
    for (const [key, item] of dict.entries) collect(item, below(typeof key === 'string' ? key : String(key)), depth + 1, into)
    return
  }
  if (Array.isArray(value) || value instanceof PickledTuple) {
    const items = Array.isArray(value) ? value : value.items
    if (items.some((item) => item instanceof PickledObject || item instanceof PickledDict)) return items.forEach((item, i) => collect(item, below(String(i)), depth + 1, into))
  }
  into.metadata.set(path || 'value', jsonOf(value))
}

const jsonOf = (value: Pickled): Json => {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return value.map(jsonOf)
  if (value instanceof PickledTuple) return value.items.map(jsonOf)
  if (value instanceof Uint8Array) return `${value.length} bytes`
  return value instanceof PickledObject ? String(value.callee) : String(value)
}

const tensorOf = (value: PickledObject, path: string, into: Collected): StoredTensor | undefined => {
  const name = String(value.callee)
  const [first, ...rest] = value.args
  if (name === 'torch._utils._rebuild_parameter') return first instanceof PickledObject ? tensorOf(first, path, into) : undefined
  if (!name.startsWith('torch._utils._rebuild_tensor')) return undefined
  const place = { source: into.source, path: `tensor ${path}` }
  const storage = storageOf(first, into)
  const [offset, size, stride] = rest
  const [shape, strides] = [size, stride].map((x) => numbersOf(x)) as [number[] | undefined, number[] | undefined]
  if (storage === undefined || typeof offset !== 'number' || !(offset >= 0) || shape === undefined || strides === undefined || shape.length !== strides.length) {
    throw new FormatError('expected storage, offset, size and stride of a tensor', place)
  }
  const dtypeName = rest[5]
  const dtype = name.endsWith('_v3') && dtypeName instanceof PickledGlobal ? torchDtypes[dtypeName.name] : storage.dtype
  if (dtype === undefined) throw new UnsupportedError(`${into.source}: tensor ${path} has element type ${String(dtypeName)}, which is not supported`)
  const sizeBytes = tensorBytes(dtype, shape)
  if (sizeBytes === undefined) throw new FormatError(`expected a shape below 2^53 elements, got [${shape.join(', ')}]`, place)
  const last = shape.includes(0) ? -1 : shape.reduce((sum, dim, i) => sum + (dim - 1) * strides[i]!, offset)
  const width = bitsOf(dtype) / 8
  if (last >= 0 && (storage.location === undefined || (last + 1) * width > storage.location.sizeBytes)) {
    throw new FormatError(`expected ${(last + 1) * width} bytes of storage ${storage.key}, there are ${storage.location?.sizeBytes ?? 'none'}`, place)
  }
  return { dtype, shape, sizeBytes, storage, offset, stride: strides }
}

const numbersOf = (value: Pickled | undefined): number[] | undefined => {
  const items = value instanceof PickledTuple ? value.items : value instanceof PickledObject && String(value.callee) === 'torch.Size' && value.args[0] instanceof PickledTuple ? value.args[0].items : undefined
  return items?.every((item) => typeof item === 'number' && Number.isSafeInteger(item) && item >= 0) ? (items as number[]) : undefined
}

/** A persistent id: ('storage', class, key, device, count). */
const storageOf = (id: Pickled | undefined, { storageBytes }: Collected): Storage | undefined => {
  if (!(id instanceof PickledTuple)) return undefined
  const [kind, type, key] = id.items
  const dtype = type instanceof PickledGlobal ? storageDtypes[type.name] : undefined
  if (kind !== 'storage' || dtype === undefined || typeof key !== 'string') return undefined
  return { dtype, key, location: storageBytes(key) }
}

const isContiguous = ({ shape, stride }: StoredTensor): boolean => {
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false
    expected *= shape[axis]!
  }
  return true
}

/** A view with strides (a transposed matrix, a column), value by value. */
const gatherStrided = async (bytes: Bytes, { shape, stride, offset, sizeBytes }: StoredTensor, width: number): Promise<Uint8Array> => {
  const count = sizeBytes / width
  const span = shape.reduce((sum, dim, i) => sum + (dim - 1) * stride[i]!, 0) + 1
  const from = await bytes.read(offset * width, span * width)
  const result = new Uint8Array(sizeBytes)
  const index = shape.map(() => 0)
  for (let i = 0; i < count; i++) {
    const at = index.reduce((sum, x, axis) => sum + x * stride[axis]!, 0) * width
    for (let b = 0; b < width; b++) result[i * width + b] = from[at + b]!
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0
  }
  return result
}
