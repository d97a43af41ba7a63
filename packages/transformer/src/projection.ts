// x·Wᵀ + bias, plus what adapters add. The one place where a layer meets its matrices.
import type { Pass, Tensor } from '@weft/tensor'
import { add, concat, gelu, linear, mul, pad, relu, scalarLike, silu, type LinearOptions, type QuantizedTensor } from '@weft/tensor/ops'
import type { LowRankUpdate } from './adapter.ts'
import type { Activation } from './model-config.ts'
import { drop, weight, weightIfAny, type DecoderParts, type Run } from './run.ts'

/** x [..., in] → [..., out], for the projection of this name (`layers.0.attention.qkv`). */
export const project = (run: Run, name: string, x: Tensor, activation: Activation | 'none' = 'none'): Tensor => {
  const bias = weightIfAny(run, `${name}.bias`)
  const options = bias === undefined ? {} : { bias }
  const updates = run.adapters.flatMap((adapter) =>
    (adapter.updates.get(name) ?? []).map((update) => ({ update, input: drop(run, x, adapter.config.dropout, `${update.module}/lora`) })),
  )
  if (updates.length === 0) return multiply(run, `${name}.weight`, x, { ...options, activation })
  const total = updates.reduce((sum, { update, input }) => addUpdate(sum, update, input), multiply(run, `${name}.weight`, x, options))
  return activate(total, activation)
}

/** x · Wᵀ for the matrix of this name, whatever it is held in. */
export const multiply = (run: DecoderParts & { readonly pass?: Pass | undefined }, name: string, x: Tensor, options: LinearOptions = {}): Tensor => {
  const parts = run.quantized.get(name)
  if (parts === undefined) return linear(x, weight(run, name), options)
  const activations = run.pass?.training === true ? 'float' : run.activations
  const [whole] = parts as readonly [QuantizedTensor, ...QuantizedTensor[]]
  if (parts.length === 1) return linear(x, whole, { ...options, activations })
  const { bias, activation = 'none' } = options
  const product = concat(parts.map((part) => linear(x, part, { activations })), x.shape.length - 1)
  return activate(bias === undefined ? product : add(product, bias), activation)
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
