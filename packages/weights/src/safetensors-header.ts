// The header of a safetensors file and everything that can be wrong with it. Format and checks: the reference implementation,
// huggingface/safetensors, safetensors/src/tensor.rs (Metadata::validate); duplicate names are refused besides.
import { FormatError, type Json } from '@weft/contracts'
import { isDtype, dtypeNames, tensorBytes, type PlainDtype } from './dtype.ts'
import { findDuplicateKey } from './duplicate-keys.ts'

export interface PlacedTensor {
  readonly name: string
  readonly dtype: PlainDtype
  readonly shape: readonly number[]
  /** From the end of the header. */
  readonly start: number
  readonly end: number
}

export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>
  /** In the order of their bytes. */
  readonly tensors: readonly PlacedTensor[]
}

/** Of the header; the reference implementation's limit, far above any real checkpoint and harmless to hold. */
export const maxHeaderBytes = 100_000_000

/**
 * @param bytes the JSON, without the length before it.
 * @param dataBytes how many bytes follow it in the file.
 * @throws FormatError for whatever does not add up, with the place.
 */
export const parseSafetensorsHeader = (source: string, bytes: Uint8Array, dataBytes: number): SafetensorsHeader => {
  const { __metadata__: metadata, ...entries } = parseObject(source, bytes)
  const tensors = Object.entries(entries).map(([name, entry]) => readEntry(source, name, entry))
  // Stable: tensors without elements, which share their offsets, keep the header's order.
  tensors.sort((a, b) => a.start - b.start || a.end - b.end)
  checkCoverage(source, tensors, headerStart + bytes.length, dataBytes)
  return { metadata: readMetadata(source, metadata), tensors }
}

type JsonObject = Readonly<Record<string, Json>>

const headerStart = 8

const parseObject = (source: string, bytes: Uint8Array): JsonObject => {
  if (bytes[0] !== 0x7b) {
    throw new FormatError('expected the header to begin with "{"; this is not a safetensors file, or it is broken', { source, byteOffset: headerStart })
  }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new FormatError('expected the header to be UTF-8, got other bytes', { source, byteOffset: headerStart }, { cause })
  }
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch (cause) {
    throw new FormatError(`expected the header to be JSON (${cause instanceof Error ? cause.message : String(cause)})`, { source, byteOffset: headerStart }, { cause })
  }
  const duplicate = findDuplicateKey(text)
  if (duplicate !== undefined) throw new FormatError('expected each name once, got it twice', { source, path: duplicate })
  return value as JsonObject // it begins with a brace
}

const readMetadata = (source: string, metadata: Json | undefined): ReadonlyMap<string, string> => {
  if (metadata === undefined || metadata === null) return new Map()
  if (!isObject(metadata)) throw new FormatError(`expected an object of strings, got ${short(metadata)}`, { source, path: '__metadata__' })
  return new Map(
    Object.entries(metadata).map(([key, value]) => {
      if (typeof value !== 'string') throw new FormatError(`expected a string, got ${short(value)}`, { source, path: `__metadata__.${key}` })
      return [key, value]
    }),
  )
}

const readEntry = (source: string, name: string, entry: Json): PlacedTensor => {
  const place = { source, path: `tensor ${JSON.stringify(name)}` }
  if (!isObject(entry)) throw new FormatError(`expected {dtype, shape, data_offsets}, got ${short(entry)}`, place)
  const { dtype, shape, data_offsets: offsets } = entry
  if (!isDtype(dtype)) throw new FormatError(`expected a dtype of ${dtypeNames()}, got ${short(dtype)}`, place)
  if (!isWholeNumbers(shape)) throw new FormatError(`expected a shape of whole numbers below 2^53, got ${short(shape)}`, place)
  if (!isWholeNumbers(offsets) || offsets.length !== 2) throw new FormatError(`expected data_offsets [start, end], got ${short(offsets)}`, place)
  const [start, end] = offsets as [number, number]
  const sizeBytes = tensorBytes(dtype, shape)
  if (sizeBytes === undefined) {
    throw new FormatError(`expected a shape whose elements fill whole bytes and stay below 2^53 bits, got ${dtype} ${short(shape)}`, place)
  }
  if (end - start !== sizeBytes) {
    throw new FormatError(`expected ${sizeBytes} bytes for ${dtype} ${short(shape)}, got data_offsets [${start}, ${end}] (${end - start} bytes)`, place)
  }
  return { name, dtype, shape, start, end }
}

/** The tensors must fill the data one after the other: no overlap, no hole, nothing left over. */
const checkCoverage = (source: string, tensors: readonly PlacedTensor[], dataStart: number, dataBytes: number): void => {
  let filled = 0
  for (const { name, start, end } of tensors) {
    if (start !== filled) {
      const problem = start < filled ? 'overlaps the tensor before it' : 'leaves a hole before it'
      throw new FormatError(`expected data to begin at ${filled}, got ${start}: it ${problem}`, { source, path: `tensor ${JSON.stringify(name)}` })
    }
    filled = end
  }
  if (filled === dataBytes) return
  const problem = filled > dataBytes ? 'the file is cut off; fetch it again' : 'there are bytes that belong to no tensor'
  throw new FormatError(`expected a file of ${dataStart + filled} bytes, got ${dataStart + dataBytes}: ${problem}`, { source })
}

const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

const isWholeNumbers = (value: Json | undefined): value is readonly number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0)

const short = (value: Json | undefined): string => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
