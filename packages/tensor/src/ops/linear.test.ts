import { expect, test } from 'vitest'
import { grad, memory, tidy, type Tensor } from '@weft/tensor'
import { embedding, expertLinear, gelu, linear, mul, permute, reshape, sum, type LinearActivation } from '@weft/tensor/ops'
import { backend, expectClose, f32, i32, sample, valuesOf } from '../../test/closeness.ts'

/** x [N, K] · w [M, K]ᵀ. */
const product = (x: readonly number[], w: readonly number[], inner: number): number[] => {
  const [rows, columns] = [x.length / inner, w.length / inner]
  return Array.from({ length: rows * columns }, (_, i) => {
    const [r, c] = [Math.floor(i / columns), i % columns]
    let total = 0
    for (let k = 0; k < inner; k++) total += x[r * inner + k]! * w[c * inner + k]!
    return total
  })
}

test('activation(x · Wᵀ + bias) + residual', async () => {
  const [x, w, b, r] = [sample([2, 3, 5], 1), sample([4, 5], 2), sample([4], 3), sample([2, 3, 4], 4)]
  const before = product(x.values, w.values, 5).map((value, i) => value + b.values[i % 4]!)
  const activations: Readonly<Record<Exclude<LinearActivation, 'gelu' | 'geluTanh'>, (value: number) => number>> = {
    none: (value) => value,
    relu: (value) => Math.max(0, value),
    silu: (value) => value / (1 + Math.exp(-value)),
  }
  for (const [activation, f] of Object.entries(activations) as [LinearActivation, (value: number) => number][]) {
    const got = linear(x.x, w.x, { bias: b.x, residual: r.x, activation })
    expect(got.shape).toEqual([2, 3, 4])
    expectClose(await valuesOf(got), before.map((value, i) => f(value) + r.values[i]!))
  }
  const plain = linear(x.x, w.x, { bias: b.x })
  for (const [activation, approximate] of [['gelu', 'none'], ['geluTanh', 'tanh']] as const) {
    expectClose(await valuesOf(linear(x.x, w.x, { bias: b.x, activation })), await valuesOf(gelu(plain, { approximate })))
  }
})

test('layout inOut takes the transposed weight', async () => {
  const [x, w] = [sample([3, 5], 5).x, sample([4, 5], 6).x]
  expectClose(await valuesOf(linear(x, permute(w, [1, 0]), { layout: 'inOut' })), await valuesOf(linear(x, w)))
})

test('nothing is left in memory, and a linear layer without activation keeps its input alone', () => {
  const [x, w, y] = [sample([64, 32], 7).x, sample([16, 32], 8).x, sample([64, 16], 9).x]
  const held = (activation: LinearActivation): number => {
    let bytes = 0
    const gradients = grad(() => {
      const before = memory(backend).bytes
      const output = linear(x, w, { activation })
      bytes = memory(backend).bytes - before - output.size * 8
      return tidy(() => sum(mul(output, y)))
    }, [x, w])
    for (const gradient of gradients) gradient.dispose()
    return bytes
  }
  const before = memory(backend).bytes
  expect(held('none')).toBe(0)
  expect(held('silu')).toBe(64 * 16 * 8) // the preactivation
  expect(memory(backend).bytes).toBe(before)
})

test('experts: each row meets the weights of its own', async () => {
  const [x, w] = [sample([5, 3], 10), sample([4, 2, 3], 11)]
  const ids = [0, 3, 1, 1, 2, 0, 3, 3, 0, 2]
  const expected = ids.flatMap((expert, i) => product(x.values.slice(Math.floor(i / 2) * 3, Math.floor(i / 2) * 3 + 3), w.values.slice(expert * 6, expert * 6 + 6), 3))
  const got = expertLinear(x.x, w.x, i32(ids, [5, 2]))
  expect(got.shape).toEqual([5, 2, 2])
  expectClose(await valuesOf(got), expected)
  expect(await valuesOf(expertLinear(x.x, w.x, i32([-1, 4, 9, -3, 4], [5, 1])))).toEqual(Array<number>(10).fill(0))
})

test('embedding picks rows; its gradient adds those that come again', async () => {
  const { x: table, values } = sample([4, 2], 12)
  const ids = i32([2, 0, 2], [1, 3])
  const got = embedding(table, ids)
  expect(got.shape).toEqual([1, 3, 2])
  expect(await valuesOf(got)).toEqual([...values.slice(4, 6), ...values.slice(0, 2), ...values.slice(4, 6)])
  const weights = reshape(sample([6], 13).x, [1, 3, 2])
  const g = await valuesOf(weights)
  const [gradient] = grad(() => tidy((): Tensor => sum(mul(embedding(table, ids), weights))), [table])
  expectClose(await valuesOf(gradient!), [g[2]!, g[3]!, 0, 0, g[0]! + g[4]!, g[1]! + g[5]!, 0, 0])
})

test('what does not fit is refused', () => {
  const x = f32([1, 2, 3], [1, 3])
  expect(() => linear(x, f32([1, 2], [1, 2]))).toThrow('linear: expected x of shape [..., in] = [1, 2], got [1, 3]')
  expect(() => linear(x, f32([1, 2, 3], [1, 3]), { bias: f32([1, 2], [2]) })).toThrow('linear: expected bias of shape [out] = [1], got [2]')
  expect(() => linear(x, f32([1, 2, 3], [1, 3]), { activation: 'swish' as 'silu' })).toThrow(/expected an activation of none, gelu, geluTanh, silu, relu, got "swish"/)
  expect(() => embedding(f32([1, 2], [1, 2]), f32([0], [1]))).toThrow('embedding: expected ids of dtype i32, got f32')
})
