// The attention half of a block: queries, keys and values in one projection, rotation, the cache, and back to the model's width.
// B batch, T new tokens, S visible tokens, H query heads, K key heads, Dh head width.
import type { Tensor } from '@weft/tensor'
import { attention, qkvRope, reshape, slice, splitHeads } from '@weft/tensor/ops'
import { explicitAttention } from './explicit-attention.ts'
import { project } from './projection.ts'
import type { Run } from './run.ts'

/** x [B, T, D] → output [B, T, D] and, where captured, probabilities [B, H, T, S]. */
export const attentionBlock = (run: Run, layerIndex: number, x: Tensor): { output: Tensor; probabilities?: Tensor } => {
  const { config, placement, pass } = run
  const { rows, length, at, kvCache } = placement
  const layer = `layers.${layerIndex}.attention`
  const { q, k, v } = takeHeads(run, project(run, `${layer}.qkv`, x))
  const past = kvCache?.append(layerIndex, k, v)
  const [keys, values] = [past?.keys ?? k, past?.values ?? v]
  const scale = config.headDim ** -0.5
  const dropoutRate = pass?.training === true ? config.dropout.attention : 0
  const flat = (heads: Tensor): Tensor => project(run, `${layer}.output`, reshape(heads, [rows, length, config.numHeads * config.headDim]))
  if (run.captureAttentions || dropoutRate > 0) {
    const seen = at === undefined ? length : Math.max(...at) + length // what a cache holds beyond is no token
    const [visibleKeys, visibleValues] = [keys, values].map((x) => (x.shape[1] === seen ? x : slice(x, [0, 0, 0, 0], [rows, seen, ...x.shape.slice(2)]))) as [Tensor, Tensor]
    const { output, probabilities } = explicitAttention(run, { q, keys: visibleKeys, values: visibleValues, scale, dropoutRate, layer })
    return run.captureAttentions ? { output: flat(output), probabilities } : { output: flat(output) }
  }
  const { queryPositions, keyPositions, segments } = placement
  const heads = attention(
    {
      q,
      k: keys,
      v: values,
      ...(queryPositions === undefined || keyPositions === undefined ? {} : { queryPositions, keyPositions }),
      ...(segments === undefined ? {} : { querySegments: segments, keySegments: segments }),
    },
    { causal: true, scale, ...(at === undefined ? {} : { keyLengths: at.map((start) => start + length) }) },
  )
  return { output: flat(heads) }
}

/** qkv [B, T, (H + 2K)·Dh] → q [B, T, H, Dh], k and v [B, T, K, Dh], q and k rotated where positions are rotary. */
const takeHeads = (run: Run, qkv: Tensor): { q: Tensor; k: Tensor; v: Tensor } => {
  const { config, frequencies, placement } = run
  const { numHeads, numKvHeads } = config
  const { positions, offset } = placement
  if (frequencies !== undefined) {
    return qkvRope(qkv, frequencies, { numHeads, numKvHeads, ...(positions === undefined ? { offset } : { positions }) })
  }
  return splitHeads(qkv, { numHeads, numKvHeads })
}
