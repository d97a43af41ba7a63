// The conformance kit: everything a backend must do, as a list of cases that needs no test runner.
import type { Backend, Meta } from '../backend.ts'
import { exec, mapSlot, slotItems } from '../exec.ts'
import { reshape } from '../primitives.ts'
import { memory, withDecomposition } from '../runtime.ts'
import type { Tensor } from '../tensor.ts'
import { disposeAll, tidy } from '../tidy.ts'
import { checkGradients, hasGradients, runGradients } from './gradients.ts'
import { lifetimeCases } from './lifetime-cases.ts'
import type { OpCase, SampleTensor, Tolerance } from './op-case.ts'
import { opCases } from './op-cases.ts'
import { primitiveCases } from './primitive-cases.ts'
import { ruleCases } from './rule-cases.ts'
import {
  callOf, collect, disposeShared, fail, inDoublePrecision, isInReach, placeAll, reference, requireClose, requireEqualBits, runForward, sharedBackend, withoutLeak, type Call, type CreateBackend, type Placement, type Result,
} from './run-case.ts'

export type ConformanceGroup = 'values' | 'kernels' | 'gradients' | 'leaks' | 'rules' | 'determinism'

export interface ConformanceCase {
  /** Unique: `group/op/what` or `group/what`. */
  readonly name: string
  readonly group: ConformanceGroup
  /** The operation that it is about, where it is about one. */
  readonly op?: string
  /** @throws WeftError of kind `conformance` saying what was wrong. */
  run(create: CreateBackend): Promise<void>
}

export interface ConformanceOptions {
  /** By operation, or `operation/case`: instead of the kit's own. State them: they are what users of the backend must live with. */
  readonly tolerances?: Readonly<Record<string, Tolerance>>
  /** Cases of operations of your own, besides the primitives and all of `@weft/tensor/ops`. */
  readonly cases?: readonly OpCase[]
}

const defaultTolerance: Tolerance = { rtol: 1e-5, atol: 1e-5 }
/** Gradients add a second pass of rounding, and their sums are longer. */
const gradientFactor = 10

/**
 * All cases of the kit.
 *
 * Groups: `values` each operation against the reference backend in f64, its inputs uploaded, permuted, sliced and reshaped;
 * `kernels` a backend's own kernel of a named operation against its decomposition; `gradients` against central differences;
 * `leaks`; `rules` the six rules of `Backend`, and donation; `determinism`, and rows that do not depend on the batch.
 *
 * `create` must give a new backend at each call; most cases of one `create` share the first, which the last case disposes.
 */
export const conformanceCases = (options: ConformanceOptions = {}): ConformanceCase[] => {
  const samples = [...primitiveCases, ...opCases, ...(options.cases ?? [])]
  const tolerance = (opCase: OpCase): Tolerance => options.tolerances?.[`${opCase.op.name}/${opCase.name}`] ?? options.tolerances?.[opCase.op.name] ?? opCase.tolerance ?? defaultTolerance
  const about = (group: ConformanceGroup, list: readonly OpCase[], run: (backend: Backend, opCase: OpCase, tolerance: Tolerance) => Promise<void>): ConformanceCase[] =>
    list.map((opCase) => ({
      name: `${group}/${opCase.op.name}/${opCase.name}`,
      group,
      op: opCase.op.name,
      run: (create) => withoutLeak(create, (backend) => run(backend, opCase, tolerance(opCase))),
    }))
  return [
    ...about('values', samples, checkValues),
    ...about('kernels', samples.filter(({ op }) => op.decompose !== undefined), checkKernel),
    ...about('gradients', samples.filter(hasGradients), (backend, opCase, own) => checkGradients(backend, opCase, scaled(own))),
    ...lifetimeCases.map(({ name, run }): ConformanceCase => ({ name: `leaks/${name}`, group: 'leaks', run: (create) => withoutLeak(create, run) })),
    ...ruleCases.map(({ name, ends, run }): ConformanceCase => ({ name: `rules/${name}`, group: 'rules', run: async (create) => (ends ? run(await create()) : withoutLeak(create, run)) })),
    ...about('rules', samples.filter(({ op }) => op.donates !== undefined), checkDonation),
    ...about('determinism', samples, checkDeterminism),
    ...about('determinism', samples.filter(({ rows }) => rows !== undefined), checkRows).map((rows) => ({ ...rows, name: `${rows.name}, first row alone` })),
    { name: 'rules/nothing is left at the end', group: 'rules', run: checkEnd },
  ]
}

const scaled = ({ rtol, atol }: Tolerance): Tolerance => ({ rtol: rtol * gradientFactor, atol: atol * gradientFactor })

const placements: readonly Placement[] = ['plain', 'permuted', 'sliced', 'reshaped']
/** Large samples are there for their size: one placement is enough. */
const manyElements = 5000

