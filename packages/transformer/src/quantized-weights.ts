// Matrices that stay in a GGUF file's blocks: from the file's bytes to the backend. Several tensors that make up one parameter become
// one where their formats agree, else a list that stands row after row.
import { tensor, type Backend } from '@weft/tensor'
import { packQuantized, type QuantizedFormat, type QuantizedTensor } from '@weft/tensor/ops'
import type { BlockDtype, TensorInfo } from '@weft/weights'

/** Block formats that Weft computes with; matrices in others are widened when they are loaded. */
const formats: Partial<Record<BlockDtype, QuantizedFormat>> = {
  Q8_0: 'q8_0', Q4_0: 'q4_0', Q4_1: 'q4_1', Q5_0: 'q5_0', Q5_1: 'q5_1', Q2_K: 'q2_k', Q3_K: 'q3_k', Q4_K: 'q4_k', Q5_K: 'q5_k', Q6_K: 'q6_k', IQ4_NL: 'iq4_nl', IQ4_XS: 'iq4_xs', MXFP4: 'mxfp4',
}

export const quantizedFormatOf = (dtype: TensorInfo['dtype']): QuantizedFormat | undefined => (formats as Partial<Record<string, QuantizedFormat>>)[dtype]

export interface QuantizedPart {
  readonly format: QuantizedFormat
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** The parts of a parameter in the order of their rows. Uploads one after the other; the bytes are not needed afterwards. */
export const uploadQuantized = (backend: Backend, parts: readonly QuantizedPart[]): QuantizedTensor[] => {
  const [first] = parts
  const isUniform = parts.every(({ format }) => format === first!.format)
  return (isUniform && parts.length > 1 ? [joined(parts)] : parts).map(({ format, shape, bytes }) => {
    const packed = tensor(backend, bytes, [bytes.length])
    return packQuantized({ format, shape, packed })
  })
}

const joined = (parts: readonly QuantizedPart[]): QuantizedPart => {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.bytes.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part.bytes, at)
    at += part.bytes.length
  }
  const { format, shape } = parts[0]!
  return { format, bytes, shape: [parts.reduce((sum, part) => sum + part.shape[0]!, 0), ...shape.slice(1)] }
}

/**
 * Rows of each head from pairs side by side (0, h, 1, h + 1 … of a head whose half is h) to the two halves apart, whatever a row is
 * made of: row 2i + j of a head becomes row j·half + i.
 */
export const separateHalves = (bytes: Uint8Array, rows: number, heads: number): Uint8Array => {
  const rowBytes = bytes.length / rows
  const headRows = rows / heads
  const half = headRows / 2
  const result = new Uint8Array(bytes.length)
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < headRows; row++) {
      const from = (head * headRows + row) * rowBytes
      result.set(bytes.subarray(from, from + rowBytes), (head * headRows + (row % 2) * half + (row >> 1)) * rowBytes)
    }
  }
  return result
}

export const disposeQuantized = (quantized: Iterable<readonly QuantizedTensor[]>): void => {
  for (const parts of quantized) for (const { packed } of parts) packed.dispose()
}
