// What training holds for the backward pass, a layer of GPT-2: pinned, so that no operation starts to save more unnoticed.
import { expect, test } from 'vitest'
import { createCpuBackend } from '@weft/tensor/cpu'
import { disposeAll, grad, keep, memory, random, randomKey, tidy, type Shape, type Tensor } from '@weft/tensor'
import { attention, layerNorm, linear, reshape, slice, sum } from '@weft/tensor/ops'

const backend = createCpuBackend()
const [B, T, D, H] = [2, 8, 32, 4]
let made = 0
const weight = (shape: Shape): Tensor => random(backend, shape, { key: randomKey(1, String(made++)), distribution: 'normal' })

const block = (x: Tensor, w: readonly Tensor[]): Tensor => {
  const [ln1, ln1b, qkv, qkvb, out, outb, ln2, ln2b, up, upb, down, downb] = w as unknown as Record<number, Tensor> & Tensor[]
  const all = linear(layerNorm(x, ln1!, ln1b, { epsilon: 1e-5 }), qkv!, { bias: qkvb! })
  const [q, k, v] = [0, 1, 2].map((i) => reshape(slice(all, [0, 0, i * D], [B, T, D]), [B, T, H, D / H])) as [Tensor, Tensor, Tensor]
  const mixed = reshape(attention({ q, k, v }, { causal: true, scale: (D / H) ** -0.5 }), [B, T, D])
  const middle = linear(mixed, out!, { bias: outb!, residual: x })
  return linear(linear(layerNorm(middle, ln2!, ln2b, { epsilon: 1e-5 }), up!, { bias: upb!, activation: 'geluTanh' }), down!, { bias: downb!, residual: middle })
}

test('a block of GPT-2 holds 15 activations of width D a token, and what its norms and its attention need a row', () => {
  const weights = tidy(() => [[D], [D], [3 * D, D], [3 * D], [D, D], [D], [D], [D], [4 * D, D], [4 * D], [D, 4 * D], [D]].map(weight))
  const x = weight([B, T, D])
  let held = 0
  const gradients = grad(() => {
    const before = memory(backend).bytes
    const y = tidy(() => block(x, weights))
    const output = y.size * 4
    held = memory(backend).bytes - before - output
    return tidy(() => sum(y))
  }, [...weights, x])
  // Held: the norms' outputs (2D), q, k, v (3D), attention's output (D), the middle residual (D), before and after GELU (8D) = 15D;
  // the block's input is the caller's. A row: log-sum-exp of attention, one number a head, and mean and deviation of both norms.
  const rows = B * T
  expect(held / 4 / rows).toBe(15 * D + H + 4)
  disposeAll([keep(gradients), weights, x])
  expect(memory(backend).buffers).toBe(0)
})
