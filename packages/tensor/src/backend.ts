// L0: the whole contract between Weft and a device. A backend writer meets nothing else; docs/guides/custom-backend.md shows one.
import type { DType } from './dtype.ts'
import type { Shape } from './shape.ts'

export interface Meta {
  readonly shape: Shape
  readonly dtype: DType
}

/** Small constants of a call: everything that is not a tensor. */
export type Attrs = Readonly<Record<string, number | boolean | string | readonly number[]>>

/** undefined: an absent optional input; an array: a list input. */
export type Slot<T> = T | readonly T[] | undefined

/** What a kernel sees of a tensor. `data` is row-major in `shape`; the same data may be seen in several shapes. */
export interface Operand<H> extends Meta {
  readonly data: H
}

export interface KernelCall<H> {
  /** In the order of the operation's declared inputs. */
  readonly inputs: readonly Slot<Operand<H>>[]
  /** Where true, nobody else holds this input: the kernel may write into it and return its handle as an output. Empty: none. */
  readonly donated: readonly Slot<boolean>[]
  readonly attrs: Attrs
  /** What `infer` promised, list outputs laid end to end, recordOutputs last where they are asked for. */
  readonly outputs: readonly Meta[]
}

/**
 * Enqueues and returns a fresh handle for each output (or a donated input's). A call that throws has changed nothing.
 * The type is read off a method, because only methods let a `Backend<MyHandle>` pass where a `Backend` is asked for.
 */
export type Kernel<H> = { kernel(call: KernelCall<H>): readonly H[] }['kernel']

/**
 * The primitives that every backend has; attributes and inputs:
 *
 * - `fill` [] { value } — `outputs[0]` filled; NaN and ±Infinity are values like others
 * - `iota` [] — 0, 1, 2 … along the only axis of `outputs[0]`
 * - `unary` [x] { op: neg exp log sqrt rsqrt sin cos tanh erf abs floor }
 * - `binary` [a, b] { op: add sub mul div max min pow lt eq } — broadcasting; lt and eq give u8; max and min propagate NaN
 * - `where` [condition u8, a, b] — broadcasting all three
 * - `cast` [x] { to } — float → i32 truncates towards 0; anything → u8 from float or i32 truncates, values stay in 0 … 255
 * - `reduce` [x] { op: sum max min, axes, keepDims } — empty sum 0; empty max −∞ (i32: −(2^24 − 1), u8: 0), empty min the upper end
 * - `matMul` [a, b] { transposeA, transposeB } — [..., M, K] × [..., K, N], leading axes broadcast; sums in f32 (f64 for f64)
 * - `permute` [x] { axes }
 * - `broadcastTo` [x] { shape }
 * - `slice` [x] { starts, sizes }
 * - `pad` [x] { before, after, value }
 * - `concat` [xs[]] { axis }
 * - `gather` [x, indices i32] { axis } — the axis is replaced by the indices' shape; an index out of range yields 0
 * - `scatterAdd` [indices i32 [N], updates [N, …D]] { size } — zeros [size, …D] plus each row at its index; out of range: ignored
 */
export type Primitive =
  | 'fill'
  | 'iota'
  | 'unary'
  | 'binary'
  | 'where'
  | 'cast'
  | 'reduce'
  | 'matMul'
  | 'permute'
  | 'broadcastTo'
  | 'slice'
  | 'pad'
  | 'concat'
  | 'gather'
  | 'scatterAdd'

export type UnaryOp = 'neg' | 'exp' | 'log' | 'sqrt' | 'rsqrt' | 'sin' | 'cos' | 'tanh' | 'erf' | 'abs' | 'floor'
export type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | 'pow' | 'lt' | 'eq'
export type ReduceOp = 'sum' | 'max' | 'min'

export type Kernels<H> = Readonly<Record<Primitive, Kernel<H>>> & { readonly [op: string]: Kernel<H> | undefined }

export interface BackendMemory {
  /** Live buffers. */
  readonly buffers: number
  readonly bytes: number
  readonly peakBytes: number
}

/**
 * A device. Its rules, each a case of the conformance kit (`@weft/tensor/testing`):
 *
 * 1. Calls take effect in order, and `free` is one of them: reading, then freeing, then awaiting the read works.
 * 2. `upload` has copied when it returns.
 * 3. A call that throws has changed nothing; a failure after it returned rejects each `read` that depends on it with the first cause.
 * 4. A backend bounds its queue by blocking the enqueue.
 * 5. Worker threads never need the JavaScript thread, so that `readSync` cannot deadlock.
 * 6. `dispose` drains; later calls throw.
 */
export interface Backend<H = unknown> {
  readonly name: string
  readonly traits: {
    /** f32, i32 and u8 at least. */
    readonly dtypes: ReadonlySet<DType>
    /** Two runs of the same calls give the same bits. */
    readonly deterministic: boolean
    readonly maxBufferBytes: number
  }
  /** @param bits a typed array in stored form, row-major: f32 Float32Array, i32 Int32Array, u8 Uint8Array, f64 Float64Array, f16 and bf16 bits in a Uint16Array. */
  upload(bits: ArrayBufferView, shape: Shape, dtype: DType): H
  /** The values in stored form. */
  read(x: Operand<H>): Promise<ArrayBufferView>
  readSync?(x: Operand<H>): ArrayBufferView
  free(data: H): void
  memory(): BackendMemory
  /** One table: the primitives, then any named operations that the backend has a kernel of its own for. */
  readonly kernels: Kernels<H>
  /** Whether its own kernel of a named operation takes these inputs; absent: always. */
  supports?(op: string, inputs: readonly Slot<Meta>[], attrs: Attrs): boolean
  dispose(): Promise<void>
}
