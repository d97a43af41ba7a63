// The one place where operations run and are recorded.
import type { Attrs, Backend, Meta, Operand, Slot } from './backend.ts'
import { WeftError } from '@weft/contracts'
import { DTypeError, ShapeError } from './errors.ts'
import type { OpDefinition } from './op-definition.ts'
import { ambient, runtimeOf } from './runtime.ts'
import { sameShape, formatShape } from './shape.ts'
import { Storage, Tensor } from './tensor.ts'
import { tidy } from './tidy.ts'

/** Applies `f` to each tensor of a slot. */
export const mapSlot = <A, B>(slot: Slot<A>, f: (value: A) => B): Slot<B> =>
  slot === undefined ? undefined : Array.isArray(slot) ? (slot as readonly A[]).map(f) : f(slot as A)

/** The members of a slot as a list. */
export const slotItems = <A>(slot: Slot<A>): readonly A[] =>
  slot === undefined ? [] : Array.isArray(slot) ? (slot as readonly A[]) : [slot as A]

/**
 * Runs an operation: infer on the host, then the backend's kernel, or the decomposition, and a note on the tape if one is open.
 *
 * @param backend needed only by operations without tensor inputs.
 * @returns the outputs that infer promised, list outputs laid end to end; without recordOutputs.
 * @throws ShapeError, DTypeError, DisposedTensorError, DonatedTensorError before anything has changed.
 */
export const exec = (op: OpDefinition, inputs: readonly Slot<Tensor>[], attrs: Attrs = {}, backend?: Backend): Tensor[] => {
  checkSlots(op, inputs)
  const target = backendOf(op, inputs, backend)
  const recorder = ambient.recorder
  const recording = recorder !== undefined && recorder.isTracked(inputs)
  if (recording && op.donates !== undefined) {
    throw new WeftError('recording', `${op.name}: an operation that consumes its inputs cannot be recorded; run it outside of valueAndGrad`)
  }
  if (op.donates !== undefined) checkDonations(op, inputs)
  const inputMetas = inputs.map((slot) => mapSlot(slot, metaOf))
  const metas = op.infer(inputMetas, attrs, recording && op.vjp !== undefined)
  for (const { dtype } of metas) {
    if (!target.traits.dtypes.has(dtype)) throw new DTypeError(`${op.name}: backend ${target.name} has no ${dtype}; it has ${[...target.traits.dtypes].join(', ')}`)
  }
  const outputs = withoutRecorder(() => run(op, target, inputs, attrs, metas, inputMetas))
  if (!recording) return outputs
  recorder.record(op, inputs, inputMetas, attrs, outputs)
  const extra = op.vjp === undefined ? 0 : (op.recordOutputs?.length ?? 0)
  for (const tensor of outputs.splice(outputs.length - extra, extra)) tensor.dispose()
  return outputs
}

/** `exec` for operations with a single output. */
export const execOne = (op: OpDefinition, inputs: readonly Slot<Tensor>[], attrs: Attrs = {}, backend?: Backend): Tensor =>
  exec(op, inputs, attrs, backend)[0]!

const metaOf = (tensor: Tensor): Meta => tensor

export const withoutRecorder = <T>(fn: () => T): T => {
  const outer = ambient.recorder
  ambient.recorder = undefined
  try {
    return fn()
  } finally {
    ambient.recorder = outer
  }
}

const run = (
  op: OpDefinition,
  backend: Backend,
  inputs: readonly Slot<Tensor>[],
  attrs: Attrs,
  metas: readonly Meta[],
  inputMetas: readonly Slot<Meta>[],
): Tensor[] => {
  const kernel = backend.kernels[op.name]
  if (op.host !== undefined && (kernel === undefined || ambient.decomposeOnly)) {
    const { shape, dtype } = metas[0]!
    return [new Tensor(new Storage(backend, backend.upload(op.host(attrs), shape, dtype)), shape, dtype)]
  }
  if (kernel !== undefined && (op.decompose === undefined || (!ambient.decomposeOnly && (backend.supports?.(op.name, inputMetas, attrs) ?? true)))) {
    return runKernel(op, backend, kernel, inputs, attrs, metas)
  }
  if (op.decompose === undefined) throw new WeftError('unsupported', `${op.name}: backend ${backend.name} has no kernel for this primitive`)
  return runDecomposition(op, inputs, attrs, metas)
}

type AnyKernel = NonNullable<Backend['kernels'][string]>

const nothingDonated: readonly Slot<boolean>[] = []

const runKernel = (op: OpDefinition, backend: Backend, kernel: AnyKernel, inputs: readonly Slot<Tensor>[], attrs: Attrs, metas: readonly Meta[]): Tensor[] => {
  const operands = inputs.map((slot) => mapSlot(slot, (x): Operand<unknown> => x.operand(op.name)))
  const donated = op.donates === undefined ? nothingDonated : inputs.map((slot, i) => mapSlot(slot, (x) => op.donatedSlots[i]! && x.storage(op.name).count === 1))
  const shared = sharedDonations(op, inputs)
  const handles = kernel({ inputs: operands, donated, attrs, outputs: metas })
  consume(op, backend, inputs, shared, (x) => handles.includes(x.storage(op.name).data))
  return handles.map((data, i) => new Tensor(new Storage(backend, data), metas[i]!.shape, metas[i]!.dtype))
}

