// A report of what was never disposed, for development: it tells of handles that the garbage collector found, and frees nothing.
import type { Backend } from './backend.ts'
import type { DType } from './dtype.ts'
import { ambient, runtimeOf } from './runtime.ts'
import type { Shape } from './shape.ts'

export interface Leak {
  readonly shape: Shape
  readonly dtype: DType
  /** Stack trace of where the handle was made. */
  readonly madeAt: string
}

/**
 * Calls `onLeak` for each tensor of `backend` made from now on that is garbage-collected without having been disposed. Takes a
 * stack trace for every tensor, so it is for finding leaks, not for production. When, and whether, a leak is reported is up to the
 * garbage collector; `memory(backend)` always knows how much is live.
 *
 * @returns stops the watch.
 */
export const watchLeaks = (backend: Backend, onLeak: (leak: Leak) => void): (() => void) => {
  const runtime = runtimeOf(backend)
  const registry = new FinalizationRegistry<Leak>(onLeak)
  const watcher = {
    made(tensor: { readonly shape: Shape; readonly dtype: DType }): void {
      const { shape, dtype } = tensor
      registry.register(tensor, { shape, dtype, madeAt: new Error(`${dtype} tensor`).stack ?? '' }, tensor)
    },
    ended(tensor: object): void {
      registry.unregister(tensor)
    },
  }
  if (runtime.watcher === undefined) ambient.watchers++
  runtime.watcher = watcher
  return () => {
    if (runtime.watcher !== watcher) return
    runtime.watcher = undefined
    ambient.watchers--
  }
}
