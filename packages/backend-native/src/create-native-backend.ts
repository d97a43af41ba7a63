// The backend as Weft sees it: kernels that enqueue, uploads, reads, and the account of memory.
import { availableParallelism, totalmem } from 'node:os'
import { constrainedMemory } from 'node:process'
import { ConfigError, WeftError } from '@weft/contracts'
import type { Attrs, Backend, BackendMemory, DType, Kernel, Kernels, Meta, Operand, Shape, Slot } from '@weft/tensor'
import { loadAddon, type Addon, type BufferStatistics, type NativeHandle } from './addon.ts'
import { bindInline, bindStaged, CommandRing, freeHandle, readHandle } from './command-ring.ts'
import { nativeOperations } from './operations/all.ts'
import type { AttributeSpec, NativeOperation } from './operation.ts'

export type InstructionSet = 'avx512' | 'avx2' | 'baseline'

export interface NativeBackendOptions {
  /** 1 … 256; default: as many as the processor runs at once. */
  readonly threads?: number | undefined
  /** Default: the best that the processor offers. A lower one gives what a lesser processor would. */
  readonly instructionSet?: InstructionSet | undefined
  /** Tensors may not take more bytes than this; default: the memory of the machine, or of the container. */
  readonly memoryLimitBytes?: number | undefined
}

/** A buffer is named by a number. */
export type NativeBuffer = number

export interface NativeBackend extends Backend<NativeBuffer> {
  readonly threads: number
  readonly instructionSet: InstructionSet
  /** Buffers as the system sees them. */
  statistics(): BufferStatistics
}

const instructionSets: readonly InstructionSet[] = ['baseline', 'avx2', 'avx512']
const dtypes: readonly DType[] = ['f32', 'i32', 'u8', 'f16', 'bf16'] // native/core/types.h has the same order
const bytesPerElement: Readonly<Record<DType, number>> = { f32: 4, i32: 4, u8: 1, f16: 2, bf16: 2, f64: 8 }
const maxRank = 8
const maxThreads = 256

/** Uploads up to this size travel in the ring. */
const maxInlineBytes = 4096

/**
 * Starts the native backend: its threads run operations in the order in which they were enqueued, while JavaScript goes on.
 *
 * @throws ConfigError for options out of range; WeftError of kind `backend` where the addon is not built, with the reason.
 */
export const createNativeBackend = (options: NativeBackendOptions = {}): NativeBackend => {
  const { threads = Math.min(availableParallelism(), maxThreads), memoryLimitBytes = memoryOfMachine(), instructionSet } = options
  if (!Number.isInteger(threads) || threads < 1 || threads > maxThreads) throw new ConfigError(`backend-native: expected 1 to ${maxThreads} threads, got ${threads}`)
  if (!(memoryLimitBytes > 0)) throw new ConfigError(`backend-native: expected memoryLimitBytes above 0, got ${memoryLimitBytes}`)
  if (instructionSet !== undefined && !instructionSets.includes(instructionSet)) {
    throw new ConfigError(`backend-native: expected an instructionSet of ${instructionSets.join(', ')}, got ${JSON.stringify(instructionSet)}`)
  }
  return new Native(loadAddon(), threads, memoryLimitBytes, instructionSet === undefined ? -1 : instructionSets.indexOf(instructionSet))
}

interface PendingRead {
  resolve(bits: ArrayBufferView): void
  reject(error: WeftError): void
  readonly target: Uint8Array
}

class Native implements NativeBackend {
  readonly name = 'native'
  readonly threads: number
  readonly instructionSet: InstructionSet
  readonly traits: Backend['traits']
  readonly kernels: Kernels<NativeBuffer>
  readonly #addon: Addon
  readonly #native: NativeHandle
  readonly #ring: CommandRing
  readonly #limit: number
  /** Bytes by handle; a handle that is not in use has −1. */
  readonly #sizes: number[] = []
  readonly #freeHandles: number[] = []
  readonly #pending = new Map<number, PendingRead>()
  #nextRead = 1
  #buffers = 0
  #bytes = 0
  #peakBytes = 0
  #disposed: Promise<void> | undefined

