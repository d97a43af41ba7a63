// The convention of fused gradients: an operation's vjp calls one operation `<name>Backward` whose attribute `needs` says, 0 or 1
// for each input that can have a gradient, which gradients to make; its outputs are those, in input order.
import type { Attrs, Meta, Slot } from '../backend.ts'
import { exec } from '../exec.ts'
import type { OpDefinition } from '../op-definition.ts'
import type { Tensor } from '../tensor.ts'

/** Calls a backward operation; undefined where a gradient is not needed. Calls nothing where none is. */
export const callBackward = (
  op: OpDefinition,
  slots: readonly Slot<Tensor>[],
  attrs: Attrs,
  needs: readonly Slot<boolean>[],
): (Tensor | undefined)[] => {
  const flags = needs.map((need) => (need === true ? 1 : 0))
  if (!flags.includes(1)) return flags.map(() => undefined)
  const outputs = exec(op, slots, { ...attrs, needs: flags })
  let next = 0
  return flags.map((flag) => (flag === 1 ? outputs[next++] : undefined))
}

/** For `infer` of a backward operation: the metas of the gradients asked for. */
export const neededMetas = (attrs: Attrs, metas: readonly (Meta | undefined)[]): Meta[] =>
  metas.filter((_, i) => isNeeded(attrs, i)).map((meta) => ({ shape: meta!.shape, dtype: meta!.dtype }))

/** For `decompose` of a backward operation: makes the gradients asked for. */
export const makeNeeded = (attrs: Attrs, makers: readonly (() => Tensor)[]): Tensor[] =>
  makers.filter((_, i) => isNeeded(attrs, i)).map((make) => make())

export const isNeeded = (attrs: Attrs, input: number): boolean => (attrs['needs'] as readonly number[])[input] === 1
