// What the operations of this folder expect of their inputs, as errors that name operation, input, expected and got.
import { ConfigError } from '@weft/contracts'
import type { Attrs, Meta, Slot } from '../backend.ts'
import { isFloat, type DType } from '../dtype.ts'
import { DTypeError, ShapeError } from '../errors.ts'
import { formatShape, sameShape, sizeOf, type Shape } from '../shape.ts'

export const metaOf = (slot: Slot<Meta>): Meta => slot as Meta
export const metasOf = (slot: Slot<Meta>): readonly Meta[] => slot as readonly Meta[]

/** Sums, statistics and losses: f32, or f64 in the reference run. */
export const accumulationDType = (dtype: DType): DType => (dtype === 'f64' ? 'f64' : 'f32')

export const requireFloat = (op: string, name: string, meta: Meta): void => {
  if (!isFloat(meta.dtype)) throw new DTypeError(`${op}: expected ${name} of a float dtype, got ${meta.dtype}; cast(x, 'f32') it first`)
}

export const requireDType = (op: string, name: string, meta: Meta, dtype: DType): void => {
  if (meta.dtype !== dtype) throw new DTypeError(`${op}: expected ${name} of dtype ${dtype}, got ${meta.dtype}`)
}

/** @param layout what the sizes mean, for example `[V, D]`. */
export const requireShape = (op: string, name: string, meta: Meta, expected: Shape, layout = ''): void => {
  if (!sameShape(meta.shape, expected)) {
    throw new ShapeError(`${op}: expected ${name} of shape ${layout}${layout === '' ? '' : ' = '}${formatShape(expected)}, got ${formatShape(meta.shape)}`)
  }
}

export const requireRank = (op: string, name: string, meta: Meta, rank: number, layout: string): void => {
  if (meta.shape.length !== rank) throw new ShapeError(`${op}: expected ${name} of shape ${layout}, got ${formatShape(meta.shape)}`)
}

/** The size of the last axis. */
export const lastSize = (op: string, name: string, meta: Meta): number => {
  const size = meta.shape.at(-1)
  if (size === undefined) throw new ShapeError(`${op}: expected ${name} of rank ≥ 1, got a scalar`)
  return size
}

/** How many rows there are before the last axis. */
export const leadingSize = (shape: Shape): number => sizeOf(shape.slice(0, -1))

/** @throws ConfigError unless low ≤ value ≤ high; NaN is outside. */
export const requireRange = (op: string, name: string, value: number, low: number, high: number): void => {
  if (!(value >= low && value <= high)) throw new ConfigError(`${op}: expected ${name} in ${low} … ${high}, got ${value}`)
}

/** Attributes without those that are undefined. */
export const attributes = (values: Readonly<Record<string, Attrs[string] | undefined>>): Attrs =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, Attrs[string]] => entry[1] !== undefined))

export const numberOf = (attrs: Attrs, name: string): number => attrs[name] as number
export const numbersOf = (attrs: Attrs, name: string): readonly number[] => attrs[name] as readonly number[]
