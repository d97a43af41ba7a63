// Which bytes of a tensor a read asks for: all, or rows of the first axis.
import { ConfigError } from '@weft/contracts'
import { blockSize, isBlockDtype } from './block-dtype.ts'
import { bitsOf } from './dtype.ts'
import type { ReadOptions, TensorInfo } from './weights-file.ts'

/** @throws ConfigError for rows outside of the tensor, or that begin inside of a byte or block. */
export const readRange = (name: string, { dtype, shape, sizeBytes }: TensorInfo, { rows }: ReadOptions): { readonly offset: number; readonly length: number } => {
  if (rows === undefined) return { offset: 0, length: sizeBytes }
  const [start, end] = rows
  const [numRows, ...rest] = shape
  if (numRows === undefined || !Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start || end > numRows) {
    const axis = numRows === undefined ? 'a tensor without axes has none' : `it has ${numRows}`
    throw new ConfigError(`tensor ${name}: expected rows [start, end) inside its first axis, got [${start}, ${end}); ${axis}`)
  }
  const rowValues = rest.reduce((product, size) => product * size, 1)
  const bytesBefore = (row: number): number => {
    const bytes = isBlockDtype(dtype) ? ((row * rowValues) / blockSize(dtype).values) * blockSize(dtype).bytes : (row * rowValues * bitsOf(dtype)) / 8
    if (!Number.isInteger(bytes)) throw new ConfigError(`tensor ${name}: rows of ${dtype} begin and end inside a ${isBlockDtype(dtype) ? 'block' : 'byte'} here; read more rows, or all`)
    return bytes
  }
  return { offset: bytesBefore(start), length: bytesBefore(end) - bytesBefore(start) }
}
