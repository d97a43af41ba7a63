// Rotary position embedding (Su et al. 2021) in the convention of halves, as Llama's code in transformers has it: dimension i is
// paired with i + R/2. B batch, T sequence, H query heads, K key heads, Dh head size, R ≤ Dh rotated dimensions.
import { ConfigError } from '@weft/contracts'
import type { Attrs, Meta, Slot } from '../backend.ts'
import { ShapeError } from '../errors.ts'
import { exec, execOne } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { add, cast, concat, cos, full, iota, mul, reshape, sin, slice, sub } from '../primitives.ts'
import { formatShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { attributes, metaOf, numberOf, requireDType, requireFloat, requireRank, requireShape } from './checks.ts'
import { inSteps, scaled, shifted, widened } from './scratch.ts'

export interface RopeOptions {
  /** i32 [B, T] or [1, T]; default: offset + 0 … T − 1. */
  readonly positions?: Tensor | undefined
  /** The position of the first row where `positions` is absent; default 0. */
  readonly offset?: number | undefined
  /** Multiplies cosine and sine, and so the rotated dimensions (YaRN's attention factor); default 1. */
  readonly scale?: number | undefined
}

const checkRotation = (op: string, batch: number, length: number, headSize: number, frequencies: Slot<Meta>, positions: Slot<Meta>): void => {
  requireFloat(op, 'frequencies', metaOf(frequencies))
  requireRank(op, 'frequencies', metaOf(frequencies), 1, '[R/2]')
  const rotated = 2 * metaOf(frequencies).shape[0]!
  if (rotated > headSize) throw new ShapeError(`${op}: ${rotated / 2} frequencies rotate ${rotated} dimensions, but a head has ${headSize}`)
  if (positions === undefined) return
  const meta = metaOf(positions)
  requireDType(op, 'positions', meta, 'i32')
  if (meta.shape[0] !== 1) requireShape(op, 'positions', meta, [batch, length], '[B, T]')
  else requireShape(op, 'positions', meta, [1, length], '[1, T]')
}

/** cos and sin of position · frequency · direction, times scale: [B|1, T, 1, R/2]. */
const rotation = (x: Tensor, frequencies: Tensor, positions: Tensor | undefined, attrs: Attrs, direction: 1 | -1): { cosine: Tensor; sine: Tensor } => {
  const { dtype } = x
  const length = x.shape[1]!
  const half = frequencies.shape[0]!
  const rows = positions === undefined ? shifted(iota(x.backend, length, { dtype }), numberOf(attrs, 'offset')) : cast(positions, dtype)
  const angles = mul(reshape(rows, [positions?.shape[0] ?? 1, length, 1, 1]), reshape(cast(frequencies, dtype), [1, 1, 1, half]))
  const scale = numberOf(attrs, 'scale')
  return { cosine: scaled(cos(angles), scale), sine: scaled(sin(angles), scale * direction) }
}

/** x [B, T, H, Dh] in the dtype of sums, turned. */
const rotate = (x: Tensor, { cosine, sine }: { cosine: Tensor; sine: Tensor }): Tensor => {
  const [batch, length, heads, size] = x.shape as [number, number, number, number]
  const half = cosine.shape[3]!
  const part = (start: number, width: number): Tensor => slice(x, [0, 0, 0, start], [batch, length, heads, width])
  const [first, second] = [part(0, half), part(half, half)]
  const turned = [
    sub(mul(first, cosine), mul(second, sine)),
    add(mul(second, cosine), mul(first, sine)),
  ]
  return concat(2 * half === size ? turned : [...turned, part(2 * half, size - 2 * half)], 3)
}

/** The opposite turn; attributes `offset`, `scale`. */
export const ropeBackwardOp = defineOp({
  name: 'ropeBackward',
  inputs: ['frequencies', 'positions?', 'gradient'],
  infer: ([, , gradient]) => [{ shape: metaOf(gradient).shape, dtype: metaOf(gradient).dtype }],
  decompose: ({ inputs, attrs }) => {
    const [frequencies, positions, gradient] = inputs as readonly [Tensor, Tensor | undefined, Tensor]
    const g = widened(gradient)
    return [cast(rotate(g, rotation(g, frequencies, positions, attrs, -1)), gradient.dtype)]
  },
})

/** Attributes `offset` (0 where there are positions), `scale`. */
export const ropeOp = defineOp({
  name: 'rope',
  inputs: ['x', 'frequencies', 'positions?'],
  infer: ([x, frequencies, positions]) => {
    const { shape, dtype } = metaOf(x)
    requireFloat('rope', 'x', metaOf(x))
    requireRank('rope', 'x', metaOf(x), 4, '[B, T, H, Dh]')
    checkRotation('rope', shape[0]!, shape[1]!, shape[3]!, frequencies, positions)
    return [{ shape, dtype }]
  },
  decompose: ({ inputs, attrs }) => {
    const [x, frequencies, positions] = inputs as readonly [Tensor, Tensor, Tensor | undefined]
    const wide = widened(x)
    return [cast(rotate(wide, rotation(wide, frequencies, positions, attrs, 1)), x.dtype)]
  },
  saves: { inputs: ['frequencies', 'positions'] },
  vjp: ({ saved: { frequencies, positions }, gradients: [g], attrs }) => [execOne(ropeBackwardOp, [frequencies, positions, g!], attrs)],
})

const heads = (attrs: Attrs): { query: number; key: number } => ({ query: numberOf(attrs, 'numHeads'), key: numberOf(attrs, 'numKvHeads') })

/** Attributes as those of qkvRope. */
export const qkvRopeBackwardOp = defineOp({
  name: 'qkvRopeBackward',
  inputs: ['frequencies', 'positions?', 'qGradient', 'kGradient', 'vGradient'],
  infer: ([, , q, k]) => {
    const [batch, length, query, size] = metaOf(q).shape as [number, number, number, number]
    return [{ shape: [batch, length, (query + 2 * metaOf(k).shape[2]!) * size], dtype: metaOf(q).dtype }]
  },
  decompose: ({ inputs, attrs, outputs: [output] }) => {
    const [frequencies, positions, q, k, v] = inputs as readonly [Tensor, Tensor | undefined, Tensor, Tensor, Tensor]
    const turned = widened(concat([q, k], 2))
    const back = rotate(turned, rotation(turned, frequencies, positions, attrs, -1))
    return [reshape(concat([cast(back, output!.dtype), v], 2), output!.shape)]
  },
})

/** Attributes `numHeads`, `numKvHeads`, `offset`, `scale`. */
export const qkvRopeOp = defineOp({
  name: 'qkvRope',
  inputs: ['qkv', 'frequencies', 'positions?'],
  outputs: ['q', 'k', 'v'],
  infer: ([qkv, frequencies, positions], attrs) => {
    const { shape, dtype } = metaOf(qkv)
    requireFloat('qkvRope', 'qkv', metaOf(qkv))
    requireRank('qkvRope', 'qkv', metaOf(qkv), 3, '[B, T, (H + 2 K) · Dh]')
    const [batch, length, width] = shape as [number, number, number]
    const { query, key } = heads(attrs)
    const size = width / (query + 2 * key)
    if (!Number.isInteger(size)) throw new ShapeError(`qkvRope: ${query} query and ${key} key and value heads do not divide the last axis of ${formatShape(shape)}`)
    checkRotation('qkvRope', batch, length, size, frequencies, positions)
    return [query, key, key].map((count) => ({ shape: [batch, length, count, size], dtype }))
  },
  decompose: ({ inputs, attrs, outputs }) => {
    const [qkv, frequencies, positions] = inputs as readonly [Tensor, Tensor, Tensor | undefined]
    const { query, key } = heads(attrs)
    const [batch, length, , size] = outputs[0]!.shape as [number, number, number, number]
    const wide = reshape(qkv, [batch, length, query + 2 * key, size])
    const part = (x: Tensor, start: number, count: number): Tensor => slice(x, [0, 0, start, 0], [batch, length, count, size])
    const turning = inSteps(part(wide, 0, query + key), widened)
    const turned = inSteps(turning, (x) => rotate(x, rotation(x, frequencies, positions, attrs, 1)), (x) => cast(x, qkv.dtype))
    return [part(turned, 0, query), part(turned, query, key), part(wide, query + key, key)]
  },
  saves: { inputs: ['frequencies', 'positions'] },
  vjp: ({ saved: { frequencies, positions }, gradients, attrs, inputMetas: [qkv] }) => {
    const some = gradients.find((g) => g !== undefined)!
    const { query, key } = heads(attrs)
    const [batch, length, width] = metaOf(qkv).shape as [number, number, number]
    const all = [query, key, key].map((count, i) => gradients[i] ?? full(some.backend, [batch, length, count, width / (query + 2 * key)], 0, { dtype: some.dtype }))
    return [execOne(qkvRopeBackwardOp, [frequencies, positions, ...all], attrs)]
  },
})

const ropeAttrs = (op: string, options: RopeOptions): Attrs => {
  const { offset = 0, scale = 1 } = options
  if (!Number.isInteger(offset)) throw new ConfigError(`${op}: expected a whole offset, got ${offset}`)
  if (options.positions !== undefined && offset !== 0) throw new ConfigError(`${op}: give positions or an offset, not both`)
  return attributes({ offset, scale })
}

/**
 * Turns the first R dimensions of each head by position · frequency.
 *
 * @param x [B, T, H, Dh]
 * @param frequencies f32 [R/2], inverse frequencies: theta^(−2i/R), already adapted where the model stretches its context
 */
export const rope = (x: Tensor, frequencies: Tensor, options: RopeOptions = {}): Tensor =>
  execOne(ropeOp, [x, frequencies, options.positions], ropeAttrs('rope', options))

/**
 * Splits a joint projection into heads and turns queries and keys.
 *
 * @param qkv [B, T, (H + 2 K) · Dh]: query heads, then key heads, then value heads
 * @returns q [B, T, H, Dh], k and v [B, T, K, Dh]
 */
export const qkvRope = (
  qkv: Tensor,
  frequencies: Tensor,
  options: RopeOptions & { readonly numHeads: number; readonly numKvHeads: number },
): { q: Tensor; k: Tensor; v: Tensor } => {
  const { numHeads, numKvHeads } = options
  const [q, k, v] = exec(qkvRopeOp, [qkv, frequencies, options.positions], { ...ropeAttrs('qkvRope', options), numHeads, numKvHeads })
  return { q: q!, k: k!, v: v! }
}
