// Runs sample calls on backends: how inputs get there, how outputs come back, how two runs are compared.
import { WeftError } from '@weft/contracts'
import type { Attrs, Backend, Slot } from '../backend.ts'
import { createCpuBackend } from '../cpu.ts'
import { read, tensor } from '../create.ts'
import { isFloat, type DType, type HostArray } from '../dtype.ts'
import { exec, mapSlot, slotItems } from '../exec.ts'
import { packQuantized } from '../ops/quantized-mat-mul.ts'
import { permute, reshape, slice } from '../primitives.ts'
import { memory } from '../runtime.ts'
import { formatShape, sizeOf, stridesOf, type Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { disposeAll, tidy } from '../tidy.ts'
import { createSamples, type OpCase, type SampleTensor, type Tolerance } from './op-case.ts'

export type CreateBackend = () => Backend | Promise<Backend>

/** How an input came about: backends with lazy views or padded buffers must get all of them right. */
export type Placement = 'plain' | 'permuted' | 'sliced' | 'reshaped'

export interface Call {
  readonly inputs: readonly Slot<SampleTensor>[]
  readonly attrs: Attrs
}

export const fail = (message: string): never => {
  throw new WeftError('conformance', message)
}

export const callOf = (opCase: OpCase): Call => opCase.make(createSamples(seedOf(`${opCase.op.name}/${opCase.name}`)))

const seedOf = (text: string): number => {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/** Whether the backend has every dtype of the call. */
export const isInReach = (backend: Backend, { inputs, attrs }: Call): boolean => {
  const has = (dtype: unknown): boolean => dtype === undefined || backend.traits.dtypes.has(dtype as DType)
  return inputs.flatMap(slotItems).every(({ dtype }) => has(dtype)) && has(attrs['to']) && has(attrs['dtype'])
}

/** The same call for the reference run: f32 becomes f64. */
export const inDoublePrecision = ({ inputs, attrs }: Call): Call => {
  const wide = (sample: SampleTensor): SampleTensor => (sample.dtype === 'f32' ? { ...sample, dtype: 'f64' } : sample)
  const changed = Object.entries(attrs).map(([name, value]) => [name, (name === 'to' || name === 'dtype') && value === 'f32' ? 'f64' : value] as const)
  return { inputs: inputs.map((slot) => mapSlot(slot, wide)), attrs: Object.fromEntries(changed) }
}

/** Puts a sample on a backend. The result is the only handle on its storage. */
const place = (backend: Backend, sample: SampleTensor, placement?: Placement): Tensor => {
  const placed = placeBits(backend, sample, placement)
  return sample.pack === undefined ? placed : packQuantized({ ...sample.pack, packed: placed }).packed
}

const placeBits = (backend: Backend, sample: SampleTensor, placement: Placement = 'plain'): Tensor => {
  const { values, shape, dtype } = sample
  const upload = (list: ArrayLike<number>, as: Shape): Tensor => tensor(backend, list, as, { dtype })
  if (placement === 'plain' || shape.length === 0) return upload(values, shape)
  return tidy(() => {
    if (placement === 'reshaped') return reshape(upload(values, [sizeOf(shape)]), shape)
    if (placement === 'permuted') {
      const axes = shape.map((_, axis) => shape.length - 1 - axis)
      return permute(upload(reversedAxes(sample), axes.map((axis) => shape[axis]!)), axes)
    }
    const wide = [...shape.slice(0, -1), shape.at(-1)! + 2]
    return slice(upload(widened(sample), wide), shape.map((_, axis) => (axis === shape.length - 1 ? 1 : 0)), shape)
  })
}

/** The values as an array of the same kind, so that f16 and bf16 bits stay bits. */
const emptyLike = (values: ArrayLike<number>, size: number): HostArray => (values instanceof Uint16Array ? new Uint16Array(size) : new Float64Array(size))

const reversedAxes = ({ values, shape }: SampleTensor): HostArray => {
  const out = emptyLike(values, values.length)
  const strides = stridesOf([...shape].reverse()).reverse()
  const from = stridesOf(shape)
  for (let i = 0; i < values.length; i++) {
    let rest = i
    let to = 0
    for (let axis = 0; axis < shape.length; axis++) {
      to += Math.floor(rest / from[axis]!) * strides[axis]!
      rest %= from[axis]!
    }
    out[to] = values[i]!
  }
  return out
}

const widened = ({ values, shape }: SampleTensor): HostArray => {
  const width = shape.at(-1)!
  const rows = sizeOf(shape.slice(0, -1))
  const out = emptyLike(values, rows * (width + 2)).fill(1)
  for (let row = 0; row < rows; row++) for (let i = 0; i < width; i++) out[row * (width + 2) + 1 + i] = values[row * width + i]!
  return out
}

export const placeAll = (backend: Backend, call: Call, placement: Placement = 'plain'): Slot<Tensor>[] => call.inputs.map((slot) => mapSlot(slot, (sample) => place(backend, sample, placement)))

export interface Result {
  readonly shape: Shape
  readonly dtype: DType
  readonly values: HostArray
}

/** Reads and disposes. */
export const collect = async (outputs: readonly Tensor[]): Promise<Result[]> => {
  const results: Result[] = []
  try {
    for (const x of outputs) {
      const values = await read(x)
      if (values.length !== x.size) fail(`read gave ${values.length} values for ${x.toString()}`)
      results.push({ shape: x.shape, dtype: x.dtype, values })
    }
  } finally {
    disposeAll(outputs)
  }
  return results
}

/** The outputs of a sample call. */
export const runForward = (backend: Backend, opCase: OpCase, call: Call, placement: Placement = 'plain'): Promise<Result[]> =>
  collect(tidy(() => exec(opCase.op, placeAll(backend, call, placement), call.attrs, backend)))

/** Throws where |got − expected| > atol + rtol·|expected| at any element. NaN equals NaN, an infinity its like. */
export const requireClose = (what: string, got: readonly Result[], expected: readonly Result[], tolerance: Tolerance, uncompared: readonly number[] = []): void => {
  if (got.length !== expected.length) fail(`${what}: ${got.length} outputs, expected ${expected.length}`)
  got.forEach((result, i) => {
    if (uncompared.includes(i)) return
    const want = expected[i]!
    if (formatShape(result.shape) !== formatShape(want.shape)) fail(`${what}: output ${i} is ${formatShape(result.shape)}, expected ${formatShape(want.shape)}`)
    const exact = !isFloat(result.dtype)
    for (let k = 0; k < want.values.length; k++) {
      const a = result.values[k]!
      // What overflows f32 is an infinity there.
      const b = result.dtype === 'f32' ? Math.fround(want.values[k]!) : want.values[k]!
      if (!isClose(a, b, exact ? { rtol: 0, atol: 0 } : tolerance)) {
        fail(`${what}: output ${i}, element ${k} of ${formatShape(want.shape)} is ${a}, expected ${b} (rtol ${tolerance.rtol}, atol ${tolerance.atol}${exact ? ', integers exact' : ''})`)
      }
    }
  })
}

const isClose = (a: number, b: number, { rtol, atol }: Tolerance): boolean => {
  if (Number.isNaN(b)) return Number.isNaN(a)
  if (!Number.isFinite(b)) return a === b
  return Math.abs(a - b) <= atol + rtol * Math.abs(b)
}

/** Throws unless both runs gave the same bits. */
export const requireEqualBits = (what: string, got: readonly Result[], expected: readonly Result[]): void => {
  got.forEach((result, i) => {
    const want = expected[i]!
    if (result.values.length !== want.values.length) fail(`${what}: output ${i} has ${result.values.length} values, expected ${want.values.length}`)
    for (let k = 0; k < want.values.length; k++) {
      if (!Object.is(result.values[k], want.values[k])) fail(`${what}: output ${i}, element ${k} is ${result.values[k]}, expected the same bits as ${want.values[k]}`)
    }
  })
}

export const reference: Backend = createCpuBackend()

const shared = new WeakMap<CreateBackend, Promise<Backend>>()

/** Most cases share one backend for each `create`: starting a device for every case would take minutes. */
export const sharedBackend = async (create: CreateBackend): Promise<Backend> => {
  const known = shared.get(create)
  if (known !== undefined) return known
  const made = Promise.resolve(create())
  shared.set(create, made)
  return made
}

export const disposeShared = async (create: CreateBackend): Promise<void> => {
  const known = shared.get(create)
  shared.delete(create)
  await (await known)?.dispose()
}

/** Runs `fn` on the shared backend and requires that it leaves no buffer behind. */
export const withoutLeak = async (create: CreateBackend, fn: (backend: Backend) => Promise<void>): Promise<void> => {
  const backend = await sharedBackend(create)
  const before = memory(backend)
  await fn(backend)
  const after = memory(backend)
  if (after.buffers !== before.buffers || after.bytes !== before.bytes) {
    fail(`leak: ${before.buffers} buffers of ${before.bytes} bytes before, ${after.buffers} of ${after.bytes} after`)
  }
}
