// Dropout by key: the mask is drawn again in the backward pass, never stored.
import type { Attrs } from '../backend.ts'
import { ConfigError } from '@weft/contracts'
import { randomBitsOp } from '../create.ts'
import { exec, execOne } from '../exec.ts'
import { defineOp, type OpDefinition } from '../op-definition.ts'
import { cast, lessThan, mul, reshape, scalarLike } from '../primitives.ts'
import { keyWords, type RandomKey } from '../random-key.ts'
import type { Tensor } from '../tensor.ts'
import { metaOf, numberOf, numbersOf, requireFloat } from './checks.ts'
import { scaled } from './scratch.ts'

const masked = (x: Tensor, attrs: Attrs): Tensor => {
  const rate = numberOf(attrs, 'rate')
  const bits = exec(randomBitsOp, [], { key: numbersOf(attrs, 'key'), shape: x.shape }, x.backend)[0]!
  const isKept = lessThan(scalarLike(bits, Math.round(rate * 2 ** 24) - 1), bits)
  return mul(x, scaled(cast(isKept, x.dtype), 1 / (1 - rate)))
}

/** Attributes `rate`, `key` (the two words of Philox): element i is kept where randomBits[i] ≥ round(rate · 2^24). */
export const dropoutOp: OpDefinition = defineOp({
  name: 'dropout',
  inputs: ['x'],
  infer: ([x]) => {
    requireFloat('dropout', 'x', metaOf(x))
    return [{ shape: metaOf(x).shape, dtype: metaOf(x).dtype }]
  },
  decompose: ({ inputs, attrs }) => [masked(inputs[0] as Tensor, attrs)],
  saves: {},
  vjp: ({ gradients: [g], attrs }) => [execOne(dropoutOp, [g!], attrs)],
})

/** Zeroes each element with probability `rate` and scales the others by 1 / (1 − rate); the same key gives the same mask. */
export const dropout = (x: Tensor, options: { readonly rate: number; readonly key: RandomKey }): Tensor => {
  const { rate, key } = options
  if (!(rate >= 0 && rate < 1)) throw new ConfigError(`dropout: expected rate in [0, 1), got ${rate}`)
  return rate === 0 ? reshape(x, x.shape) : execOne(dropoutOp, [x], { rate, key: keyWords(key) })
}
