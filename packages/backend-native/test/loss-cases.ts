// Sample calls for the kit that lead into every branch of the losses: rows and classes beyond one chunk, rows that do not count, halves, soft
// caps, each choice of gradients.
import type { Attrs } from '@weft/tensor'
import type { OpCase, Samples, SampleTensor, Tolerance } from '@weft/tensor/testing'
import { opOf, rounded, tolerances, type FloatDType } from './samples.ts'

interface Loss {
  readonly name: string
  readonly rows: number
  readonly classes: number
  readonly dtype?: FloatDType
  readonly attrs?: Attrs
  /** One in so many rows does not count; 1: none does. */
  readonly ignoreEach?: number
}

const plain = { ignoreIndex: -1, labelSmoothing: 0, zLoss: 0 }

/** Targets within the classes; every `ignoreEach`th is −1. */
const targetsOf = (s: Samples, { rows, classes, ignoreEach }: Loss): SampleTensor => {
  const drawn = s.integers([rows], 0, classes)
  return ignoreEach === undefined ? drawn : s.values([rows], Array.from(drawn.values, (target, i) => (i % ignoreEach === 0 ? -1 : target)), 'i32')
}

const losses: readonly Loss[] = [
  { name: 'odd', rows: 7, classes: 77 },
  { name: 'several blocks of classes', rows: 3, classes: 3001 },
  { name: 'whole blocks', rows: 40, classes: 2048 },
  { name: 'smoothed, z loss, some ignored', rows: 33, classes: 1200, ignoreEach: 3, attrs: { labelSmoothing: 0.1, zLoss: 1e-3 } },
  { name: 'none counts', rows: 5, classes: 30, ignoreEach: 1, attrs: { zLoss: 1e-3 } },
  { name: 'one class', rows: 4, classes: 1 },
  { name: 'bf16', rows: 5, classes: 70, dtype: 'bf16' },
  { name: 'f16', rows: 5, classes: 70, dtype: 'f16' },
]

const crossEntropies = losses.flatMap((loss): OpCase[] => {
  const { name, rows, classes, dtype = 'f32', attrs } = loss
  const logits = (s: Samples): SampleTensor => rounded(s, s.normal([rows, classes], 2), dtype)
  const shared = { name, gradients: false, tolerance: tolerances[dtype] }
  return [
    { ...shared, rows: ['logits', 'targets'], op: opOf('crossEntropy'), make: (s) => ({ attrs: { ...plain, ...attrs }, inputs: [logits(s), targetsOf(s, loss)] }) },
    { ...shared, op: opOf('crossEntropyBackward'), make: (s) => ({ attrs: { ...plain, ...attrs }, inputs: [logits(s), targetsOf(s, loss), s.uniform([rows], 6, 9), s.normal([rows])] }) },
  ]
})

const infinite: OpCase = {
  op: opOf('crossEntropy'),
  name: 'infinities and NaN',
  gradients: false,
  make: (s) => ({ attrs: plain, inputs: [s.values([5, 3], [-Infinity, 1, 2, -Infinity, -Infinity, -Infinity, Infinity, 0, 1, NaN, 0, 1, -Infinity, NaN, -Infinity]), s.values([5], [1, 0, 0, 1, 0], 'i32')] }),
}

const blockEdges: OpCase = {
  op: opOf('crossEntropy'),
  name: 'a whole block of −∞',
  gradients: false,
  make: (s) => ({ attrs: plain, inputs: [s.values([2, 2060], Array.from({ length: 4120 }, (_, i) => ((i % 2060) < 1024 || (i % 2060) >= 2048 ? -Infinity : (i % 7) / 3))), s.values([2], [1025, 3], 'i32')] }),
}

interface HeadLoss extends Loss {
  readonly features: number
  readonly weight?: FloatDType
  readonly bias?: FloatDType
  readonly needs?: readonly number[]
}

const heads: readonly HeadLoss[] = [
  { name: 'odd', rows: 7, classes: 77, features: 13 },
  { name: 'several panels', rows: 5, classes: 2500, features: 40, bias: 'f32' },
  { name: 'several chunks of rows', rows: 1100, classes: 33, features: 24, bias: 'f32', needs: [1, 1, 0, 1] },
  { name: 'chunks and panels, some ignored', rows: 2100, classes: 1040, features: 8, ignoreEach: 2 },
  { name: 'everything', rows: 50, classes: 1100, features: 20, bias: 'bf16', ignoreEach: 4, attrs: { labelSmoothing: 0.1, zLoss: 1e-3, softcap: 5, logitScale: 0.7 } },
  { name: 'none counts', rows: 5, classes: 30, features: 9, ignoreEach: 1, bias: 'f32' },
  { name: 'bf16 throughout', rows: 30, classes: 1100, features: 33, dtype: 'bf16', weight: 'bf16', bias: 'bf16' },
  { name: 'bf16, some ignored, soft cap', rows: 1040, classes: 60, features: 33, dtype: 'bf16', weight: 'bf16', ignoreEach: 5, attrs: { softcap: 4 } },
  { name: 'f16 hidden, f32 weight', rows: 9, classes: 50, features: 17, dtype: 'f16' },
  { name: 'f32 hidden, f16 weight', rows: 9, classes: 50, features: 17, weight: 'f16' },
  { name: 'hidden alone', rows: 9, classes: 50, features: 17, bias: 'f32', needs: [1, 0, 0, 0] },
  { name: 'weight alone', rows: 9, classes: 50, features: 17, bias: 'f32', needs: [0, 1, 0, 0] },
  { name: 'bias alone', rows: 9, classes: 50, features: 17, bias: 'f32', needs: [0, 0, 0, 1] },
  { name: 'no features', rows: 4, classes: 5, features: 0, bias: 'f32' },
]

/** Sums over rows or classes of halves, or many of them. */
const gradientTolerance = (loss: HeadLoss): Tolerance => ([loss.dtype, loss.weight, loss.bias].some((dtype) => dtype === 'bf16' || dtype === 'f16') ? { rtol: 2e-2, atol: 5e-2 } : { rtol: 1e-4, atol: 1e-4 })

const linearCrossEntropies = heads.flatMap((loss): OpCase[] => {
  const { name, rows, classes, features, dtype = 'f32', weight = 'f32', bias, needs = [1, 1, 0, bias === undefined ? 0 : 1], attrs } = loss
  const all = { ...plain, softcap: 0, logitScale: 1, chunkRows: 0, ...attrs }
  const inputs = (s: Samples): (SampleTensor | undefined)[] => [
    rounded(s, s.normal([rows, features]), dtype),
    rounded(s, s.normal([classes, features], 0.5), weight),
    targetsOf(s, loss),
    bias === undefined ? undefined : rounded(s, s.normal([classes]), bias),
  ]
  const shared = { name, gradients: false }
  return [
    { ...shared, tolerance: dtype === 'f32' ? { rtol: 1e-5, atol: 2e-5 } : tolerances.f16, rows: ['hidden', 'targets'], op: opOf('linearCrossEntropy'), make: (s) => ({ attrs: all, inputs: inputs(s) }) },
    { ...shared, tolerance: gradientTolerance(loss), op: opOf('linearCrossEntropyBackward'), make: (s) => ({ attrs: { ...all, needs }, inputs: [...inputs(s), s.uniform([rows], 9, 12), s.normal([rows])] }) },
  ]
})

export const lossCases: readonly OpCase[] = [...crossEntropies, infinite, blockEdges, ...linearCrossEntropies]
