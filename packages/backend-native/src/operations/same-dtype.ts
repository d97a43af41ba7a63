// Kernels that read several float tensors element by element expect them in one dtype; what else comes takes the decomposition.
import type { Meta, Slot } from '@weft/tensor'

const dtypeOf = (slot: Slot<Meta>): string => (slot as Meta).dtype

/** Whether the inputs of these slots, where they are there, have one dtype. */
export const sameDType = (...slots: readonly [number, ...number[]]) => (inputs: readonly Slot<Meta>[]): boolean => {
  const there = slots.map((slot) => inputs[slot]).filter((input) => input !== undefined)
  return there.every((input) => dtypeOf(input) === dtypeOf(there[0]!))
}
