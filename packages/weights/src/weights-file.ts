// An open checkpoint, whatever its format: names, shapes, and bytes on demand.
import type { Json } from '@weft/contracts'
import type { Dtype } from './dtype.ts'

export interface TensorInfo {
  readonly dtype: Dtype
  /** Empty for a single number. */
  readonly shape: readonly number[]
  readonly sizeBytes: number
}

export interface ReadOptions {
  /** Where to put the bytes, from its start; the result is then a view of it. */
  readonly into?: Uint8Array
  /** The part [start, end) along the first axis; default all. */
  readonly rows?: readonly [start: number, end: number]
  readonly signal?: AbortSignal
}

/** Opening reads the header alone; each `read` reads what it returns. */
export interface WeightsFile {
  /** The file, or the folder of a sharded checkpoint. */
  readonly name: string
  /** What the file says about itself beside its tensors. */
  readonly metadata: ReadonlyMap<string, Json>
  /** By name, in the order of their bytes: reading them in this order reads the file from start to end. */
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /**
   * A tensor's bytes, row-major, little-endian. Without `into` in a buffer of their own (so they start at a multiple of 64).
   * @throws ConfigError for an unknown name or impossible rows; FormatError where the file has become shorter.
   */
  read(name: string, options?: ReadOptions): Promise<Uint8Array>
  /** Frees what opening took: the source that was passed in, or the files that were opened. */
  close(): Promise<void>
}
