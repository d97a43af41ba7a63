// What the sample calls of this package share: operations by name, values in half precision and how close they come.
import type { DType } from '@weft/tensor'
import { namedOps } from '@weft/tensor/ops'
import type { OpCase, Samples, SampleTensor, Tolerance } from '@weft/tensor/testing'

export const opOf = (name: string): OpCase['op'] => {
  const found = namedOps.find((op) => op.name === name)
  if (found === undefined) throw new Error(`no operation is called ${name}`)
  return found
}

/** The same values in another dtype. */
export const rounded = (s: Samples, x: SampleTensor, dtype: DType): SampleTensor => s.values(x.shape, Array.from(x.values), dtype)

/** Two roundings of the dtype. */
export const tolerances = { f32: { rtol: 1e-5, atol: 1e-5 }, bf16: { rtol: 1.5e-2, atol: 1e-2 }, f16: { rtol: 2e-3, atol: 2e-3 } } as const satisfies Record<string, Tolerance>

export type FloatDType = keyof typeof tolerances