  constructor(addon: Addon, threads: number, limit: number, instructionSet: number) {
    this.#addon = addon
    this.#limit = limit
    this.threads = threads
    const made = createQueue(addon, threads, instructionSet, (request, error) => this.#onRead(request, error))
    this.#native = made.backend
    this.instructionSet = made.instructionSet as InstructionSet
    this.#ring = new CommandRing(addon, made.backend, made.ring, made.control)
    this.traits = { dtypes: new Set(dtypes), deterministic: true, maxBufferBytes: limit }
    this.kernels = this.#offered(made.kernels) as Kernels<NativeBuffer>
  }

  #offered(kernelNames: readonly string[]): Record<string, Kernel<NativeBuffer>> {
    const offered: Record<string, Kernel<NativeBuffer>> = {}
    kernelNames.forEach((name, code) => {
      const operation = Object.hasOwn(nativeOperations, name) ? nativeOperations[name] : undefined
      if (operation !== undefined) offered[name] = (call) => this.#enqueue(name, code, operation, call)
    })
    return offered
  }

  supports(op: string, inputs: readonly Slot<Meta>[], attrs: Attrs): boolean {
    return (nativeOperations[op]?.supports ?? always)(inputs, attrs)
  }

  upload(bits: ArrayBufferView, shape: Shape, dtype: DType): NativeBuffer {
    this.#requireLive('upload')
    const bytes = sizeOf(shape) * bytesPerElement[dtype]
    if (bytes !== bits.byteLength) throw new WeftError('shape', `upload: ${bits.byteLength} bytes do not fill ${bytes}`)
    this.#requireRoom('upload', bytes)
    if (bytes <= maxInlineBytes) {
      const handle = this.#take(bytes)
      this.#ring.begin(bindInline, 2 + Math.ceil(bytes / 8))
      this.#ring.put(handle)
      this.#ring.put(bytes)
      this.#ring.putBytes(new Uint8Array(bits.buffer, bits.byteOffset, bytes))
      this.#ring.publish()
      return handle
    }
    const staged = this.#stage(bits)
    const handle = this.#take(bytes)
    this.#ring.begin(bindStaged, 2)
    this.#ring.put(handle)
    this.#ring.put(staged)
    this.#ring.publish()
    return handle
  }

