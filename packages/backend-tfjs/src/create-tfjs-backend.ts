// The door of this package.
import { ConfigError, WeftError } from '@weft/contracts'
import type { Backend, Kernel } from '@weft/tensor'
import { Device, type TfBuffer } from './device.ts'
import { kernelOf, type Body } from './kernel.ts'
import { ownKernels, supportsOwn } from './own-kernels/table.ts'
import type { TfModule } from './tf-module.ts'
import { tfjsKernels } from './tfjs-kernels/table.ts'

export interface TfjsBackendOptions {
  /** `import * as tf from '@tensorflow/tfjs-core'` (or the whole of `@tensorflow/tfjs`), with the backend's package imported beside it. */
  readonly tf: TfModule
  /** `cpu`, `wasm`, `webgl`, `webgpu`, `tensorflow`: as registered with tfjs. Default: the one that tfjs has active. */
  readonly backendName?: string
  /**
   * Whether loops in TypeScript may work on tensors in place where they are visible (cpu and wasm). Default true: they are quicker
   * than kernels of tfjs in most cases. False leaves everything to tfjs.
   */
  readonly ownLoops?: boolean
}

/**
 * A Weft backend over TensorFlow.js. Starts the backend of tfjs where it is not running yet, and leaves the one active that was.
 *
 * @throws ConfigError where `tf` is no tfjs; WeftError of kind `backend` where tfjs has no such backend or it does not start.
 */
export const createTfjsBackend = async (options: TfjsBackendOptions): Promise<Backend<TfBuffer>> => {
  const { tf } = options
  if (typeof tf?.getKernel !== 'function' || typeof tf.setBackend !== 'function') {
    throw new ConfigError("createTfjsBackend: expected `tf` to be TensorFlow.js: import * as tf from '@tensorflow/tfjs-core'")
  }
  const device = await start(tf, options.backendName, options.ownLoops ?? true)
  const bodies: Record<string, Body> = { ...tfjsKernels, ...(device.isVisible ? ownKernels : {}) }
  const kernels = Object.fromEntries(Object.entries(bodies).map(([name, body]) => [name, kernelOf(device, name, body)]))
  return {
    name: device.label,
    traits: { dtypes: new Set(['f32', 'i32', 'u8']), deterministic: device.name === 'cpu' || device.name === 'wasm', maxBufferBytes: device.maxBufferBytes },
    upload: (bits, shape, dtype) =>
      device.call('upload', () => {
        device.checkRoom('upload', [{ shape, dtype }])
        return [device.upload(bits, shape, dtype)]
      })[0]!,
    read: (x) => device.read(x),
    readSync: (x) => device.readSync(x),
    free: (data) => device.free(data),
    memory: () => device.memory(),
    kernels: kernels as Record<keyof typeof tfjsKernels, Kernel<TfBuffer>>,
    supports: supportsOwn,
    dispose: async () => device.dispose(),
  }
}

const start = async (tf: TfModule, wanted: string | undefined, ownLoops: boolean): Promise<Device> => {
  const before = tf.getBackend() as string | undefined
  const name = wanted ?? before
  if (name === undefined || name === null) throw new ConfigError("createTfjsBackend: tfjs has no active backend; pass backendName, for example 'wasm'")
  let started = false
  try {
    started = await tf.setBackend(name)
    if (started) await tf.ready()
  } catch (cause) {
    throw new WeftError('backend', `createTfjsBackend: backend "${name}" of tfjs did not start: ${cause instanceof Error ? cause.message : String(cause)}. ${advice(name)}`, { cause })
  }
  if (!started) throw new WeftError('backend', `createTfjsBackend: backend "${name}" of tfjs did not start. ${advice(name)}`)
  const device = new Device(tf, name, { ownLoops })
  if (typeof before === 'string' && before !== name) await tf.setBackend(before)
  return device
}

const advice = (name: string): string =>
  `Install and import @tensorflow/tfjs-backend-${name}${name === 'wasm' ? ', and call its setWasmPaths with the folder of its .wasm files' : ''}`
