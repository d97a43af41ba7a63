// Any element type → f32: exact wherever f32 can hold the value, else the nearest f32 (ties to even), as a C or PyTorch cast gives.
import { ConfigError, UnsupportedError } from '@weft/contracts'
import { isBlockDtype } from './block-dtype.ts'
import { bitsOf, type Dtype, type PlainDtype } from './dtype.ts'

/**
 * The values of a tensor as f32. F64, I32, U32, I64 and U64 round to the nearest; all others are exact. BOOL gives 0 or 1, as PyTorch
 * reads it.
 * F32 bytes that start at a multiple of 4 come back as a view of the same memory, all else in a new array.
 * @throws UnsupportedError for complex numbers and elements of less than a byte; ConfigError for bytes that are no whole elements.
 * @see https://arxiv.org/abs/2209.05433 (F8_E4M3, F8_E5M2), OCP Microscaling Formats 1.0 (F8_E8M0)
 */
export const toFloat32 = (dtype: Dtype, bytes: Uint8Array): Float32Array => {
  if (isBlockDtype(dtype)) throw new UnsupportedError(`toFloat32: ${dtype} is a block format; dequantize it`)
  const convert = converters[dtype]
  if (convert === undefined) throw new UnsupportedError(`toFloat32: ${dtype} cannot be converted; what can be is ${Object.keys(converters).join(', ')}`)
  const elementBytes = bitsOf(dtype) / 8
  if (bytes.length % elementBytes !== 0) {
    throw new ConfigError(`toFloat32: expected whole elements of ${elementBytes} bytes for ${dtype}, got ${bytes.length} bytes`)
  }
  // Typed arrays need their alignment; a copy is a new buffer.
  return convert(bytes.byteOffset % elementBytes === 0 ? bytes : bytes.slice())
}

type Convert = (bytes: Uint8Array) => Float32Array

type Numbers = { new (buffer: ArrayBufferLike, byteOffset: number, length: number): ArrayLike<number>; readonly BYTES_PER_ELEMENT: number }

const view = <T>(bytes: Uint8Array, type: { new (buffer: ArrayBufferLike, byteOffset: number, length: number): T; readonly BYTES_PER_ELEMENT: number }): T =>
  new type(bytes.buffer, bytes.byteOffset, bytes.length / type.BYTES_PER_ELEMENT)

/** A Float32Array's own rounding is the nearest, ties to even. */
const numbers =
  (type: Numbers): Convert =>
  (bytes) =>
    new Float32Array(view(bytes, type))

const bfloat16: Convert = (bytes) => {
  const from = view(bytes, Uint16Array)
  const to = new Uint32Array(from.length)
  for (let i = 0; i < from.length; i++) to[i] = from[i]! << 16
  return new Float32Array(to.buffer)
}

/** Small floats have few values: all of them in a table, made when first needed. */
const table = (bits: 8 | 16, valueOf: (code: number) => number): Convert => {
  let values: Float32Array | undefined
  return (bytes) => {
    values ??= Float32Array.from({ length: 1 << bits }, (_, code) => valueOf(code))
    const codes = bits === 8 ? bytes : view(bytes, Uint16Array)
    const to = new Float32Array(codes.length)
    for (let i = 0; i < codes.length; i++) to[i] = values[codes[i]!]!
    return to
  }
}

/** (−1)^sign · 2^(exponent − bias) · 1.mantissa; exponent 0: 2^(1 − bias) · 0.mantissa. */
const smallFloat = (code: number, exponentBits: number, mantissaBits: number, bias: number): number => {
  const mantissa = (code & ((1 << mantissaBits) - 1)) / (1 << mantissaBits)
  const exponent = (code >> mantissaBits) & ((1 << exponentBits) - 1)
  const size = exponent === 0 ? mantissa * 2 ** (1 - bias) : (1 + mantissa) * 2 ** (exponent - bias)
  return code >> (exponentBits + mantissaBits) === 1 ? -size : size
}

/** As IEEE 754: the largest exponent means infinity, or NaN where there is a mantissa. */
const ieeeFloat = (code: number, exponentBits: number, mantissaBits: number): number => {
  const largest = (1 << exponentBits) - 1
  if (((code >> mantissaBits) & largest) === largest) {
    if ((code & ((1 << mantissaBits) - 1)) !== 0) return NaN
    return code >> (exponentBits + mantissaBits) === 1 ? -Infinity : Infinity
  }
  return smallFloat(code, exponentBits, mantissaBits, largest >> 1)
}

/** The FNUZ kinds have neither infinities nor −0; its code is their only NaN. */
const fnuzFloat = (code: number, exponentBits: number, mantissaBits: number): number =>
  code === 0x80 ? NaN : smallFloat(code, exponentBits, mantissaBits, 1 << (exponentBits - 1))

const bigIntegers =
  (type: { new (buffer: ArrayBufferLike, byteOffset: number, length: number): BigInt64Array | BigUint64Array; readonly BYTES_PER_ELEMENT: number }): Convert =>
  (bytes) => {
    const from = view(bytes, type)
    const to = new Float32Array(from.length)
    for (let i = 0; i < from.length; i++) to[i] = bigToNumber(from[i]!)
    return to
  }

/**
 * A number that rounds to the same f32 as the integer. Beyond 2^53, Number() would round a first time and the f32 a second time; so
 * the bits that are cut off leave a 1 as the last bit (rounding to odd), far below f32's last place.
 */
const bigToNumber = (value: bigint): number => {
  if (value >= -limit && value <= limit) return Number(value)
  const size = value < 0n ? -value : value
  const rounded = Number((size >> 12n) | ((size & 0xfffn) === 0n ? 0n : 1n)) * 4096
  return value < 0n ? -rounded : rounded
}

const limit = 2n ** 53n

const converters: Partial<Record<PlainDtype, Convert>> = {
  F32: (bytes) => view(bytes, Float32Array),
  F16: table(16, (code) => ieeeFloat(code, 5, 10)),
  BF16: bfloat16,
  F64: numbers(Float64Array),
  I64: bigIntegers(BigInt64Array),
  U64: bigIntegers(BigUint64Array),
  I32: numbers(Int32Array),
  U32: numbers(Uint32Array),
  I16: numbers(Int16Array),
  U16: numbers(Uint16Array),
  I8: numbers(Int8Array),
  U8: numbers(Uint8Array),
  BOOL: table(8, (code) => (code === 0 ? 0 : 1)),
  F8_E4M3: table(8, (code) => ((code & 0x7f) === 0x7f ? NaN : smallFloat(code, 4, 3, 7))),
  F8_E5M2: table(8, (code) => ieeeFloat(code, 5, 2)),
  F8_E4M3FNUZ: table(8, (code) => fnuzFloat(code, 4, 3)),
  F8_E5M2FNUZ: table(8, (code) => fnuzFloat(code, 5, 2)),
  F8_E8M0: table(8, (code) => (code === 255 ? NaN : 2 ** (code - 127))),
}
