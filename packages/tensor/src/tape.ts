// L2: gradients. A tape is a list of what exec did to tracked tensors; walking it backwards and adding up gives every gradient.
// Gradients of gradients are not supported.
import type { Attrs, Backend, Meta, Slot } from './backend.ts'
import { WeftError } from '@weft/contracts'
import { exec, mapSlot, slotItems, withoutRecorder } from './exec.ts'
import type { OpDefinition, VjpCall } from './op-definition.ts'
import type { Parameter } from './network.ts'
import { add, fillOp, mul, reshape, scalarLike } from './primitives.ts'
import { ambient } from './runtime.ts'
import { formatShape, type Shape } from './shape.ts'
import type { Tensor } from './tensor.ts'
import { disposeAll, isPromise, keep, tidy } from './tidy.ts'

type Vjp = (gradients: readonly (Tensor | undefined)[]) => readonly Slot<Tensor>[]

interface TapeNode {
  readonly name: string
  readonly inputIds: readonly Slot<number>[]
  readonly outputIds: readonly number[]
  readonly saved: readonly Tensor[]
  readonly vjp: Vjp
}

/** What happens between the start of a loss and its value. */
export class Recorder {
  readonly nodes: TapeNode[] = []
  /** Tensors whose gradient is asked for. */
  readonly roots: ReadonlyMap<number, Tensor>
  readonly #tracked: Set<number>

  constructor(roots: readonly Tensor[]) {
    this.roots = new Map(roots.map((x) => [x.id, x]))
    this.#tracked = new Set(this.roots.keys())
  }

