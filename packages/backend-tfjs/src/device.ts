// A tfjs backend as Weft's kernels see it: runs tfjs kernels by name without the engine of tfjs (no tape, no scopes, no Tensor objects),
// counts memory, frees what a call leaves behind, and turns failures into WeftErrors.
import { WeftError } from '@weft/contracts'
import type { BackendMemory, DType, Meta, Operand, Shape } from '@weft/tensor'
import { memoryAccess, type MemoryAccess, type WasmHeap } from './memory-access.ts'
import type { TfBackend, TfDType, TfInfo, TfKernelConfig, TfModule } from './tf-module.ts'

/** The handle of this backend: one data id of tfjs. */
export interface TfBuffer {
  dataId: object
  readonly size: number
  /** How it is stored; u8 is `bool` (one byte, 0 to 255) where loops of our own keep it so, else `int32`. */
  readonly dtype: TfDType
  /** A Tensor object of tfjs, where a kernel insisted on making one: its engine must free it. */
  readonly owner?: { dispose(): void } | undefined
  state: 'scratch' | 'live' | 'freed'
  /** On wasm: the rows of the matrix that XNNPACK has packed from it. */
  packedRows?: number | undefined
}

/** A buffer in a shape: what kernels pass among themselves. */
export type Value = Operand<TfBuffer>

type TfInputs = Readonly<Record<string, Value | undefined>> | readonly Value[]

const weftTypes: Readonly<Record<TfDType, 'f32' | 'i32' | 'u8'>> = { float32: 'f32', int32: 'i32', bool: 'u8' }
const bytesPerElement: Readonly<Record<TfDType, number>> = { float32: 4, int32: 4, bool: 1 }

export const sizeOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1)

/** wasm has one heap of 4 GiB for everything; textures and GPU buffers end earlier. */
const maxBufferBytes: Readonly<Record<string, number>> = { cpu: 2 ** 32, wasm: 2 ** 31, webgl: 2 ** 28, webgpu: 2 ** 27 }

/** tfjs does not look at what malloc returns inside its kernels, so the heap of wasm is kept from filling up to its end. */
const heapLimitBytes = 2 ** 32 - 2 ** 28

export class Device {
  readonly name: string
  readonly #tf: TfModule
  readonly #backend: TfBackend
  readonly #memory: MemoryAccess | undefined
  readonly #kernels = new Map<string, TfKernelConfig>()
  readonly #live = new Set<TfBuffer>()
  /** Made by the call in progress. */
  #scratch: TfBuffer[] = []
  #bytes = 0
  /** On wasm: copies of right-hand sides that XNNPACK has packed. */
  #packedBytes = 0
  #peakBytes = 0
  #failure: unknown
  #isDisposed = false

  /** The largest single tensor. */
  readonly maxBufferBytes: number

  constructor(tf: TfModule, name: string, options: { readonly ownLoops: boolean }) {
    this.#tf = tf
    this.name = name
    this.maxBufferBytes = maxBufferBytes[name] ?? 2 ** 28
    this.#backend = tf.findBackend(name) as TfBackend
    this.#memory = options.ownLoops ? memoryAccess(name, this.#backend) : undefined
  }

  /** Whether loops of our own reach the data. */
  get isVisible(): boolean {
    return this.#memory !== undefined
  }

  get heap(): WasmHeap | undefined {
    return this.#memory?.heap
  }

