// Attention with its probabilities as a tensor: for looking at them, and for dropout on them, which the fused operation has not.
// Costs [B, H, T, S] of memory. B batch, T queries, S keys, H query heads, K key heads, G = H / K, Dh head width.
import { tensor, type Tensor } from '@weft/tensor'
import { cast, equal, iota, lessThan, matMul, mul, permute, reshape, scalarLike, softmax, sub, where } from '@weft/tensor/ops'
import { drop, type Run } from './run.ts'

/** q [B, T, H, Dh], keys and values [B, S, K, Dh] → output [B, T, H, Dh], probabilities [B, H, T, S] before dropout. */
export const explicitAttention = (
  run: Run,
  options: { readonly q: Tensor; readonly keys: Tensor; readonly values: Tensor; readonly scale: number; readonly dropoutRate: number; readonly layer: string },
): { output: Tensor; probabilities: Tensor } => {
  const { q, keys, values, scale, dropoutRate, layer } = options
  const [rows, length, numHeads, headDim] = q.shape as [number, number, number, number]
  const [, numKeys, numKvHeads] = keys.shape as [number, number, number]
  const groups = numHeads / numKvHeads
  const queries = permute(reshape(q, [rows, length, numKvHeads, groups, headDim]), [0, 2, 3, 1, 4]) // [B, K, G, T, Dh]
  const perHead = (x: Tensor): Tensor => reshape(permute(x, [0, 2, 1, 3]), [rows, numKvHeads, 1, numKeys, headDim])
  const scores = matMul(mul(queries, scalarLike(queries, scale)), perHead(keys), { transposeB: true }) // [B, K, G, T, S]
  const visible = visibility(run, length, numKeys) // u8 [B|1, 1, 1, T, S]
  // A query that sees nothing gets zeros: its softmax is over equal scores, and then masked.
  const masked = softmax(where(visible, scores, scalarLike(scores, -1e30)))
  const probabilities = mul(masked, cast(visible, masked.dtype))
  const heads = matMul(drop(run, probabilities, dropoutRate, `${layer}/probabilities`), perHead(values)) // [B, K, G, T, Dh]
  return {
    output: reshape(permute(heads, [0, 3, 1, 2, 4]), q.shape),
    probabilities: reshape(probabilities, [rows, numHeads, length, numKeys]),
  }
}

/** u8 [B|1, 1, 1, T, S]: key ≤ query, key not padding, same segment. */
const visibility = (run: Run, length: number, numKeys: number): Tensor => {
  const { backend, placement } = run
  const { at, segments } = placement
  const order = iota(backend, numKeys)
  const keyPositions = placement.keyPositions ?? reshape(order, [1, numKeys])
  const starts = at ?? [0]
  const queryPositions =
    placement.queryPositions ??
    tensor(backend, Int32Array.from({ length: starts.length * length }, (_, i) => starts[Math.floor(i / length)]! + (i % length)), [starts.length, length])
  const column = reshape(queryPositions, [queryPositions.shape[0]!, 1, 1, length, 1])
  const row = reshape(keyPositions, [keyPositions.shape[0]!, 1, 1, 1, numKeys])
  // Booleans combine as numbers: 1 − (query < key), times the others.
  const one = scalarLike(row, 1)
  const isPast = sub(one, cast(lessThan(column, row), 'i32'))
  const isToken = sub(one, cast(lessThan(row, scalarLike(row, 0)), 'i32'))
  const causal = mul(isPast, isToken)
  if (segments === undefined) return cast(causal, 'u8')
  const [rows] = segments.shape as [number]
  const isSame = equal(reshape(segments, [rows, 1, 1, length, 1]), reshape(segments, [rows, 1, 1, 1, length]))
  return cast(mul(causal, cast(isSame, 'i32')), 'u8')
}