  isTracked(inputs: readonly Slot<Tensor>[]): boolean {
    for (const slot of inputs) {
      if (slot === undefined) continue
      if (Array.isArray(slot)) {
        for (const x of slot as readonly Tensor[]) if (this.#tracked.has(x.id)) return true
      } else if (this.#tracked.has((slot as Tensor).id)) return true
    }
    return false
  }

  record(op: OpDefinition, inputs: readonly Slot<Tensor>[], inputMetas: readonly Slot<Meta>[], attrs: Attrs, outputs: readonly Tensor[]): void {
    if (op.vjp === undefined) {
      const saved = inputs.map((slot) => mapSlot(slot, (x) => x.alias(op.name)))
      const again = (args: readonly Slot<Tensor>[]) => op.decompose!({ inputs: args, attrs, outputs: outputs.map((x) => x) })
      this.#push(op.name, inputs, outputs, saved.flatMap(slotItems), (gradients) => replay(again, saved, gradients, []).inputs)
      return
    }
    const saved: Record<string, Slot<Tensor>> = {}
    for (const name of op.saves?.inputs ?? []) {
      const slot = inputs[op.inputs.findIndex((input) => input.name === name)]
      saved[name] = mapSlot(slot, (x) => x.alias(op.name))
    }
    const outputNames = [...(op.outputs ?? ['output']), ...(op.recordOutputs ?? [])]
    for (const name of op.saves?.outputs ?? []) saved[name] = outputs[outputNames.indexOf(name)]!.alias(op.name)
    const needs = inputs.map((slot) => mapSlot(slot, (x) => this.#tracked.has(x.id)))
    const call = { saved, attrs, needs, inputMetas: inputMetas.map((slot) => mapSlot(slot, plainMeta)) } satisfies Omit<VjpCall<unknown>, 'gradients'>
    const { vjp } = op
    this.#push(op.name, inputs, outputs, Object.values(saved).flatMap(slotItems), (gradients) => vjp({ ...call, gradients }))
  }

  /** A second view of one storage: the gradient is the same view back. */
  noteReshape(x: Tensor, view: Tensor, from: Shape): void {
    if (this.isTracked([x])) this.#push('reshape', [x], [view], [], ([gradient]) => [gradient === undefined ? undefined : reshape(gradient, from)])
  }

  /** Notes something that is no operation: a custom gradient, a recomputed piece. Takes over `saved`. */
  note(name: string, inputs: readonly Slot<Tensor>[], outputs: readonly Tensor[], saved: readonly Tensor[], vjp: Vjp): void {
    this.#push(name, inputs, outputs, saved, vjp)
  }

  #push(name: string, inputs: readonly Slot<Tensor>[], outputs: readonly Tensor[], saved: readonly Tensor[], vjp: Vjp): void {
    for (const x of outputs) this.#tracked.add(x.id)
    const inputIds = inputs.map((slot) => mapSlot(slot, (x) => (this.#tracked.has(x.id) ? x.id : -1)))
    this.nodes.push({ name, inputIds, outputIds: outputs.map((x) => x.id), saved, vjp })
  }

  /** Bytes are not known to the core: how many elements the backward pass holds, by operation. */
  savedElements(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const { name, saved } of this.nodes) counts.set(name, (counts.get(name) ?? 0) + saved.reduce((sum, x) => sum + x.size, 0))
    return counts
  }

  dispose(): void {
    for (const { saved } of this.nodes) disposeAll(saved)
    this.nodes.length = 0
  }
}

const plainMeta = ({ shape, dtype }: Meta): Meta => ({ shape, dtype })

/** Runs `fn` with a tape that tracks `roots`. */
const recorded = <T>(recorder: Recorder, fn: () => T): T => {
  const outer = ambient.recorder
  ambient.recorder = recorder
  try {
    return fn()
  } finally {
    ambient.recorder = outer
  }
}

/**
 * Walks the tape backwards from the seeds and leaves the gradients of the roots in `gradients`; frees what was saved on the way.
 * Every gradient in the map is owned by it and in no tidy.
 */
const walkBack = (recorder: Recorder, gradients: Map<number, Tensor>): void => {
  withoutRecorder(() => {
    for (let node = recorder.nodes.pop(); node !== undefined; node = recorder.nodes.pop()) {
      const incoming = node.outputIds.map((id) => gradients.get(id))
      try {
        if (incoming.some((x) => x !== undefined)) addInputGradients(node, incoming, gradients)
      } finally {
        disposeAll(node.saved)
      }
      for (const id of node.outputIds) {
        if (recorder.roots.has(id)) continue
        gradients.get(id)?.dispose()
        gradients.delete(id)
      }
    }
  })
}

const addInputGradients = (node: TapeNode, incoming: readonly (Tensor | undefined)[], gradients: Map<number, Tensor>): void => {
  tidy(() => {
    const result = node.vjp(incoming)
    node.inputIds.forEach((ids, i) => {
      const slot = slotItems(result[i])
      slotItems(ids).forEach((id, k) => {
        const gradient = slot[k]
        if (id >= 0 && gradient !== undefined) accumulate(gradients, id, gradient)
      })
    })
  })
}

const accumulate = (gradients: Map<number, Tensor>, id: number, gradient: Tensor): void => {
  const before = gradients.get(id)
  // A vjp may hand its incoming gradient through, or one tensor to two inputs: the map keeps a handle of its own.
  const next = before === undefined ? gradient.alias('gradient') : keep(add(before, gradient))
  before?.dispose()
  gradients.set(id, next)
}

interface Replayed {
  readonly inputs: readonly Slot<Tensor>[]
  readonly extra: readonly (Tensor | undefined)[]
}

/** Runs `fn` again under a tape of its own and pulls the gradients back to its inputs and to `extra` roots. */
const replay = (
  fn: (inputs: readonly Slot<Tensor>[]) => readonly Tensor[],
  inputs: readonly Slot<Tensor>[],
  outputGradients: readonly (Tensor | undefined)[],
  extra: readonly Tensor[],
): Replayed =>
  tidy(() => {
    const recorder = new Recorder([...inputs.flatMap(slotItems), ...extra])
    const gradients = new Map<number, Tensor>()
    try {
      const outputs = tidy(() => recorded(recorder, () => fn(inputs)))
      outputs.forEach((x, i) => {
        const gradient = outputGradients[i]
        if (gradient !== undefined) withoutRecorder(() => accumulate(gradients, x.id, gradient))
      })
      walkBack(recorder, gradients)
      const owned = (x: Tensor): Tensor | undefined => {
        const gradient = gradients.get(x.id)
        if (gradient !== undefined) ambient.scope?.add(gradient)
        return gradient
      }
      const result = { inputs: inputs.map((slot) => mapSlot(slot, owned)) as Slot<Tensor>[], extra: extra.map(owned) }
      for (const x of [...inputs.flatMap(slotItems), ...extra]) gradients.delete(x.id)
      return result
    } finally {
      recorder.dispose()
      disposeAll(gradients)
    }
  })

/** Evaluates `loss` and its gradients with respect to `roots`. A root that the loss does not depend on gets zeros. */
const differentiate = <R extends { readonly value: Tensor }>(loss: () => R, roots: readonly Tensor[]): { result: R; gradients: Tensor[] } =>
  tidy(() => {
    const recorder = new Recorder(roots)
    const gradients = new Map<number, Tensor>()
    try {
      const result = tidy(() => {
        const value = recorded(recorder, loss)
        const pending = ([value, value.value] as unknown[]).find(isPromise)
        if (pending !== undefined) {
          pending.then(undefined, () => undefined) // what it may still reject with is not the cause
          throw new WeftError('async', 'valueAndGrad: the loss returned a promise; a loss is synchronous, read its value afterwards')
        }
        return value
      })
      const { value } = result
      if (value.size !== 1) throw new WeftError('shape', `valueAndGrad: the loss must be a scalar, got ${formatShape(value.shape)}`)
      withoutRecorder(() => gradients.set(value.id, keep(filled(value.backend, value, 1))))
      walkBack(recorder, gradients)
      return { result, gradients: withoutRecorder(() => roots.map((root) => ownGradient(root, gradients.get(root.id)))) }
    } finally {
      recorder.dispose()
      disposeAll(gradients)
    }
  })

/**
 * The gradient of a root as the caller gets it: zeros where there is none, and the only handle on its buffer, so that it can be
 * donated (a sum hands one gradient through to both of its inputs).
 */
const ownGradient = (root: Tensor, gradient: Tensor | undefined): Tensor => {
  if (gradient === undefined) return filled(root.backend, root, 0)
  const handle = gradient.alias('gradient')
  ambient.scope?.add(handle)
  return handle.storage('gradient').count > 2 ? mul(handle, scalarLike(handle, 1)) : handle // two: the handle and `gradients`
}

const filled = (backend: Backend, like: Meta, value: number): Tensor =>
  exec(fillOp, [], { value, shape: like.shape, dtype: like.dtype }, backend)[0]!

/**
 * The value of a scalar loss and its gradient with respect to each parameter, in their order.
 *
 * Everything else made in `loss` is freed, except the tensors in what it returns. Memory: a tensor is kept for the backward pass
 * only where an operation names it in `saves`, and freed after its last use.
 *
 * @throws WeftError when the loss is no scalar or returns a promise.
 */
export const valueAndGrad = <R extends { readonly value: Tensor }>(
  loss: () => R,
  parameters: readonly Parameter[],
): { result: R; gradients: Tensor[] } => differentiate(loss, parameters.map((parameter) => parameter.value))

/** The gradient of a scalar with respect to tensors, in their order. */
export const grad = (loss: () => Tensor, tensors: readonly Tensor[]): Tensor[] => {
  const { result, gradients } = differentiate(() => ({ value: loss() }), tensors)
  result.value.dispose()
  return gradients
}

/** Runs `fn` without recording. */
export const noGrad = <T>(fn: () => T): T => withoutRecorder(fn)

/**
 * Runs `forward` unrecorded and differentiates it by `vjp`. `inputs` and the outputs are kept for it.
 */
export const customVjp = (options: {
  readonly inputs: readonly Tensor[]
  forward(inputs: readonly Tensor[]): readonly Tensor[]
  vjp(call: { readonly inputs: readonly Tensor[]; readonly outputs: readonly Tensor[]; readonly gradients: readonly (Tensor | undefined)[] }): readonly (Tensor | undefined)[]
}): Tensor[] => {
  const { inputs, forward, vjp } = options
  const recorder = ambient.recorder
  const outputs = withoutRecorder(() => tidy(() => [...forward(inputs)]))
  if (recorder === undefined || !recorder.isTracked(inputs)) return outputs
  const savedInputs = inputs.map((x) => x.alias('customVjp'))
  const savedOutputs = outputs.map((x) => x.alias('customVjp'))
  recorder.note('customVjp', inputs, outputs, [...savedInputs, ...savedOutputs], (gradients) => vjp({ inputs: savedInputs, outputs: savedOutputs, gradients }))
  return outputs
}

/**
 * Runs `fn` and keeps only its inputs: the backward pass runs it again. Trades time for memory. `fn` may use parameters of the
 * surrounding loss; it must draw randomness from keys, never from a stateful source, since it runs twice.
 */
export const recompute = (fn: (inputs: readonly Tensor[]) => readonly Tensor[], inputs: readonly Tensor[]): Tensor[] => {
  const recorder = ambient.recorder
  const outputs = withoutRecorder(() => tidy(() => [...fn(inputs)]))
  if (recorder === undefined) return outputs
  const roots = [...recorder.roots.values()]
  const saved = inputs.map((x) => x.alias('recompute'))
  recorder.note('recompute', [...inputs, roots], outputs, saved, (gradients) => {
    const pulled = replay((args) => fn(args as readonly Tensor[]), saved, gradients, roots)
    return [...pulled.inputs, pulled.extra as readonly Tensor[]]
  })
  return outputs
}
