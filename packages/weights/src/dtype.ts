// Element types of checkpoint files, under safetensors' names, little-endian. Their values: to-float32.ts.
import { ConfigError } from '@weft/contracts'
import { blockSize, isBlockDtype, type BlockDtype } from './block-dtype.ts'

/** Bits of one element. The numbers after E and M are the bits of exponent and mantissa; F4 and F6 elements are packed. */
const dtypeBits = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const

export type PlainDtype = keyof typeof dtypeBits

/** Of one element, or of a block of them (GGUF). */
export type Dtype = PlainDtype | BlockDtype

export const isDtype = (name: unknown): name is PlainDtype => typeof name === 'string' && Object.hasOwn(dtypeBits, name)

/** @returns bits of one element. */
export const bitsOf = (dtype: PlainDtype): number => dtypeBits[dtype]

export const dtypeNames = (): string => Object.keys(dtypeBits).join(', ')

/**
 * How many bytes a tensor takes: Π shape · bits / 8.
 * @returns undefined where that is no whole number, or beyond 2^53 at any step (the format's own check: also before a 0).
 */
export const tensorBytes = (dtype: Dtype, shape: readonly number[]): number | undefined => {
  let elements = 1
  for (const size of shape) {
    elements *= size
    if (!Number.isSafeInteger(elements)) return undefined
  }
  if (isBlockDtype(dtype)) {
    const { values, bytes } = blockSize(dtype)
    return (shape.at(-1) ?? 1) % values === 0 && Number.isSafeInteger((elements / values) * bytes) ? (elements / values) * bytes : undefined
  }
  const bits = elements * dtypeBits[dtype]
  return Number.isSafeInteger(bits) && bits % 8 === 0 ? bits / 8 : undefined
}

/** @throws ConfigError for a shape that is none, or that overflows. */
export const checkedTensorBytes = (name: string, dtype: PlainDtype, shape: readonly number[]): number => {
  if (!isDtype(dtype)) throw new ConfigError(`tensor ${name}: expected a dtype of ${dtypeNames()}, got ${JSON.stringify(dtype)}`)
  const isShape = shape.every((size) => Number.isSafeInteger(size) && size >= 0)
  const sizeBytes = isShape ? tensorBytes(dtype, shape) : undefined
  if (sizeBytes === undefined) throw new ConfigError(`tensor ${name}: expected a shape of whole numbers that fills whole bytes, got ${dtype} [${shape.join(', ')}]`)
  return sizeBytes
}
