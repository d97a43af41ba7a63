// safetensors, written as a stream: shapes first, then one tensor's bytes at a time, so that a model need not fit in memory twice.
import { ConfigError } from '@weft/contracts'
import type { ByteSink } from '@weft/sources'
import { bitsOf, checkedTensorBytes, type PlainDtype } from './dtype.ts'
import { maxHeaderBytes } from './safetensors-header.ts'

export interface TensorToWrite {
  readonly name: string
  readonly dtype: PlainDtype
  readonly shape: readonly number[]
  /** Row-major, little-endian bytes; called once, when its turn comes. They are let go after they are written. */
  read(): Promise<Uint8Array>
}

export interface WriteSafetensorsOptions {
  /** Hugging Face's readers expect {format: 'pt'}. */
  readonly metadata?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/**
 * Writes a safetensors file into a sink; committing it is the caller's. The order is that of the input, wider elements first, so
 * that every tensor starts at a multiple of its element size; the header is padded with spaces so that the data starts at a multiple
 * of 64.
 * @throws ConfigError for a name that occurs twice, an impossible shape, or bytes that are not as many as the shape says.
 */
export const writeSafetensors = async (
  tensors: Iterable<TensorToWrite> | AsyncIterable<TensorToWrite>,
  sink: ByteSink,
  options: WriteSafetensorsOptions = {},
): Promise<void> => {
  const { metadata, signal } = options
  signal?.throwIfAborted()
  const planned = await planTensors(tensors)
  await sink.write(headerOf(planned, metadata))
  for (const { tensor, sizeBytes } of planned) {
    signal?.throwIfAborted()
    const bytes = await tensor.read()
    if (bytes.length !== sizeBytes) {
      throw new ConfigError(`tensor ${tensor.name}: expected ${sizeBytes} bytes for ${tensor.dtype} [${tensor.shape.join(', ')}], got ${bytes.length}`)
    }
    await sink.write(bytes)
  }
}

interface PlannedTensor {
  readonly tensor: TensorToWrite
  readonly sizeBytes: number
}

const planTensors = async (tensors: Iterable<TensorToWrite> | AsyncIterable<TensorToWrite>): Promise<PlannedTensor[]> => {
  const planned = new Map<string, PlannedTensor>()
  for await (const tensor of tensors) {
    if (tensor.name === '__metadata__' || planned.has(tensor.name)) {
      const problem = tensor.name === '__metadata__' ? 'that name is reserved' : 'there are two'
      throw new ConfigError(`tensor ${tensor.name}: expected a name of its own, but ${problem}`)
    }
    planned.set(tensor.name, { tensor, sizeBytes: checkedTensorBytes(tensor.name, tensor.dtype, tensor.shape) })
  }
  return [...planned.values()].sort((a, b) => bitsOf(b.tensor.dtype) - bitsOf(a.tensor.dtype))
}

const headerOf = (planned: readonly PlannedTensor[], metadata: WriteSafetensorsOptions['metadata']): Uint8Array => {
  let offset = 0
  const entries: string[] = metadata === undefined ? [] : [`"__metadata__":${JSON.stringify(metadata)}`]
  // Written by hand: an object would put names like "7" first, and lose "__proto__".
  for (const { tensor, sizeBytes } of planned) {
    const entry = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [offset, offset + sizeBytes] }
    entries.push(`${JSON.stringify(tensor.name)}:${JSON.stringify(entry)}`)
    offset += sizeBytes
  }
  const json = new TextEncoder().encode(`{${entries.join(',')}}`)
  const headerBytes = Math.ceil((8 + json.length) / 64) * 64 - 8
  if (headerBytes > maxHeaderBytes) throw new ConfigError(`safetensors: expected a header of at most ${maxHeaderBytes} bytes, got ${headerBytes}; write several files`)
  const bytes = new Uint8Array(8 + headerBytes).fill(0x20)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true)
  bytes.set(json, 8)
  return bytes
}
