// A handle on storage that lives on a backend. Storages are counted: reshapes, the tape and snapshots share them.
import type { Backend, Operand } from './backend.ts'
import type { DType } from './dtype.ts'
import { dispose } from './dispose-symbol.ts'
import { DisposedTensorError, DonatedTensorError } from './errors.ts'
import { ambient, runtimeOf } from './runtime.ts'
import { formatShape, sizeOf, type Shape } from './shape.ts'

/** One buffer of a backend and how many handles look at it. */
export class Storage {
  readonly backend: Backend
  readonly data: unknown
  count = 1
  constructor(backend: Backend, data: unknown) {
    this.backend = backend
    this.data = data
  }
  release(): void {
    if (--this.count === 0) this.backend.free(this.data)
  }
  /** The buffer now belongs to another storage: nothing is freed here. */
  moveOut(): void {
    this.count = 0
  }
}

/**
 * An immutable array on a backend. Values come back with `await read(tensor)`. Freed by `dispose()`, by `using`, or by the
 * `tidy` that it was made in.
 */
export class Tensor {
  readonly shape: Shape
  readonly dtype: DType
  /** Identifies this handle on a tape. */
  readonly id: number
  #storage: Storage
  #state: 'live' | 'disposed' | 'donated' = 'live'

  /** @internal Made by operations; takes over one count of the storage. */
  constructor(storage: Storage, shape: Shape, dtype: DType) {
    this.#storage = storage
    this.shape = shape
    this.dtype = dtype
    this.id = ambient.nextTensorId++
    ambient.scope?.add(this)
    if (ambient.watchers > 0) runtimeOf(storage.backend).watcher?.made(this)
  }

  get backend(): Backend {
    return this.#storage.backend
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape)
  }

  get isDisposed(): boolean {
    return this.#state !== 'live'
  }

  /** Frees the handle; the buffer goes with its last handle. Calling it again does nothing. */
  dispose(): void {
    if (this.#state !== 'live') return
    this.#end('disposed')
    this.#storage.release()
  }

  [dispose](): void {
    this.dispose()
  }

  toString(): string {
    return `Tensor ${this.dtype} ${formatShape(this.shape)} on ${this.backend.name}${this.#state === 'live' ? '' : ` (${this.#state})`}`
  }

  /** @internal @throws DisposedTensorError, DonatedTensorError when the handle is dead. */
  storage(use: string): Storage {
    if (this.#state === 'live') return this.#storage
    const what = `${use}: a ${this.dtype} ${formatShape(this.shape)} tensor`
    if (this.#state === 'donated') {
      throw new DonatedTensorError(`${what} was given away to an operation that consumes it; use that operation's output instead`)
    }
    throw new DisposedTensorError(`${what} was used after it was disposed, or after the tidy that made it ended; return it from the tidy to keep it`)
  }

  /** @internal */
  operand(use: string): Operand<unknown> {
    return { data: this.storage(use).data, shape: this.shape, dtype: this.dtype }
  }

  /** @internal Another handle on the same storage, in no tidy. */
  alias(use: string, shape: Shape = this.shape): Tensor {
    const storage = this.storage(use)
    storage.count++
    const outer = ambient.scope
    ambient.scope = undefined
    try {
      return new Tensor(storage, shape, this.dtype)
    } finally {
      ambient.scope = outer
    }
  }

  /** @internal Marks the handle as consumed. `moved`: its buffer went into an output. */
  donate(moved: boolean): void {
    if (this.#state !== 'live') return
    this.#end('donated')
    if (moved) this.#storage.moveOut()
    else this.#storage.release()
  }

  #end(state: 'disposed' | 'donated'): void {
    this.#state = state
    ambient.scope?.delete(this)
    if (ambient.watchers > 0) runtimeOf(this.backend).watcher?.ended(this)
  }
}
