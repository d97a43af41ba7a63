// Element types, and how their values travel as host arrays.
import { DTypeError } from './errors.ts'

/** f64 exists in the reference backend alone, for tests. Booleans are u8, 0 or 1. i32 values are exact for |x| < 2^24 only. */
export type DType = 'f32' | 'i32' | 'u8' | 'f16' | 'bf16' | 'f64'

export type HostArray = Float32Array | Float64Array | Int32Array | Uint8Array | Uint16Array

export const bytesPerElement: Readonly<Record<DType, number>> = { f32: 4, i32: 4, u8: 1, f16: 2, bf16: 2, f64: 8 }

export const isFloat = (dtype: DType): boolean => dtype !== 'i32' && dtype !== 'u8'

/**
 * The stored form of host values: f32 Float32Array, f64 Float64Array, i32 Int32Array, u8 Uint8Array, f16 and bf16 the bits in a
 * Uint16Array. A Uint16Array given for f16 or bf16 is taken as bits; other numbers are rounded to nearest, ties to even.
 */
export const toStored = (values: ArrayLike<number>, dtype: DType): HostArray => {
  switch (dtype) {
    case 'f32':
      return values instanceof Float32Array ? values : Float32Array.from(values)
    case 'f64':
      return values instanceof Float64Array ? values : Float64Array.from(values)
    case 'i32':
      return values instanceof Int32Array ? values : Int32Array.from(values)
    case 'u8':
      return values instanceof Uint8Array ? values : Uint8Array.from(values)
    case 'bf16':
      return values instanceof Uint16Array ? values : Uint16Array.from(values, float32ToBfloat16)
    case 'f16':
      return values instanceof Uint16Array ? values : Uint16Array.from(values, float32ToFloat16)
  }
}

/** A typed view of a backend's bytes in stored form. */
export const viewStored = (bits: ArrayBufferView, dtype: DType): HostArray => {
  const { buffer, byteOffset, byteLength } = bits
  const length = byteLength / bytesPerElement[dtype]
  switch (dtype) {
    case 'f32':
      return new Float32Array(buffer, byteOffset, length)
    case 'f64':
      return new Float64Array(buffer, byteOffset, length)
    case 'i32':
      return new Int32Array(buffer, byteOffset, length)
    case 'u8':
      return new Uint8Array(buffer, byteOffset, length)
    case 'f16':
    case 'bf16':
      return new Uint16Array(buffer, byteOffset, length)
  }
}

/** Bits of f16 or bf16 as numbers; other types as they are. */
export const widen = (stored: HostArray, dtype: DType): HostArray => {
  if (dtype !== 'f16' && dtype !== 'bf16') return stored
  if (!(stored instanceof Uint16Array)) throw new DTypeError(`widen: expected the bits of ${dtype} in a Uint16Array`)
  return Float32Array.from(stored, dtype === 'bf16' ? bfloat16ToFloat32 : float16ToFloat32)
}

const scratch = new DataView(new ArrayBuffer(4))

export const bfloat16ToFloat32 = (bits: number): number => {
  scratch.setUint32(0, bits << 16)
  return scratch.getFloat32(0)
}

/** Round to nearest, ties to even; NaN stays NaN. */
export const float32ToBfloat16 = (value: number): number => {
  if (Number.isNaN(value)) return 0x7fc0
  scratch.setFloat32(0, value)
  const bits = scratch.getUint32(0)
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16
}

export const float16ToFloat32 = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >>> 10) & 31
  const fraction = bits & 0x3ff
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** Round to nearest, ties to even; overflow becomes infinity. */
export const float32ToFloat16 = (value: number): number => {
  if (Number.isNaN(value)) return 0x7e00
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const magnitude = Math.abs(Math.fround(value))
  if (magnitude >= 65520) return sign | 0x7c00 // half way between the largest finite value and the next step
  if (magnitude < 2 ** -14) return sign | roundEven(magnitude * 2 ** 24)
  const exponent = Math.floor(Math.log2(magnitude))
  const steps = roundEven((magnitude / 2 ** exponent) * 1024) // 1024 … 2048; a carry moves into the exponent by itself
  return sign | ((exponent + 15) * 1024 + (steps - 1024))
}

const roundEven = (x: number): number => {
  const low = Math.floor(x)
  const rest = x - low
  if (rest !== 0.5) return rest > 0.5 ? low + 1 : low
  return low % 2 === 0 ? low : low + 1
}