  #stage(bits: ArrayBufferView): number {
    try {
      return this.#addon.stage(this.#native, bits)
    } catch (error) {
      throw new WeftError('memory', `upload: ${error instanceof Error ? error.message : String(error)}: ${megabytes(bits.byteLength)} more are not to be had; free tensors`)
    }
  }

  read(x: Operand<NativeBuffer>): Promise<ArrayBufferView> {
    try {
      this.#requireLive('read')
      const target = new Uint8Array(sizeOf(x.shape) * bytesPerElement[x.dtype])
      const request = this.#beginRead(x.data)
      return new Promise((resolve, reject) => {
        this.#pending.set(request, { resolve, reject, target })
        this.#ring.publishRead((head) => this.#addon.read(this.#native, request, target, head))
      })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  readSync(x: Operand<NativeBuffer>): ArrayBufferView {
    this.#requireLive('readSync')
    const target = new Uint8Array(sizeOf(x.shape) * bytesPerElement[x.dtype])
    const request = this.#beginRead(x.data)
    const error = this.#ring.publishRead((head) => this.#addon.readSync(this.#native, request, target, head))
    if (error !== undefined) throw new WeftError('backend', error)
    return target
  }

  free(handle: NativeBuffer): void {
    const bytes = this.#sizes[handle] ?? -1
    if (bytes < 0 || this.#disposed !== undefined) return // twice, or after the end: nothing to do
    this.#sizes[handle] = -1
    this.#buffers--
    this.#bytes -= bytes
    this.#freeHandles.push(handle)
    this.#ring.begin(freeHandle, 1)
    this.#ring.put(handle)
    this.#ring.publish()
  }

  memory(): BackendMemory {
    return { buffers: this.#buffers, bytes: this.#bytes, peakBytes: this.#peakBytes }
  }

  statistics(): BufferStatistics {
    this.#requireLive('statistics')
    return this.#addon.statistics(this.#native)
  }

  /** Lets what is enqueued finish, then ends the threads and frees everything. Calling it again waits for the same end. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#drain()
    return this.#disposed
  }

  async #drain(): Promise<void> {
    // A read of nothing comes back when all before it is done, without holding up the event loop meanwhile.
    const handle = this.#take(0)
    this.#ring.begin(bindInline, 2)
    this.#ring.put(handle)
    this.#ring.put(0)
    this.#ring.publish()
    const request = this.#beginRead(handle)
    await new Promise<void>((resolve) => {
      const target = new Uint8Array(0)
      this.#pending.set(request, { resolve: () => resolve(), reject: () => resolve(), target })
      this.#ring.publishRead((head) => this.#addon.read(this.#native, request, target, head))
    })
    this.#addon.stop(this.#native)
    this.#sizes.length = 0
    this.#freeHandles.length = 0
    this.#buffers = 0
    this.#bytes = 0
  }

  #enqueue(name: string, code: number, operation: NativeOperation, call: Parameters<Kernel<NativeBuffer>>[0]): NativeBuffer[] {
    this.#requireLive(name)
    const { inputs, attrs, outputs } = call
    const words = countWords(inputs, outputs, operation, attrs)
    const sizes = outputs.map((meta) => bytesOf(name, meta))
    const handles: NativeBuffer[] = sizes.map(() => -1)
    for (const [output, slot] of operation.reuses ?? []) this.#reuse(handles, output, slot, call, sizes)
    let next = 0
    for (const slot of operation.reusesInOrder ?? []) next += this.#reuse(handles, next, slot, call, sizes)
    this.#requireRoom(name, sizes.reduce((sum, bytes, i) => (handles[i] === -1 ? sum + bytes : sum), 0))
    for (let i = 0; i < handles.length; i++) if (handles[i] === -1) handles[i] = this.#take(sizes[i]!)

    const ring = this.#ring
    ring.begin(code, words)
    ring.put(inputs.length)
    for (const slot of inputs) {
      if (slot === undefined) ring.put(0)
      else if (isList(slot)) {
        ring.put(slot.length)
        for (const operand of slot) putTensor(ring, operand.data, operand)
      } else {
        ring.put(1)
        putTensor(ring, slot.data, slot)
      }
    }
    ring.put(outputs.length)
    for (let i = 0; i < outputs.length; i++) putTensor(ring, handles[i]!, outputs[i]!)
    for (const spec of operation.attributes ?? []) putAttribute(ring, spec, attrs)
    ring.publish()
    return handles
  }

  /** Gives the buffers of a donated slot to the outputs from `output` on, where they are of one size. @returns how many tensors the slot has. */
  #reuse(handles: NativeBuffer[], output: number, slot: number, { inputs, donated }: Parameters<Kernel<NativeBuffer>>[0], sizes: readonly number[]): number {
    const operands = inputs[slot]
    if (operands === undefined) return 0
    const items = isList(operands) ? operands : [operands]
    const given = donated[slot] ?? false
    const flags = typeof given === 'boolean' ? [given] : given
    items.forEach(({ data }, i) => {
      if (flags[i] === true && sizes[output + i] === this.#sizes[data]) handles[output + i] = data
    })
    return items.length
  }

  #take(bytes: number): NativeBuffer {
    const handle = this.#freeHandles.pop() ?? this.#sizes.length
    this.#sizes[handle] = bytes
    this.#buffers++
    this.#bytes += bytes
    if (this.#bytes > this.#peakBytes) this.#peakBytes = this.#bytes
    return handle
  }

  #beginRead(handle: NativeBuffer): number {
    const request = this.#nextRead++
    this.#ring.begin(readHandle, 2)
    this.#ring.put(handle)
    this.#ring.put(request)
    return request
  }

  #onRead(request: number, error: string | undefined): void {
    const pending = this.#pending.get(request)
    this.#pending.delete(request)
    if (error === undefined) pending?.resolve(pending.target)
    else pending?.reject(new WeftError('backend', error))
  }

  #requireLive(what: string): void {
    if (this.#disposed !== undefined) throw new WeftError('disposed', `${what}: the native backend has been disposed; create another one`)
  }

  #requireRoom(what: string, bytes: number): void {
    if (this.#bytes + bytes <= this.#limit) return
    throw new WeftError('memory', `${what}: ${megabytes(bytes)} more do not fit: ${megabytes(this.#bytes)} of ${megabytes(this.#limit)} are in use; free tensors, use smaller batches, or raise memoryLimitBytes`)
  }
}

const createQueue = (addon: Addon, threads: number, instructionSet: number, onRead: (request: number, error: string | undefined) => void): ReturnType<Addon['create']> => {
  try {
    return addon.create(threads, instructionSet, onRead)
  } catch (error) {
    throw new WeftError('backend', `backend-native: it cannot start with ${threads} threads: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const memoryOfMachine = (): number => {
  const ofContainer = constrainedMemory() // 0: unknown; without a limit a number beyond all memory
  return ofContainer > 0 ? Math.min(totalmem(), ofContainer) : totalmem()
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

const always = (): boolean => true

const isList = <T>(slot: T | readonly T[]): slot is readonly T[] => Array.isArray(slot)

const sizeOf = (shape: Shape): number => {
  let size = 1
  for (const dim of shape) size *= dim
  return size
}

const bytesOf = (name: string, { shape, dtype }: Meta): number => {
  if (shape.length > maxRank) throw new WeftError('shape', `${name}: the native backend has tensors of rank ${maxRank} at most, got rank ${shape.length}`)
  return sizeOf(shape) * bytesPerElement[dtype]
}

/** An upper bound for the numbers of a call. @throws ConfigError for a word that the kernel does not know. */
const countWords = (inputs: readonly Slot<Operand<NativeBuffer>>[], outputs: readonly Meta[], operation: NativeOperation, attrs: Attrs): number => {
  let words = 2 + inputs.length + outputs.length * (3 + maxRank)
  for (const slot of inputs) if (slot !== undefined) words += (isList(slot) ? slot.length : 1) * (3 + maxRank)
  for (const spec of operation.attributes ?? []) {
    const value = attrs[spec.name]
    words += 1 + (spec.kind === 'list' && value !== undefined ? (value as readonly number[]).length : 0)
    if (spec.kind === 'choice' && value !== undefined) choiceIndex(spec, value as string)
  }
  return words
}

const putTensor = (ring: CommandRing, handle: NativeBuffer, { shape, dtype }: Meta): void => {
  ring.put(handle)
  ring.put(dtypes.indexOf(dtype))
  ring.put(shape.length)
  for (let i = 0; i < shape.length; i++) ring.put(shape[i]!)
}

const putAttribute = (ring: CommandRing, spec: AttributeSpec, attrs: Attrs): void => {
  const value = attrs[spec.name]
  if (spec.kind === 'list') {
    const values = value as readonly number[] | undefined
    ring.put(values?.length ?? -1)
    if (values !== undefined) for (const item of values) ring.put(item)
  } else if (spec.kind === 'choice') ring.put(value === undefined ? NaN : choiceIndex(spec, value as string))
  else ring.put(value === undefined ? NaN : Number(value))
}

const choiceIndex = ({ name, values }: Extract<AttributeSpec, { kind: 'choice' }>, value: string): number => {
  const index = values.indexOf(value)
  if (index < 0) throw new ConfigError(`backend-native: expected ${name} of ${values.join(', ')}, got ${JSON.stringify(value)}`)
  return index
}
