// How an operation's attributes become numbers, and when native code takes it. One entry an operation, in src/operations.
import type { Attrs, Meta, Slot } from '@weft/tensor'

/** One attribute as native code reads it, in the order in which its kernel asks for them. */
export type AttributeSpec =
  | { readonly kind: 'number'; readonly name: string }
  | { readonly kind: 'list'; readonly name: string }
  | { readonly kind: 'choice'; readonly name: string; readonly values: readonly string[] }

/** A number or a flag; absent: NaN. */
export const number = (name: string): AttributeSpec => ({ kind: 'number', name })
/** A list of numbers: its length, then its values; absent: length −1. */
export const list = (name: string): AttributeSpec => ({ kind: 'list', name })
/** A word out of a list: its place there; absent: NaN. The kernel has the same list as an enum. */
export const choice = (name: string, values: readonly string[]): AttributeSpec => ({ kind: 'choice', name, values })

export interface NativeOperation {
  readonly attributes?: readonly AttributeSpec[]
  /** [output, slot]: where the input is donated, its buffer becomes the output (a list: item by item, outputs counted from there). */
  readonly reuses?: readonly (readonly [output: number, slot: number])[]
  /** Donated slots whose buffers become the outputs in this order, list after list: for outputs whose places depend on how long lists are. */
  readonly reusesInOrder?: readonly number[]
  /** Whether the kernel takes these inputs; absent: always. Beyond that, all ranks up to 8 and all dtypes of the backend. */
  readonly supports?: (inputs: readonly Slot<Meta>[], attrs: Attrs) => boolean
}

/** By the operation's name. An operation is offered only where native code has a kernel of that name. */
export type NativeOperations = Readonly<Record<string, NativeOperation>>
