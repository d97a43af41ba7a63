// attention and its gradients from products of XNNPACK and one softmax, where scores need no softcap, bias or sinks (the decomposition
// has those). What may see what is one mask for all heads, made once a call on the host. B batch, Tq queries, Tk keys that are read, H
// query heads, K key heads, G = H / K, Dh head size. The G heads of a group are rows of one product, so keys are never repeated.
import type { Meta, Slot } from '@weft/tensor'
import { reshaped, type Device, type Value } from '../device.ts'
import { input, numbers, type Body, type Call } from '../kernel.ts'
import { attentionMask, type Mask } from './attention-mask.ts'
import { combined, filled } from './elementwise.ts'
import { product } from './mat-mul.ts'
import { keptRows, paddedRows, transposed } from './movement.ts'
import { maximumOf, softmaxOfRows } from './softmax.ts'

/** Whether the kernels here take a call: slots 7 and 8 are bias and sinks. Calls that read no key at all are left to the decomposition. */
export const supportsAttention = (inputs: readonly Slot<Meta>[], attrs: Call['attrs']): boolean => {
  const lengths = attrs['keyLengths'] as readonly number[] | undefined
  const isEmpty = inputs.slice(0, 3).some((x) => (x as Meta).shape.includes(0)) || lengths?.every((length) => length === 0) === true
  return !isEmpty && inputs[7] === undefined && inputs[8] === undefined && !((attrs['softcap'] as number) > 0)
}

interface Sizes {
  readonly B: number
  readonly Tq: number
  readonly Tk: number
  readonly H: number
  readonly K: number
}

const sizesOf = (call: Call): Sizes => {
  const [B, Tq, H] = input(call, 0).shape as [number, number, number]
  const [, length, K] = input(call, 1).shape as [number, number, number]
  const lengths = call.attrs['keyLengths'] as readonly number[] | undefined
  return { B, Tq, H, K, Tk: lengths === undefined ? length : Math.max(...lengths) }
}

/** [B, Tq, H, D] → [B, K, G·Tq, D] */
const foldQueries = (device: Device, x: Value, { B, Tq, H, K }: Sizes): Value => {
  const size = x.shape[3]!
  return reshaped(transposed(device, reshaped(x, [B, Tq, K, H / K, size]), [0, 2, 3, 1, 4]), [B, K, (H / K) * Tq, size])
}

/** [B, K, G·Tq, D] → [B, Tq, H, D], in a buffer of its own. */
const unfoldQueries = (device: Device, x: Value, { B, Tq, H, K }: Sizes): Value => {
  const size = x.shape[3]!
  return reshaped(transposed(device, reshaped(x, [B, K, H / K, Tq, size]), [0, 3, 1, 2, 4]), [B, Tq, H, size])
}

/** The first Tk rows of [B, T, K, D] as [B, K, Tk, D]. */
const keysFirst = (device: Device, x: Value, { Tk }: Sizes): Value => transposed(device, keptRows(device, x, Tk), [0, 2, 1, 3])

/** [B, K, Tk, D] → [B, T, K, D]; keys that were not read have no gradient. */
const likeKeys = (device: Device, x: Value, like: Value): Value => paddedRows(device, transposed(device, x, [0, 2, 1, 3]), like.shape[1]!)

interface Probabilities {
  /** scale · q [B, K, G·Tq, Dh] */
  readonly queries: Value
  /** [B, K, Tk, Dh] */
  readonly keys: Value
  /** Masked [B, K, G·Tq, Tk]. */
  readonly scores: Value
  readonly p: Value
}

const scaledBy = (device: Device, x: Value, factor: number): Value => (factor === 1 ? x : combined(device, 'mul', x, filled(device, [], factor, 'f32'), x))

const probabilitiesOf = (device: Device, call: Call, sizes: Sizes, mask: Mask | undefined): Probabilities => {
  const { B, Tq, Tk, H, K } = sizes
  const queries = foldQueries(device, scaledBy(device, input(call, 0), call.attrs['scale'] as number), sizes)
  const keys = keysFirst(device, input(call, 1), sizes)
  const shape = [B, K, (H / K) * Tq, Tk]
  const plain = product(device, queries, keys, { transposeA: false, transposeB: true, shape })
  const byHead = { shape: [B, H, Tq, Tk], dtype: 'f32' } as const
  const scores = mask === undefined ? plain : reshaped(combined(device, 'add', reshaped(plain, byHead.shape), mask.values, byHead), shape)
  if (scores !== plain) device.drop(plain)
  const p = softmaxOfRows(device, scores)
  if (mask !== undefined) clearBlindRows(device, p, mask, sizes)
  return { queries, keys, scores, p }
}