  /**
   * Runs one call of the contract: what it makes is freed when it ends, except its results; all of it when it throws.
   * @throws WeftError
   */
  call(op: string, fn: () => readonly Value[]): readonly TfBuffer[] {
    this.check()
    this.#scratch = []
    try {
      const results = fn().map(({ data }) => data)
      for (const buffer of results) buffer.state = 'live'
      return results
    } catch (error) {
      throw this.#explain(op, error)
    } finally {
      for (const buffer of this.#scratch) if (buffer.state === 'scratch') this.#release(buffer)
      this.#scratch = []
    }
  }

  /** Runs a kernel of tfjs. */
  run(kernel: string, inputs: TfInputs, attrs: Readonly<Record<string, unknown>> = {}): Value {
    return this.runAll(kernel, inputs, attrs)[0]!
  }

  runAll(kernel: string, inputs: TfInputs, attrs: Readonly<Record<string, unknown>> = {}): Value[] {
    const config = this.#kernel(kernel)
    // Kernels that go through the engine of tfjs (webgl, tfjs-node) find the active backend there.
    if (!this.isVisible && this.#tf.getBackend() !== this.name) void this.#tf.setBackend(this.name)
    const tfInputs = Array.isArray(inputs) ? (inputs as readonly Value[]).map(infoOf) : mapRecord(inputs as Readonly<Record<string, Value>>, infoOf)
    const made = config.kernelFunc({ inputs: tfInputs as never, attrs: attrs as never, backend: this.#backend })
    return (Array.isArray(made) ? made : [made]).map((info) => this.#track(info))
  }

  /** A buffer of undefined content, for a loop of our own to fill. */
  allocate(shape: Shape, dtype: DType): Value {
    const tfType = this.#storedAs(dtype)
    const size = sizeOf(shape)
    return this.#add({ dataId: this.#memory!.allocate(size, tfType), size, dtype: tfType, state: 'scratch' }, shape)
  }

  /** Uploads values, which are copied. */
  upload(values: ArrayBufferView, shape: Shape, dtype: DType): Value {
    const tfType = this.#storedAs(dtype)
    if (this.isVisible) {
      const out = this.allocate(shape, dtype)
      bytesOf(this.view(out)).set(bytesOf(values))
      return out
    }
    const bytes = bytesOf(values).slice()
    const copy = dtype === 'f32' ? new Float32Array(bytes.buffer) : dtype === 'i32' ? new Int32Array(bytes.buffer) : Int32Array.from(bytes)
    return labelled(this.#add({ dataId: this.#backend.write(copy, [...shape], tfType), size: sizeOf(shape), dtype: tfType, state: 'scratch' }, shape), dtype)
  }

  /** The data in place. Taken after every allocation of a kernel: an allocation may move the heap. */
  view(x: Value): Float32Array | Int32Array | Uint8Array {
    return this.#memory!.view(x.data.dataId, x.data.size, x.data.dtype)
  }

  floats(x: Value): Float32Array {
    return this.view(x) as Float32Array
  }

  integers(x: Value): Int32Array {
    return this.view(x) as Int32Array
  }

  /** Frees what the call in progress made, before it ends. Anything else is left alone. */
  drop(...values: readonly Value[]): void {
    for (const { data } of values) if (data.state === 'scratch') this.#release(data)
  }

  /** wasm alone: elements of another f32 value as a value of its own, to be forgotten before that is freed. */
  part(x: Value, offset: number, shape: Shape): Value {
    const size = sizeOf(shape)
    return { data: { dataId: this.heap!.part(x.data.dataId, offset, size), size, dtype: 'float32', state: 'live' }, shape, dtype: 'f32' }
  }

  forget(...parts: readonly Value[]): void {
    for (const { data } of parts) {
      this.#forgetPacked(data)
      this.heap!.forget(data.dataId)
    }
  }

  /** A buffer has become the right-hand side of a product: on wasm XNNPACK keeps a packed copy with it. */
  notePacked(buffer: TfBuffer, rows: number): void {
    if (this.name !== 'wasm' || buffer.packedRows !== undefined) return
    buffer.packedRows = rows
    this.#packedBytes += 4 * buffer.size
  }

  #forgetPacked(buffer: TfBuffer): void {
    if (buffer.packedRows === undefined) return
    buffer.packedRows = undefined
    this.#packedBytes -= 4 * buffer.size
  }

  /** After writing into a donated buffer: its packed copy in XNNPACK is out of date. */
  markWritten(x: Value): Value {
    if (this.heap !== undefined && x.data.packedRows !== undefined) {
      x.data.dataId = this.heap.renew(x.data.dataId, x.data.size)
      this.#forgetPacked(x.data)
    }
    return x
  }

  async read(x: Value): Promise<ArrayBufferView> {
    this.check()
    if (this.isVisible) return this.readSync(x)
    try {
      return narrowed(await this.#backend.read(x.data.dataId), x.dtype)
    } catch (error) {
      throw this.#explain('read', error)
    }
  }

  readSync(x: Value): ArrayBufferView {
    this.check()
    try {
      return this.isVisible ? this.view(x).slice() : narrowed(this.#backend.readSync(x.data.dataId), x.dtype)
    } catch (error) {
      throw this.#explain('read', error)
    }
  }

  free(buffer: TfBuffer): void {
    if (buffer.state === 'freed') {
      if (this.#isDisposed) return
      throw new WeftError('backend', `${this.label}: a buffer was freed twice`)
    }
    this.#release(buffer)
  }

  memory(): BackendMemory {
    return { buffers: this.#live.size, bytes: this.#bytes, peakBytes: this.#peakBytes }
  }

  dispose(): void {
    for (const buffer of this.#live) this.#release(buffer)
    this.#isDisposed = true
  }

  get label(): string {
    return `tfjs-${this.name}`
  }

  /** @throws WeftError where tensors of these sizes are too large or do not fit beside what is there. */
  checkRoom(op: string, metas: readonly Meta[]): void {
    let bytes = 0
    for (const { shape, dtype } of metas) {
      const own = sizeOf(shape) * bytesPerElement[this.#storedAs(dtype)]
      if (own > this.maxBufferBytes) throw new WeftError('memory', `${op} on ${this.label}: a tensor of ${own} bytes is above the limit of ${this.maxBufferBytes}; split it`)
      bytes += own
    }
    if (this.name === 'wasm' && this.#bytes + this.#packedBytes + bytes > heapLimitBytes) throw this.#outOfMemory(op, `another ${bytes} bytes do not fit into the heap of 4 GiB`, undefined)
  }

  check(): void {
    if (this.#isDisposed) throw new WeftError('disposed', `${this.label}: the backend was disposed; create another one`)
    if (this.#failure !== undefined) throw new WeftError('backend', `${this.label}: an earlier call stopped the wasm module of tfjs, which cannot go on; start another process`, { cause: this.#failure })
  }

  #storedAs(dtype: DType): TfDType {
    if (dtype === 'f32') return 'float32'
    if (dtype === 'i32') return 'int32'
    if (dtype === 'u8') return this.isVisible ? 'bool' : 'int32'
    throw new WeftError('unsupported', `${this.label}: tfjs has no ${dtype}; it has f32, i32 and u8`)
  }

  #kernel(name: string): TfKernelConfig {
    let config = this.#kernels.get(name)
    if (config === undefined) {
      config = this.#tf.getKernel(name, this.name) as TfKernelConfig | undefined
      if (config === undefined) throw new WeftError('unsupported', `${this.label}: tfjs has no kernel ${name} there`)
      this.#kernels.set(name, config)
    }
    return config
  }

  #track(info: TfInfo): Value {
    const dtype = info.dtype as TfDType
    const size = sizeOf(info.shape)
    // A Tensor object would be freed by an open tf.tidy; `kept` is how tf.keep prevents that.
    const owner = 'dispose' in info ? Object.assign(info as TfInfo & { dispose(): void; kept?: boolean }, { kept: true }) : undefined
    const dataId = this.#memory === undefined ? info.dataId : this.#memory.settle(info.dataId, size, dtype)
    return this.#add({ dataId, size, dtype, owner, state: 'scratch' }, info.shape)
  }

  #add(buffer: TfBuffer, shape: Shape): Value {
    this.#scratch.push(buffer)
    this.#live.add(buffer)
    this.#bytes += buffer.size * bytesPerElement[buffer.dtype]
    if (this.#bytes > this.#peakBytes) this.#peakBytes = this.#bytes
    return { data: buffer, shape, dtype: weftTypes[buffer.dtype] }
  }

  #release(buffer: TfBuffer): void {
    buffer.state = 'freed'
    this.#live.delete(buffer)
    this.#bytes -= buffer.size * bytesPerElement[buffer.dtype]
    this.#forgetPacked(buffer)
    if (this.#failure !== undefined) return
    if (buffer.owner !== undefined) buffer.owner.dispose()
    else this.#backend.disposeData(buffer.dataId)
  }

  #outOfMemory(op: string, what: string, cause: unknown): WeftError {
    const mb = Math.round(this.#bytes / 2 ** 20)
    const advice = 'use smaller batches or shorter sequences, accumulate gradients, or dispose tensors earlier'
    return new WeftError('memory', `${op} on ${this.label}: out of memory with ${mb} MB in use (${what}); ${advice}`, { cause })
  }

  #explain(op: string, error: unknown): unknown {
    if (error instanceof Error && 'kind' in error) return error
    const what = error instanceof Error ? error.message : String(error)
    const isAbort = typeof WebAssembly !== 'undefined' && error instanceof WebAssembly.RuntimeError
    if (isAbort) this.#failure = error
    if (isAbort || error instanceof RangeError) return this.#outOfMemory(op, what, error)
    return new WeftError('backend', `${op} on ${this.label}: ${what}`, { cause: error })
  }
}

/** The same buffer seen in another shape. */
export const reshaped = (x: Value, shape: Shape): Value => ({ data: x.data, shape, dtype: x.dtype })

/** The same buffer under another element type, where both are stored alike. */
export const labelled = (x: Value, dtype: DType): Value => ({ data: x.data, shape: x.shape, dtype })

const infoOf = (x: Value): TfInfo => ({ dataId: x.data.dataId, shape: x.shape as number[], dtype: x.data.dtype })

const mapRecord = (record: Readonly<Record<string, Value | undefined>>, f: (x: Value) => TfInfo): Record<string, TfInfo> => {
  const out: Record<string, TfInfo> = {}
  for (const key in record) {
    const value = record[key]
    if (value !== undefined) out[key] = f(value)
  }
  return out
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength)

/** What tfjs read, in stored form and nobody else's. */
const narrowed = (values: ArrayBufferView, dtype: DType): ArrayBufferView => {
  const numbers = values as Float32Array | Int32Array | Uint8Array
  if (dtype === 'u8') return Uint8Array.from(numbers)
  return dtype === 'i32' ? Int32Array.from(numbers) : Float32Array.from(numbers)
}
