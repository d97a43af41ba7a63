// x·Wᵀ + bias, plus what adapters add. The one place where a layer meets its matrices.
import type { Tensor } from '@weft/tensor'
import { add, gelu, linear, mul, pad, relu, scalarLike, silu } from '@weft/tensor/ops'
import type { LowRankUpdate } from './adapter.ts'
import type { Activation } from './model-config.ts'
import { drop, weight, weightIfAny, type Run } from './run.ts'

/** x [..., in] → [..., out], for the projection of this name (`layers.0.attention.qkv`). */
export const project = (run: Run, name: string, x: Tensor, activation: Activation | 'none' = 'none'): Tensor => {
  const matrix = weight(run, `${name}.weight`)
  const bias = weightIfAny(run, `${name}.bias`)
  const options = bias === undefined ? {} : { bias }
  const updates = run.adapters.flatMap((adapter) =>
    (adapter.updates.get(name) ?? []).map((update) => ({ update, input: drop(run, x, adapter.config.dropout, `${update.module}/lora`) })),
  )
  if (updates.length === 0) return linear(x, matrix, { ...options, activation })
  const total = updates.reduce((sum, { update, input }) => addUpdate(sum, update, input), linear(x, matrix, options))
  return activate(total, activation)
}

/** sum + scale · B(A(x)); the scale goes onto the rank-wide middle, the smallest of the three. */
const addUpdate = (sum: Tensor, { a, b, scale, rows }: LowRankUpdate, x: Tensor): Tensor => {
  const middle = linear(x, a.value)
  const scaled = mul(middle, scalarLike(middle, scale))
  const width = sum.shape.at(-1)!
  if (rows === undefined || rows.count === width) return linear(scaled, b.value, { residual: sum })
  const before = sum.shape.map((_, axis) => (axis === sum.shape.length - 1 ? rows.start : 0))
  const after = sum.shape.map((_, axis) => (axis === sum.shape.length - 1 ? width - rows.start - rows.count : 0))
  return add(sum, pad(linear(scaled, b.value), before, after))
}

const activate = (x: Tensor, activation: Activation | 'none'): Tensor => {
  switch (activation) {
    case 'none':
      return x
    case 'silu':
      return silu(x)
    case 'relu':
      return relu(x)
    case 'gelu':
      return gelu(x, { approximate: 'none' })
    case 'geluTanh':
      return gelu(x, { approximate: 'tanh' })
  }
}
