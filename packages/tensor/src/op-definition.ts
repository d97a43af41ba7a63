// L1: a named operation is data: how to infer its outputs, how to build it from others, how to differentiate it. What a backend
// knows of it is its name.
import type { Attrs, Meta, Slot } from './backend.ts'
import type { HostArray } from './dtype.ts'
import type { Tensor } from './tensor.ts'

/** `'x'`, or `'x?'` for an input that may be absent, or `'x[]'` for a list. */
type BaseName<N extends string> = N extends `${infer B}?` ? B : N extends `${infer B}[]` ? B : N

type SavedValue<Names extends string, B extends string> = `${B}[]` extends Names
  ? readonly Tensor[]
  : `${B}?` extends Names
    ? Tensor | undefined
    : Tensor

export interface VjpCall<Saved> {
  /** The inputs and outputs that `saves` names, and nothing else. */
  readonly saved: Saved
  /** Gradient of each output; undefined where the loss does not depend on it. */
  readonly gradients: readonly (Tensor | undefined)[]
  readonly attrs: Attrs
  /** Which inputs need a gradient, in the order of `inputs`; a list input has an array. */
  readonly needs: readonly Slot<boolean>[]
  readonly inputMetas: readonly Slot<Meta>[]
}

export interface OpSpec<Inputs extends readonly string[], SavedInputs extends string, SavedOutputs extends string> {
  readonly name: string
  /** The order of slots everywhere: infer, decompose, vjp, kernel, supports. */
  readonly inputs: Inputs
  /** Names of the outputs, for `saves`; default `['output']`. A list output is `'values[]'`. */
  readonly outputs?: readonly string[]
  /** Extra outputs, last, asked for only while recording (log-sum-exp, 1/rms …). */
  readonly recordOutputs?: readonly string[]
  /** What the backward pass keeps. Absent: no vjp; the backward pass then runs the decomposition again on all inputs. */
  readonly saves?: { readonly inputs?: readonly SavedInputs[]; readonly outputs?: readonly SavedOutputs[] }
  /** Input names that the operation consumes. */
  readonly donates?: readonly string[]
  /**
   * Shapes and dtypes of the outputs, recordOutputs last iff `recording`.
   * @throws ShapeError, DTypeError before any backend is called.
   */
  infer(inputs: readonly Slot<Meta>[], attrs: Attrs, recording: boolean): readonly Meta[]
  /** The same from primitives or other named operations, never a cycle; the outputs that `outputs` lists. Primitives have none. */
  decompose?(call: { readonly inputs: readonly Slot<Tensor>[]; readonly attrs: Attrs; readonly outputs: readonly Meta[] }): readonly Tensor[]
  /** For operations without tensor inputs: values computed in TypeScript and uploaded, where the backend has no kernel that makes the same. */
  host?(attrs: Attrs): HostArray
  /** The gradients in the order of `inputs`, undefined where not needed. */
  vjp?(call: VjpCall<{ readonly [K in SavedInputs]: SavedValue<Inputs[number], K> } & { readonly [K in SavedOutputs]: Tensor }>): readonly Slot<Tensor>[]
}

/** An operation ready for `exec`. */
export interface OpDefinition extends Omit<OpSpec<readonly string[], string, string>, 'vjp' | 'inputs'> {
  readonly inputs: readonly { readonly name: string; readonly kind: 'one' | 'optional' | 'list' }[]
  readonly donatedSlots: readonly boolean[]
  vjp?(call: VjpCall<Readonly<Record<string, Slot<Tensor>>>>): readonly Slot<Tensor>[]
}

/**
 * Defines an operation. `vjp` sees only what `saves` names: anything else is a type error.
 */
export const defineOp = <
  const Inputs extends readonly string[],
  const SavedInputs extends BaseName<Inputs[number]> = never,
  const SavedOutputs extends string = never,
>(
  spec: OpSpec<Inputs, SavedInputs, SavedOutputs>,
): OpDefinition => {
  const inputs = spec.inputs.map((declared) =>
    declared.endsWith('?')
      ? { name: declared.slice(0, -1), kind: 'optional' as const }
      : declared.endsWith('[]')
        ? { name: declared.slice(0, -2), kind: 'list' as const }
        : { name: declared, kind: 'one' as const },
  )
  return {
    ...(spec as unknown as Omit<OpDefinition, 'inputs' | 'donatedSlots'>),
    inputs,
    donatedSlots: inputs.map(({ name }) => spec.donates?.includes(name) ?? false),
  }
}
