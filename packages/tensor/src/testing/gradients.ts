// Gradients of sample calls: on a backend by the tape, and on the reference backend in f64 by the tape and by central differences.
// The scalar is a weighted sum of all float outputs, with weights that do not repeat, so that no two elements may be swapped.
import type { Backend, Slot } from '../backend.ts'
import { read, tensor } from '../create.ts'
import { isFloat } from '../dtype.ts'
import { exec, mapSlot, slotItems } from '../exec.ts'
import { add, cast, full, mul, reshape, sum } from '../primitives.ts'
import { grad } from '../tape.ts'
import type { Tensor } from '../tensor.ts'
import { tidy } from '../tidy.ts'
import type { OpCase, SampleTensor } from './op-case.ts'
import { callOf, collect, fail, inDoublePrecision, isInReach, placeAll, reference, requireClose, type Call, type Result } from './run-case.ts'

/** Elements of one input that are checked by central differences; the others only against the reference's tape. */
const maxProbes = 24
/** Truncation error h² f‴ and rounding error ε / h are both near 1e-10. */
const stepSize = 1e-5
const differenceTolerance = { rtol: 1e-5, atol: 1e-6 }

export const hasGradients = (opCase: OpCase): boolean => opCase.gradients ?? (opCase.op.vjp !== undefined && callOf(opCase).inputs.flatMap(slotItems).some(isDifferentiable))

const isDifferentiable = (sample: SampleTensor): boolean => sample.dtype === 'f32' || sample.dtype === 'f64'

/** For each input, flat, whether its gradient is compared. */
const differentiable = (opCase: OpCase, call: Call): boolean[] =>
  call.inputs.flatMap((slot, i) => slotItems(slot).map((sample) => isDifferentiable(sample) && !(opCase.withoutGradient?.includes(opCase.op.inputs[i]!.name) ?? false)))

/** Σ wᵢ·outputᵢ over all float outputs. */
const weightedSum = (backend: Backend, outputs: readonly Tensor[]): Tensor => {
  const wide = backend === reference ? 'f64' : 'f32'
  let total = full(backend, [], 0, { dtype: wide })
  for (const x of outputs) {
    if (!isFloat(x.dtype)) continue
    const weights = tensor(backend, Float64Array.from({ length: x.size }, (_, k) => Math.fround(Math.sin(1 + 1.7 * k))), x.shape, { dtype: wide })
    total = add(total, sum(mul(cast(x, wide), weights)))
  }
  return reshape(total, [])
}

/** The gradients of the differentiable inputs, on any backend. */
export const runGradients = (backend: Backend, opCase: OpCase, call: Call): Promise<Result[]> =>
  collect(
    tidy(() => {
      const inputs = placeAll(backend, call)
      const wanted = differentiable(opCase, call)
      const roots = inputs.flatMap(slotItems).filter((_, i) => wanted[i]!)
      return grad(() => weightedSum(backend, exec(opCase.op, inputs, call.attrs, backend)), roots)
    }),
  )

const references = new WeakMap<OpCase, Promise<Result[]>>()

/** The f64 gradients of the reference backend, themselves checked against central differences, once a process. */
const referenceGradients = async (opCase: OpCase): Promise<Result[]> => {
  const known = references.get(opCase)
  if (known !== undefined) return known
  const made = checkedGradients(opCase)
  references.set(opCase, made)
  return made
}

const checkedGradients = async (opCase: OpCase): Promise<Result[]> => {
  const call = inDoublePrecision(callOf(opCase))
  const gradients = await runGradients(reference, opCase, call)
  const wanted = differentiable(opCase, call)
  const samples = call.inputs.flatMap(slotItems)
  let root = 0
  for (let i = 0; i < samples.length; i++) {
    if (!wanted[i]!) continue
    await compareWithDifferences(opCase, call, samples[i]!, gradients[root]!, root)
    root++
  }
  return gradients
}

const compareWithDifferences = async (opCase: OpCase, call: Call, sample: SampleTensor, gradient: Result, root: number): Promise<void> => {
  const size = sample.values.length
  const stride = Math.max(1, Math.ceil(size / maxProbes))
  for (let k = 0; k < size; k += stride) {
    const h = stepSize * Math.max(1, Math.abs(sample.values[k]!))
    const slope = ((await lossAt(opCase, call, sample, k, h)) - (await lossAt(opCase, call, sample, k, -h))) / (2 * h)
    const got = gradient.values[k]!
    if (!(Math.abs(got - slope) <= differenceTolerance.atol + differenceTolerance.rtol * Math.abs(slope))) {
      fail(`${opCase.op.name}, ${opCase.name}: gradient ${root}, element ${k} is ${got}, but the central difference is ${slope}`)
    }
  }
}

const lossAt = async (opCase: OpCase, call: Call, sample: SampleTensor, k: number, h: number): Promise<number> => {
  const values = Float64Array.from(sample.values)
  values[k]! += h
  const moved: Call = { ...call, inputs: call.inputs.map((slot): Slot<SampleTensor> => mapSlot(slot, (x) => (x === sample ? { ...sample, values } : x))) }
  const loss = tidy(() => weightedSum(reference, exec(opCase.op, placeAll(reference, moved), moved.attrs, reference)))
  const value = (await read(loss))[0]!
  loss.dispose()
  return value
}

/** Group 3: the backend's gradients against the checked ones. */
export const checkGradients = async (backend: Backend, opCase: OpCase, tolerance: { readonly rtol: number; readonly atol: number }): Promise<void> => {
  const call = callOf(opCase)
  if (!isInReach(backend, call)) return
  requireClose('gradients', await runGradients(backend, opCase, call), await referenceGradients(opCase), tolerance)
}
