// Sample calls for the kit that lead into every branch of the norms: several blocks of rows, odd sizes, halves, parameters of another
// dtype, and the backward operations called by themselves with any statistics.
import type { Attrs } from '@weft/tensor'
import type { OpCase, SampleTensor } from '@weft/tensor/testing'
import { opOf, rounded, tolerances, type FloatDType } from './samples.ts'

interface Rows {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: FloatDType
  readonly parameters: FloatDType
}

const variants: readonly Rows[] = [
  { name: 'one column', shape: [5, 1], dtype: 'f32', parameters: 'f32' },
  { name: 'three axes, odd', shape: [3, 7, 45], dtype: 'f32', parameters: 'f32' },
  { name: 'several blocks of rows', shape: [1031, 67], dtype: 'f32', parameters: 'f32' },
  { name: 'long rows', shape: [5, 5003], dtype: 'f32', parameters: 'f32' },
  { name: 'no rows', shape: [0, 24], dtype: 'f32', parameters: 'f32' },
  { name: 'bf16', shape: [9, 83], dtype: 'bf16', parameters: 'bf16' },
  { name: 'f16 with f32 parameters', shape: [6, 40], dtype: 'f16', parameters: 'f32' },
  { name: 'f32 with f16 parameters', shape: [6, 40], dtype: 'f32', parameters: 'f16' },
]

interface Norm {
  readonly name: 'layerNorm' | 'rmsNorm' | 'addLayerNorm' | 'addRmsNorm'
  readonly attrs: Attrs
}

const norms: readonly Norm[] = [
  { name: 'layerNorm', attrs: { epsilon: 1e-5 } },
  { name: 'rmsNorm', attrs: { epsilon: 1e-6, offset: 0 } },
  { name: 'rmsNorm', attrs: { epsilon: 1e-6, offset: 1 } },
  { name: 'addLayerNorm', attrs: { epsilon: 1e-5 } },
  { name: 'addRmsNorm', attrs: { epsilon: 1e-6, offset: 1 } },
]

const isCentered = (norm: Norm): boolean => norm.name.endsWith('LayerNorm') || norm.name === 'layerNorm'
const isAdded = (norm: Norm): boolean => norm.name.startsWith('add')

const forward = (norm: Norm, { name, shape, dtype, parameters }: Rows): OpCase => ({
  op: opOf(norm.name),
  name: `${name}, offset ${String(norm.attrs['offset'] ?? 0)}`,
  gradients: false,
  ...(isAdded(norm) ? {} : shape[0] === 0 ? {} : { rows: ['x'] }),
  tolerance: tolerances[dtype],
  make: (s) => {
    const x = (): SampleTensor => rounded(s, s.normal(shape, 2), dtype)
    const parameter = (): SampleTensor => rounded(s, s.normal([shape.at(-1)!]), parameters)
    return { attrs: norm.attrs, inputs: [x(), ...(isAdded(norm) ? [x()] : []), parameter(), ...(isCentered(norm) ? [parameter()] : [])] }
  },
})

const needs: readonly (readonly number[])[] = [[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]

const backward = (norm: Norm, { name, shape, dtype, parameters }: Rows, wanted: readonly number[], direct: boolean): OpCase => ({
  op: opOf(`${norm.name}Backward`),
  name: `${name}, needs ${wanted.join('')}${direct ? ', the sum too' : ''}, offset ${String(norm.attrs['offset'] ?? 0)}`,
  gradients: false,
  // The gradients of parameters are sums over all rows.
  tolerance: dtype === 'f32' && parameters === 'f32' ? { rtol: 1e-4, atol: 1e-3 } : { rtol: 2e-2, atol: 5e-2 },
  make: (s) => {
    const rows = shape.slice(0, -1)
    const weight = rounded(s, s.normal([shape.at(-1)!]), parameters)
    const x = rounded(s, s.normal(shape, 2), dtype)
    const statistics = [...(isCentered(norm) ? [s.normal(rows, 0.3)] : []), s.uniform(rows, 0.3, 0.7)]
    const gradient = rounded(s, s.normal(shape), dtype)
    const sumGradient = direct ? rounded(s, s.normal(shape), dtype) : undefined
    const attrs = { ...norm.attrs, needs: isCentered(norm) ? wanted : wanted.slice(0, 2) }
    return { attrs, inputs: isAdded(norm) ? [weight, x, ...statistics, sumGradient, gradient] : [x, weight, ...statistics, gradient] }
  },
})

export const normCases: readonly OpCase[] = norms.flatMap((norm) => [
  ...variants.map((rows) => forward(norm, rows)),
  ...variants.map((rows) => backward(norm, rows, needs[0]!, isAdded(norm))),
  ...needs.slice(1, isCentered(norm) ? 4 : 3).map((wanted) => backward(norm, variants[1]!, wanted, false)),
])
