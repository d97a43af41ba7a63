// The one piece of ambient state: the open tidy and the recorder. They are set and restored inside one synchronous call and never
// live across an await, so two tasks never meet in them. The cell hangs on globalThis so that two copies of the package share it.
import type { Backend } from './backend.ts'
import type { Recorder } from './tape.ts'
import type { Tensor } from './tensor.ts'

interface Ambient {
  scope: Set<Tensor> | undefined
  recorder: Recorder | undefined
  /** Named operations run their decomposition even where the backend has a kernel: the oracle for kernels. */
  decomposeOnly: boolean
  nextTensorId: number
  /** How many backends are watched for leaks; while it is 0, handles cost nothing extra. */
  watchers: number
}

interface BackendRuntime {
  /** Donations that had to copy because somebody else held the storage. */
  missedDonations: number
  watcher: LeakWatcher | undefined
}

/** Told of every handle made and ended on a backend that is watched. */
interface LeakWatcher {
  made(tensor: Tensor): void
  ended(tensor: Tensor): void
}

const key = Symbol.for('weft.runtime')
const holder = globalThis as typeof globalThis & { [key]?: Ambient }

export const ambient: Ambient = (holder[key] ??= { scope: undefined, recorder: undefined, decomposeOnly: false, nextTensorId: 1, watchers: 0 })

export const runtimeOf = (backend: Backend): BackendRuntime => {
  const withRuntime = backend as Backend & { [key]?: BackendRuntime }
  return (withRuntime[key] ??= { missedDonations: 0, watcher: undefined })
}

/** Memory of a backend, and the donations that could not be used: 0 in a well-written training step. */
export const memory = (backend: Backend): ReturnType<Backend['memory']> & { readonly missedDonations: number } => ({
  ...backend.memory(),
  missedDonations: runtimeOf(backend).missedDonations,
})

/** Runs `fn` with every named operation decomposed into primitives: what a backend's own kernels are checked against. */
export const withDecomposition = <T>(fn: () => T): T => {
  const outer = ambient.decomposeOnly
  ambient.decomposeOnly = true
  try {
    return fn()
  } finally {
    ambient.decomposeOnly = outer
  }
}
