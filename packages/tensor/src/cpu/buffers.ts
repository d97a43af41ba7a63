// The buffers of the reference backend: typed arrays in stored form, counted. A freed or foreign buffer is an error, never garbage.
import { WeftError } from '@weft/contracts'
import type { BackendMemory, Meta, Operand } from '../backend.ts'
import { bytesPerElement, toStored, widen, type DType, type HostArray } from '../dtype.ts'
import { formatShape, sizeOf } from '../shape.ts'

/** The handle of the reference backend; `values` goes when it is freed. */
export interface CpuBuffer {
  values: HostArray | undefined
}

/** A typed array must be indexable by a double without loss and V8 refuses more than 2^33 elements; 4 GiB is far below both. */
export const maxBufferBytes = 2 ** 32

export class Buffers {
  #buffers = 0
  #bytes = 0
  #peakBytes = 0
  #isDisposed = false

  /** Takes over an array that nobody else writes to. */
  own(values: HostArray): CpuBuffer {
    this.check()
    this.#buffers++
    this.#bytes += values.byteLength
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes)
    return { values }
  }

  free(buffer: CpuBuffer): void {
    if (buffer.values === undefined) {
      if (this.#isDisposed) return
      throw new WeftError('backend', 'cpu: a buffer was freed twice')
    }
    this.#buffers--
    this.#bytes -= buffer.values.byteLength
    buffer.values = undefined
  }

  memory(): BackendMemory {
    return { buffers: this.#buffers, bytes: this.#bytes, peakBytes: this.#peakBytes }
  }

  dispose(): void {
    this.#isDisposed = true
  }

  check(): void {
    if (this.#isDisposed) throw new WeftError('disposed', 'cpu: the backend was disposed; create another one')
  }
}

/** The stored values of an operand: bits where the dtype is f16 or bf16. */
export const storedOf = (x: Operand<CpuBuffer>): HostArray => {
  const { values } = x.data
  if (values === undefined) throw new WeftError('backend', `cpu: a ${x.dtype} ${formatShape(x.shape)} buffer was used after it was freed`)
  return values
}

/** The values of an operand as numbers to compute with. */
export const numbersOf = (x: Operand<CpuBuffer>): HostArray => widen(storedOf(x), x.dtype)

/** Zeros in stored form. */
export const allocate = (dtype: DType, size: number): HostArray => {
  checkSize(dtype, size)
  return dtype === 'f16' || dtype === 'bf16' ? new Uint16Array(size) : allocateNumbers(dtype, size)
}

/** Zeros to compute into: f16 and bf16 are computed in f32 and rounded by `store`. */
export const allocateNumbers = (dtype: DType, size: number): HostArray => {
  checkSize(dtype, size)
  switch (dtype) {
    case 'f64':
      return new Float64Array(size)
    case 'i32':
      return new Int32Array(size)
    case 'u8':
      return new Uint8Array(size)
    case 'f32':
    case 'f16':
    case 'bf16':
      return new Float32Array(size)
  }
}

/** What a kernel computed, in stored form. */
export const store = (numbers: HostArray, { dtype }: Meta): HostArray => toStored(numbers, dtype)

export const outputSize = (meta: Meta): number => sizeOf(meta.shape)

const checkSize = (dtype: DType, size: number): void => {
  const bytes = size * bytesPerElement[dtype]
  if (bytes > maxBufferBytes) throw new WeftError('memory', `cpu: a buffer of ${bytes} bytes is above the limit of ${maxBufferBytes}; split the tensor`)
}
