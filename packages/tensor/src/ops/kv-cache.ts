// Writing new keys or values into a cache. B batch, M capacity, T new tokens, K key heads, Dh head size.
import { ShapeError } from '../errors.ts'
import { execOne, requireSameDType } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { concat, slice } from '../primitives.ts'
import { formatShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { metaOf, numbersOf, requireRank } from './checks.ts'

/** Attribute `at`: where rows[b] go, one number a row of the batch. */
export const kvAppendOp = defineOp({
  name: 'kvAppend',
  inputs: ['cache', 'rows'],
  donates: ['cache'],
  infer: ([cache, rows], attrs) => {
    const [c, r] = [metaOf(cache), metaOf(rows)]
    requireRank('kvAppend', 'cache', c, 4, '[B, M, K, Dh]')
    requireRank('kvAppend', 'rows', r, 4, '[B, T, K, Dh]')
    requireSameDType('kvAppend', [c, r])
    const at = numbersOf(attrs, 'at')
    const fits = r.shape.every((size, i) => i === 1 || size === c.shape[i]) && at.length === c.shape[0] && at.every((start) => Number.isInteger(start) && start >= 0 && start + r.shape[1]! <= c.shape[1]!)
    if (!fits) throw new ShapeError(`kvAppend: rows ${formatShape(r.shape)} at [${at.join(', ')}] do not fit into a cache ${formatShape(c.shape)}`)
    return [{ shape: c.shape, dtype: c.dtype }]
  },
  decompose: ({ inputs, attrs }) => {
    const [cache, rows] = inputs as readonly [Tensor, Tensor]
    const at = numbersOf(attrs, 'at')
    if (at.every((start) => start === at[0])) return [overwritten(cache, rows, at[0] ?? 0)]
    const row = (x: Tensor, b: number): Tensor => slice(x, [b, 0, 0, 0], [1, ...x.shape.slice(1)])
    return [concat(at.map((start, b) => overwritten(row(cache, b), row(rows, b), start)), 0)]
  },
})

const overwritten = (cache: Tensor, rows: Tensor, start: number): Tensor => {
  const [B, M, K, Dh] = cache.shape as [number, number, number, number]
  const end = start + rows.shape[1]!
  const part = (from: number, to: number): Tensor[] => (to > from ? [slice(cache, [0, from, 0, 0], [B, to - from, K, Dh])] : [])
  return concat([...part(0, start), rows, ...part(end, M)], 1)
}

/** The cache with rows[b] from at[b] on; in place where nobody else holds it. Consumes the cache. */
export const kvAppend = (cache: Tensor, rows: Tensor, options: { readonly at: readonly number[] }): Tensor => execOne(kvAppendOp, [cache, rows], { at: options.at })