/** A query that sees nothing has equal scores everywhere; its probabilities are 0 instead. */
const clearBlindRows = (device: Device, p: Value, { blind }: Mask, sizes: Sizes): void => {
  const values = device.floats(p)
  for (const row of rowsOf(blind, sizes)) values.fill(0, row * sizes.Tk, (row + 1) * sizes.Tk)
}

/** Rows of scores [B, H, Tq] of the pairs (batch, query), given as batch · Tq + query. */
const rowsOf = (pairs: readonly number[], { H, Tq }: Sizes): number[] =>
  pairs.flatMap((pair) => Array.from({ length: H }, (_, h) => (Math.floor(pair / Tq) * H + h) * Tq + (pair % Tq)))

export const attention: Body = (device, call) => {
  const sizes = sizesOf(call)
  const { B, Tq, Tk, H, K } = sizes
  const mask = attentionMask(device, call, sizes)
  const { queries, keys, scores, p } = probabilitiesOf(device, call, sizes, mask)
  device.drop(queries, keys)
  const values = keysFirst(device, input(call, 2), sizes)
  const mixed = product(device, p, values, { transposeA: false, transposeB: false, shape: [B, K, (H / K) * Tq, values.shape[3]!] })
  device.drop(values)
  const output = unfoldQueries(device, mixed, sizes)
  if (call.outputs.length === 1) return output
  const logSumExp = device.allocate([B, H, Tq], 'f32')
  const [s, weights, out] = [device.floats(scores), device.floats(p), device.floats(logSumExp)]
  // The largest score is the logarithm of its probability plus that of the sum.
  for (let row = 0; row < out.length; row++) out[row] = maximumOf(s, row * Tk, Tk) - Math.log(maximumOf(weights, row * Tk, Tk))
  for (const row of rowsOf(mask?.blind ?? [], sizes)) out[row] = lowest
  return [output, logSumExp]
}

const lowest = -1e30

/** Inputs as forwards, then output, logSumExp, gradient. The probabilities are computed again: softmax is one pass of XNNPACK. */
export const attentionBackward: Body = (device, call) => {
  const sizes = sizesOf(call)
  const { B, Tq, Tk, H, K } = sizes
  const [q, k, v, output, gradient] = [input(call, 0), input(call, 1), input(call, 2), input(call, 9), input(call, 11)]
  const needs = numbers(call, 'needs')
  const { queries, keys, scores, p } = probabilitiesOf(device, call, sizes, attentionMask(device, call, sizes))
  if (scores !== p) device.drop(scores)
  const rows = (H / K) * Tq
  const g = foldQueries(device, gradient, sizes)
  const ofV = (): Value => likeKeys(device, product(device, p, g, { transposeA: true, transposeB: false, shape: [B, K, Tk, g.shape[3]!] }), v)
  const slope = needs[0] === 1 || needs[1] === 1 ? scoreSlope(device, { p, g, output: foldQueries(device, output, sizes), values: keysFirst(device, v, sizes) }) : undefined
  const ofQ = (): Value => unfoldQueries(device, scaledBy(device, product(device, slope!, keys, { transposeA: false, transposeB: false, shape: [B, K, rows, q.shape[3]!] }), call.attrs['scale'] as number), sizes)
  const ofK = (): Value => likeKeys(device, product(device, slope!, queries, { transposeA: true, transposeB: false, shape: [B, K, Tk, k.shape[3]!] }), k)
  return [ofQ, ofK, ofV].filter((_, i) => needs[i] === 1).map((make) => make())
}

/** p · (g vᵀ − Σ g · output), the gradient of the scores. */
const scoreSlope = (device: Device, { p, g, output, values }: { readonly p: Value; readonly g: Value; readonly output: Value; readonly values: Value }): Value => {
  const along = device.allocate([...g.shape.slice(0, 3), 1], 'f32')
  const [a, b, sums] = [device.floats(g), device.floats(output), device.floats(along)]
  const size = g.shape[3]!
  for (let row = 0; row < sums.length; row++) {
    let total = 0
    for (let i = row * size; i < (row + 1) * size; i++) total += a[i]! * b[i]!
    sums[row] = total
  }
  const ofP = product(device, g, values, { transposeA: false, transposeB: true, shape: p.shape })
  const centered = combined(device, 'sub', ofP, along, p)
  device.drop(ofP, values, output, along)
  const slope = combined(device, 'mul', centered, p, p)
  device.drop(centered)
  return slope
}

