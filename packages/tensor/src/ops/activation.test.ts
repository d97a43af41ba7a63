import { expect, test } from 'vitest'
import { geGlu, gelu, relu, sigmoid, silu, swiGlu } from '@weft/tensor/ops'
import { expectClose, f32, f64, valuesOf } from '../../test/closeness.ts'

const xs = [-3, -1, -0.5, 0, 0.5, 1, 3]
const x = f64(xs, [7])

test('the values of PyTorch', async () => {
  // torch.nn.functional.gelu(x), gelu(x, approximate='tanh'), silu(x), sigmoid(x) in float64
  expectClose(await valuesOf(gelu(x, { approximate: 'none' })), [-0.00404969409489031, -0.15865525393145707, -0.15426876936299344, 0, 0.34573123063700656, 0.8413447460685429, 2.99595030590511], { atol: 1e-9 })
  expectClose(await valuesOf(gelu(x, { approximate: 'tanh' })), [-0.00363739, -0.15880801, -0.15428599, 0, 0.34571401, 0.84119199, 2.99636261], { atol: 1e-8 })
  expectClose(await valuesOf(silu(x)), [-0.1422776195327003, -0.2689414213699951, -0.1887703343990727, 0, 0.3112296656009273, 0.7310585786300049, 2.8577223804673], { atol: 1e-12 })
  expectClose(await valuesOf(sigmoid(x)), [0.04742587317756678, 0.2689414213699951, 0.3775406687981454, 0.5, 0.6224593312018546, 0.7310585786300049, 0.9525741268224334])
  expect(await valuesOf(relu(x))).toEqual([0, 0, 0, 0, 0.5, 1, 3])
})

test('gated units multiply', async () => {
  const up = f64([1, 2, 3, 4, 5, 6, 7], [7])
  const times = (gate: readonly number[]): number[] => gate.map((value, i) => value * (i + 1))
  expectClose(await valuesOf(swiGlu(x, up)), times(await valuesOf(silu(x))))
  expectClose(await valuesOf(geGlu(x, up, { approximate: 'tanh' })), times(await valuesOf(gelu(x, { approximate: 'tanh' }))))
})

test('far from 0 nothing becomes NaN', async () => {
  const far = f32([-1e4, -90, 90, 1e4], [4])
  expect(await valuesOf(silu(far))).toEqual([-0, -0, 90, 1e4])
  expect(await valuesOf(sigmoid(far))).toEqual([0, 0, 1, 1])
  for (const approximate of ['none', 'tanh'] as const) expect(await valuesOf(gelu(far, { approximate }))).toEqual([-0, -0, 90, 1e4])
})

test('wrong options and shapes are named', () => {
  expect(() => gelu(x, { approximate: 'fast' as 'tanh' })).toThrow('gelu: expected approximate "none" or "tanh", got "fast"')
  expect(() => swiGlu(x, f64([1], [1]))).toThrow('swiGlu: expected up of shape [7], got [1]')
})
