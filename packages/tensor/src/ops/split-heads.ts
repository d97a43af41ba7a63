// A joint projection taken apart into heads, where nothing is rotated. B batch, T tokens, H query heads, K key heads, Dh head width.
import type { Attrs } from '../backend.ts'
import { ShapeError } from '../errors.ts'
import { exec, execOne, requireSameDType } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { concat, full, reshape, slice } from '../primitives.ts'
import { formatShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { metaOf, numberOf, requireFloat, requireRank } from './checks.ts'

const heads = (attrs: Attrs): { query: number; key: number } => ({ query: numberOf(attrs, 'numHeads'), key: numberOf(attrs, 'numKvHeads') })

/** Gradients of q, k and v → that of qkv. */
export const splitHeadsBackwardOp = defineOp({
  name: 'splitHeadsBackward',
  inputs: ['qGradient', 'kGradient', 'vGradient'],
  infer: ([q, k, v]) => {
    requireSameDType('splitHeadsBackward', [metaOf(q), metaOf(k), metaOf(v)])
    const [batch, length, query, size] = metaOf(q).shape as [number, number, number, number]
    return [{ shape: [batch, length, (query + 2 * metaOf(k).shape[2]!) * size], dtype: metaOf(q).dtype }]
  },
  decompose: ({ inputs, outputs: [output] }) => [reshape(concat(inputs as readonly Tensor[], 2), output!.shape)],
})

/** Attributes `numHeads`, `numKvHeads`. */
export const splitHeadsOp = defineOp({
  name: 'splitHeads',
  inputs: ['qkv'],
  outputs: ['q', 'k', 'v'],
  infer: ([qkv], attrs) => {
    const { shape, dtype } = metaOf(qkv)
    requireFloat('splitHeads', 'qkv', metaOf(qkv))
    requireRank('splitHeads', 'qkv', metaOf(qkv), 3, '[B, T, (H + 2 K) · Dh]')
    const [batch, length, width] = shape as [number, number, number]
    const { query, key } = heads(attrs)
    const size = width / (query + 2 * key)
    if (!Number.isInteger(size)) throw new ShapeError(`splitHeads: ${query} query and ${key} key and value heads do not divide the last axis of ${formatShape(shape)}`)
    return [query, key, key].map((count) => ({ shape: [batch, length, count, size], dtype }))
  },
  decompose: ({ inputs: [qkv], attrs, outputs }) => {
    const { query, key } = heads(attrs)
    const [batch, length, , size] = outputs[0]!.shape as [number, number, number, number]
    const wide = reshape(qkv as Tensor, [batch, length, query + 2 * key, size])
    const part = (start: number, count: number): Tensor => slice(wide, [0, 0, start, 0], [batch, length, count, size])
    return [part(0, query), part(query, key), part(query + key, key)]
  },
  saves: {},
  vjp: ({ gradients, attrs, inputMetas: [qkv] }) => {
    const some = gradients.find((g) => g !== undefined)!
    const { query, key } = heads(attrs)
    const [batch, length, width] = metaOf(qkv).shape as [number, number, number]
    const all = [query, key, key].map((count, i) => gradients[i] ?? full(some.backend, [batch, length, count, width / (query + 2 * key)], 0, { dtype: some.dtype }))
    return [execOne(splitHeadsBackwardOp, all)]
  },
})

/**
 * Splits a joint projection into heads; see `qkvRope` for heads that are rotated.
 *
 * @param qkv [B, T, (H + 2 K) · Dh]: query heads, then key heads, then value heads
 * @returns q [B, T, H, Dh], k and v [B, T, K, Dh]
 */
export const splitHeads = (qkv: Tensor, options: { readonly numHeads: number; readonly numKvHeads: number }): { q: Tensor; k: Tensor; v: Tensor } => {
  const { numHeads, numKvHeads } = options
  const [q, k, v] = exec(splitHeadsOp, [qkv], { numHeads, numKvHeads })
  return { q: q!, k: k!, v: v! }
}