const runDecomposition = (op: OpDefinition, inputs: readonly Slot<Tensor>[], attrs: Attrs, metas: readonly Meta[]): Tensor[] => {
  for (const slot of inputs) for (const x of slotItems(slot)) x.storage(op.name)
  const shared = sharedDonations(op, inputs) // before an output can be one of the inputs again
  const outputs = tidy(() => {
    const made = op.decompose!({ inputs, attrs, outputs: metas })
    // An input handed through must not be the caller's handle, nor one tensor two outputs: outputs have lives of their own.
    const taken = new Set(inputs.flatMap(slotItems))
    return made.map((x, i) => {
      checkOutput(op, x, metas[i]!)
      if (taken.has(x)) return ownHandle(x, op.name)
      taken.add(x)
      return x
    })
  })
  const [first] = outputs
  if (first !== undefined) consume(op, first.backend, inputs, shared, () => false)
  return outputs
}

const ownHandle = (x: Tensor, use: string): Tensor => {
  const handle = x.alias(use)
  ambient.scope?.add(handle)
  return handle
}

/** How many consumed inputs somebody else holds too: each of them costs a copy. */
const sharedDonations = (op: OpDefinition, inputs: readonly Slot<Tensor>[]): number =>
  op.donates === undefined ? 0 : inputs.reduce((sum, slot, i) => sum + (op.donatedSlots[i]! ? slotItems(slot).filter((x) => x.storage(op.name).count > 1).length : 0), 0)

const consume = (op: OpDefinition, backend: Backend, inputs: readonly Slot<Tensor>[], shared: number, moved: (x: Tensor) => boolean): void => {
  if (op.donates === undefined) return
  runtimeOf(backend).missedDonations += shared
  inputs.forEach((slot, i) => {
    if (!op.donatedSlots[i]!) return
    for (const x of slotItems(slot)) {
      if (x.isDisposed) continue // its decomposition handed it on to another consuming operation
      x.donate(moved(x))
    }
  })
}

/** A consumed tensor may stand in one place only: the kernel may write into it while it reads the others. */
const checkDonations = (op: OpDefinition, inputs: readonly Slot<Tensor>[]): void => {
  const all = inputs.flatMap(slotItems)
  inputs.forEach((slot, i) => {
    if (!op.donatedSlots[i]!) return
    for (const x of slotItems(slot)) {
      if (all.indexOf(x) !== all.lastIndexOf(x)) throw new WeftError('donated', `${op.name}: "${op.inputs[i]!.name}" is consumed, but the same tensor is passed a second time; pass a copy`)
    }
  })
}

const checkOutput = (op: OpDefinition, x: Tensor, meta: Meta): void => {
  if (sameShape(x.shape, meta.shape) && x.dtype === meta.dtype) return
  throw new ShapeError(`${op.name}: its decomposition gave ${x.dtype} ${formatShape(x.shape)} where infer promised ${meta.dtype} ${formatShape(meta.shape)}`)
}

const checkSlots = (op: OpDefinition, inputs: readonly Slot<Tensor>[]): void => {
  if (inputs.length > op.inputs.length) throw new ShapeError(`${op.name}: expected ${op.inputs.length} inputs, got ${inputs.length}`)
  for (let i = 0; i < op.inputs.length; i++) {
    const { kind, name } = op.inputs[i]!
    const slot = inputs[i]
    const fits = kind === 'list' ? Array.isArray(slot) : slot === undefined ? kind === 'optional' : slot instanceof Tensor
    if (!fits) throw new ShapeError(`${op.name}: input "${name}" must be ${kind === 'list' ? 'a list of tensors' : 'a tensor'}, got ${slot === undefined ? 'nothing' : typeof slot}`)
  }
}

const backendOf = (op: OpDefinition, inputs: readonly Slot<Tensor>[], given: Backend | undefined): Backend => {
  let backend = given
  for (const slot of inputs) {
    for (const x of slotItems(slot)) {
      backend ??= x.backend
      if (x.backend !== backend) {
        throw new WeftError('backend', `${op.name}: its inputs live on two backends, ${backend.name} and ${x.backend.name}; read one and upload it to the other`)
      }
    }
  }
  if (backend === undefined) throw new WeftError('backend', `${op.name}: no input says which backend to use; pass it`)
  return backend
}

/** @throws DTypeError unless all dtypes are equal, naming the cast that mends it. */
export const requireSameDType = (op: string, metas: readonly Meta[]): void => {
  const [first] = metas
  for (const meta of metas) {
    if (meta.dtype !== first!.dtype) throw new DTypeError(`${op}: inputs have dtypes ${first!.dtype} and ${meta.dtype}; cast(x, '${first!.dtype}') one of them first`)
  }
}