const checkValues = async (backend: Backend, opCase: OpCase, tolerance: Tolerance): Promise<void> => {
  const call = callOf(opCase)
  if (!isInReach(backend, call)) return
  const expected = await runForward(reference, opCase, inDoublePrecision(call))
  const size = call.inputs.flatMap(slotItems).reduce((sum, { values }) => sum + values.length, 0)
  for (const placement of size === 0 || size > manyElements ? placements.slice(0, 1) : placements) {
    requireClose(`${placement} inputs`, await runForward(backend, opCase, call, placement), expected, tolerance, opCase.uncompared)
  }
}

/** Whether the backend runs this call with a kernel of its own. */
export const hasKernel = (backend: Backend, opCase: OpCase, call: Call): boolean =>
  backend.kernels[opCase.op.name] !== undefined && (backend.supports?.(opCase.op.name, call.inputs.map((slot) => mapSlot(slot, metaOf)), call.attrs) ?? true)

const metaOf = ({ shape, dtype }: SampleTensor): Meta => ({ shape, dtype })

const checkKernel = async (backend: Backend, opCase: OpCase, tolerance: Tolerance): Promise<void> => {
  const call = callOf(opCase)
  if (!isInReach(backend, call)) return
  if (hasKernel(backend, opCase, call)) {
    const outputs = tidy(() => withDecomposition(() => exec(opCase.op, placeAll(backend, call), call.attrs, backend)))
    requireClose('kernel against decomposition', await runForward(backend, opCase, call), await collect(outputs), tolerance, opCase.uncompared)
  }
  // A backend may own the backward kernel alone, so the gradients are compared wherever there are any.
  if (!hasGradients(opCase)) return
  const decomposed = withDecomposition(() => runGradients(backend, opCase, call))
  requireClose('gradients of kernel against decomposition', await runGradients(backend, opCase, call), await decomposed, scaled(tolerance))
}

/** In place or not: another handle on a donated buffer keeps its values, and where there is none no copy is counted. */
const checkDonation = async (backend: Backend, opCase: OpCase): Promise<void> => {
  const call = callOf(opCase)
  if (!isInReach(backend, call)) return
  const inputs = placeAll(backend, call)
  const donated = inputs.flatMap((slot, i) => (opCase.op.donatedSlots[i]! ? slotItems(slot) : []))
  const { missedDonations } = memory(backend)
  const twins = donated.map((x) => tidy(() => reshape(x, x.shape)))
  const before = await readAll(twins)
  const first = await collect(exec(opCase.op, inputs, call.attrs, backend))
  requireEqualBits('another handle on a donated buffer', await collect(twins), before)
  disposeAll(inputs)
  if (memory(backend).missedDonations !== missedDonations + donated.length) fail('copies for donated tensors that others hold were not counted')
  const again = placeAll(backend, call)
  const second = await collect(exec(opCase.op, again, call.attrs, backend))
  disposeAll(again)
  requireEqualBits('the outputs with and without donation', second, first)
  if (memory(backend).missedDonations !== missedDonations + donated.length) fail('a donated tensor that nobody else holds was counted as a copy')
}

const readAll = (tensors: readonly Tensor[]): Promise<Result[]> => collect(tensors.map((x) => tidy(() => reshape(x, x.shape))))

const checkDeterminism = async (backend: Backend, opCase: OpCase): Promise<void> => {
  const call = callOf(opCase)
  if (!backend.traits.deterministic || !isInReach(backend, call)) return
  requireEqualBits('a second run', await runForward(backend, opCase, call), await runForward(backend, opCase, call))
  if (!hasGradients(opCase)) return
  requireEqualBits('a second backward run', await runGradients(backend, opCase, call), await runGradients(backend, opCase, call))
}

const checkRows = async (backend: Backend, opCase: OpCase): Promise<void> => {
  const call = callOf(opCase)
  if (!isInReach(backend, call)) return
  const firstRow = (sample: SampleTensor): SampleTensor => {
    const size = sample.values.length / sample.shape[0]!
    const { values } = sample
    // The bits of halves must stay bits.
    const row = values instanceof Uint16Array ? values.subarray(0, size) : (Array.prototype.slice.call(values, 0, size) as number[])
    return { ...sample, shape: [1, ...sample.shape.slice(1)], values: row }
  }
  const alone: Call = { ...call, inputs: call.inputs.map((slot, i) => (opCase.rows!.includes(opCase.op.inputs[i]!.name) ? mapSlot(slot, firstRow) : slot)) }
  const whole = await runForward(backend, opCase, call)
  const single = await runForward(backend, opCase, alone)
  requireEqualBits('the first row alone', single, whole.map((result, i) => ({ ...result, values: result.values.subarray(0, single[i]!.values.length) })))
}

const checkEnd = async (create: CreateBackend): Promise<void> => {
  const { buffers, bytes } = memory(await sharedBackend(create))
  await disposeShared(create)
  if (buffers !== 0 || bytes !== 0) fail(`${buffers} buffers of ${bytes} bytes are still there after all cases`)
}
