// Values in, values out.
import type { Backend } from './backend.ts'
import { toStored, viewStored, widen, type DType, type HostArray } from './dtype.ts'
import { DTypeError, ShapeError } from './errors.ts'
import { execOne } from './exec.ts'
import { defineOp } from './op-definition.ts'
import { add, cast, cos, full, log, mul, reshape, scalarLike, slice, sqrt } from './primitives.ts'
import { keyWords, philoxBits, type RandomKey } from './random-key.ts'
import { checkShape, formatShape, sizeOf, type Shape } from './shape.ts'
import { Storage, Tensor } from './tensor.ts'
import { tidy } from './tidy.ts'

/**
 * Uploads values, row-major.
 *
 * @param values numbers, or an array in stored form (f16 and bf16: bits in a Uint16Array, or numbers to round).
 * @param options.dtype default: i32 for an Int32Array, u8 for a Uint8Array, else f32.
 * @throws ShapeError when the count does not fit the shape, DTypeError when the backend lacks the dtype.
 */
export const tensor = (backend: Backend, values: ArrayLike<number>, shape: Shape, options: { readonly dtype?: DType } = {}): Tensor => {
  const dtype = options.dtype ?? (values instanceof Int32Array ? 'i32' : values instanceof Uint8Array ? 'u8' : 'f32')
  checkShape('tensor', shape)
  if (values.length !== sizeOf(shape)) throw new ShapeError(`tensor: ${values.length} values do not fill ${formatShape(shape)}, which has ${sizeOf(shape)}`)
  if (!backend.traits.dtypes.has(dtype)) throw new DTypeError(`tensor: backend ${backend.name} has no ${dtype}; it has ${[...backend.traits.dtypes].join(', ')}`)
  return new Tensor(new Storage(backend, backend.upload(toStored(values, dtype), shape, dtype)), shape, dtype)
}

export const zeros = (backend: Backend, shape: Shape, options: { readonly dtype?: DType } = {}): Tensor => full(backend, shape, 0, options)

export const ones = (backend: Backend, shape: Shape, options: { readonly dtype?: DType } = {}): Tensor => full(backend, shape, 1, options)

/**
 * The values of a tensor: Float32Array, Int32Array, Uint8Array, Float64Array; f16 and bf16 widened to Float32Array unless `raw`.
 * The tensor may be disposed while the read is under way.
 */
export const read = async (x: Tensor, options: { readonly raw?: boolean } = {}): Promise<HostArray> => {
  const { backend, dtype } = x
  const stored = viewStored(await backend.read(x.operand('read')), dtype)
  return options.raw === true ? stored : widen(stored, dtype)
}

/** The one number of a tensor of size 1. */
export const readScalar = async (x: Tensor): Promise<number> => {
  if (x.size !== 1) throw new ShapeError(`readScalar: expected one element, got ${formatShape(x.shape)}`)
  return (await read(x))[0]!
}

/** i32 in [0, 2^24) from Philox4x32-10: the same bits on every backend. Attributes: key [k0, k1], shape. */
export const randomBitsOp = defineOp({
  name: 'randomBits',
  inputs: [],
  infer: (_, attrs) => [{ shape: attrs['shape'] as readonly number[], dtype: 'i32' }],
  host: (attrs) => philoxBits(attrs['key'] as unknown as readonly [number, number], sizeOf(attrs['shape'] as readonly number[])),
})

export const randomBits = (backend: Backend, shape: Shape, key: RandomKey): Tensor => {
  checkShape('randomBits', shape)
  return execOne(randomBitsOp, [], { key: keyWords(key), shape }, backend)
}

/**
 * Random f32 values, the same on every backend up to rounding.
 *
 * @param options.distribution `uniform` in [0, 1) (default), or `normal` with mean 0 and deviation 1 (Box–Muller).
 */
export const random = (backend: Backend, shape: Shape, options: { readonly key: RandomKey; readonly distribution?: 'uniform' | 'normal' }): Tensor =>
  tidy(() => {
    const unit = (count: number, key: RandomKey, shift: number): Tensor => {
      const bits = cast(randomBits(backend, [count], key), 'f32')
      return mul(add(bits, scalarLike(bits, shift)), scalarLike(bits, 2 ** -24))
    }
    const size = sizeOf(shape)
    if (options.distribution !== 'normal') return reshape(unit(size, options.key, 0), shape)
    // Two uniforms a value: u ∈ (0, 1) for the radius, v for the angle. Both come from one stream: the first half, the second half.
    const both = unit(2 * size, options.key, 0.5)
    const radius = sqrt(mul(log(slice(both, [0], [size])), scalarLike(both, -2)))
    return reshape(mul(radius, cos(mul(slice(both, [size], [size]), scalarLike(both, 2 * Math.PI)))), shape)
  })
