// A sample call of an operation, as data: the conformance kit runs it on a backend, compares it with the reference backend in f64,
// checks gradients, leaks, determinism. Values are rounded to f32, so that both backends see the same numbers.
import { createRandomSource } from '@weft/contracts'
import type { Attrs, Slot } from '../backend.ts'
import { float32ToBfloat16, float32ToFloat16, type DType } from '../dtype.ts'
import type { OpDefinition } from '../op-definition.ts'
import type { QuantizedTensor } from '../ops/weight.ts'
import { sizeOf, type Shape } from '../shape.ts'

/** An input before it is on any backend. `f32` inputs become f64 in the reference run. */
export interface SampleTensor {
  /** Numbers, or for f16 and bf16 the bits. */
  readonly values: ArrayLike<number>
  readonly shape: Shape
  readonly dtype: DType
  /** Bytes of a quantized weight, which `packQuantized` turns into the layout that the backend's kernels read. */
  readonly pack?: Pick<QuantizedTensor, 'format' | 'shape'>
}

export interface OpCase {
  readonly op: OpDefinition
  /** What is special about this call; unique among the op's cases. */
  readonly name: string
  /** The inputs in the order of `op.inputs`, and the attributes. Must be pure: the same source gives the same call. */
  make(samples: Samples): { readonly inputs: readonly Slot<SampleTensor>[]; readonly attrs: Attrs }
  /**
   * Whether gradients of its float inputs are compared with central differences. Default: whether the op has a `vjp`. Set false
   * for large or non-smooth samples (NaN, ties), true for an op without `vjp` that is differentiable through its decomposition.
   */
  readonly gradients?: boolean
  /** Names of the float inputs that have no gradient by design (a frozen table, frequencies). */
  readonly withoutGradient?: readonly string[]
  /** Over the kit's default rtol 1e-5, atol 1e-5: |got − expected| ≤ atol + rtol·|expected|. */
  readonly tolerance?: Tolerance
  /** Outputs, by index, that are not compared with the f64 run because rounding may change them altogether (indices at ties). */
  readonly uncompared?: readonly number[]
  /**
   * Inputs whose axis 0 is the batch, like that of every output: the kit runs the first row alone and expects the same bits.
   * Leave out where attributes describe the batch.
   */
  readonly rows?: readonly string[]
}

export interface Tolerance {
  readonly rtol: number
  readonly atol: number
}

/** Seeded sample values, rounded to f32. */
export interface Samples {
  /** Normal, mean 0. */
  normal(shape: Shape, deviation?: number): SampleTensor
  uniform(shape: Shape, low: number, high: number): SampleTensor
  /** i32 in [low, high). */
  integers(shape: Shape, low: number, high: number): SampleTensor
  /** u8 in [0, high). */
  bytes(shape: Shape, high: number): SampleTensor
  /** Values written out; dtype default f32. */
  values(shape: Shape, values: readonly number[], dtype?: DType): SampleTensor
  /** A host number in [0, 1). */
  next(): number
}

export const createSamples = (seed: number): Samples => {
  const source = createRandomSource({ seed })
  const next = (): number => source.nextFloat()
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  const build = (shape: Shape, draw: () => number): Float32Array => Float32Array.from({ length: sizeOf(shape) }, draw)
  return {
    next,
    normal: (shape, deviation = 1) => ({ shape, dtype: 'f32', values: build(shape, () => normal() * deviation) }),
    uniform: (shape, low, high) => ({ shape, dtype: 'f32', values: build(shape, () => low + (high - low) * next()) }),
    integers: (shape, low, high) => ({ shape, dtype: 'i32', values: Int32Array.from(build(shape, () => Math.floor(low + (high - low) * next()))) }),
    bytes: (shape, high) => ({ shape, dtype: 'u8', values: Uint8Array.from(build(shape, () => Math.floor(high * next()))) }),
    values: (shape, values, dtype = 'f32') => ({ shape, dtype, values: storedValues(values, dtype) }),
  }
}

const storedValues = (values: readonly number[], dtype: DType): ArrayLike<number> => {
  switch (dtype) {
    case 'f16':
      return Uint16Array.from(values, float32ToFloat16)
    case 'bf16':
      return Uint16Array.from(values, float32ToBfloat16)
    case 'f32':
      return Float32Array.from(values)
    case 'f64':
    case 'i32':
    case 'u8':
      return values
  }
}
