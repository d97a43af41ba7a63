import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { broadcastStrides, mergeBroadcast, mergePermutation, stridesOf } from './axes.ts'

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** Where element i of a row-major array of `shape` lies when it is walked with `strides`. */
const placesOf = (shape: readonly number[], strides: readonly number[]): number[] =>
  Array.from({ length: sizeOf(shape) }, (_, i) => {
    const own = stridesOf(shape)
    return shape.reduce((at, size, axis) => at + (Math.floor(i / own[axis]!) % size) * strides[axis]!, 0)
  })

describe('mergeBroadcast', () => {
  it('joins axes that all operands have, and drops those of size 1', () => {
    expect(mergeBroadcast([[8, 1, 4, 5], [8, 3, 4, 5]], [8, 3, 4, 5])).toEqual({ shapes: [[8, 1, 20], [8, 3, 20]], out: [8, 3, 20] })
    expect(mergeBroadcast([[6, 7], [6, 7]], [6, 7])).toEqual({ shapes: [[42], [42]], out: [42] })
    expect(mergeBroadcast([[7], []], [7])).toEqual({ shapes: [[7], [1]], out: [7] })
  })

  it('walks the same elements in the same order', () => {
    const axis = fc.record({ size: fc.integer({ min: 1, max: 3 }), wide: fc.boolean() })
    fc.assert(
      fc.property(fc.array(axis, { maxLength: 6 }), fc.nat(6), (axes, dropped) => {
        const out = axes.map(({ size }) => size)
        const narrow = axes.map(({ size, wide }) => (wide ? size : 1))
        const lead = Math.min(dropped, narrow.findIndex((size) => size !== 1) < 0 ? narrow.length : narrow.findIndex((size) => size !== 1))
        const from = narrow.slice(lead)
        const merged = mergeBroadcast([from], out)
        expect(placesOf(merged.out, broadcastStrides(merged.shapes[0]!, merged.out))).toEqual(placesOf(out, broadcastStrides(from, out)))
      }),
    )
  })
})

describe('mergePermutation', () => {
  it('is empty where nothing moves', () => {
    expect(mergePermutation([2, 1, 3], [1, 0, 2]).axes).toEqual([])
    expect(mergePermutation([12, 64, 4, 32], [0, 2, 1, 3])).toEqual({ shape: [12, 64, 4, 32], axes: [0, 2, 1, 3] })
    expect(mergePermutation([2, 3, 4, 5], [2, 3, 0, 1])).toEqual({ shape: [6, 20], axes: [1, 0] })
  })

  it('walks the same elements in the same order', () => {
    const permuted = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 6 }).chain((shape) => fc.shuffledSubarray(shape.map((_, i) => i), { minLength: shape.length }).map((axes) => ({ shape, axes })))
    const walk = (shape: readonly number[], axes: readonly number[]): number[] => {
      const strides = stridesOf(shape)
      return placesOf(axes.map((axis) => shape[axis]!), axes.map((axis) => strides[axis]!))
    }
    fc.assert(
      fc.property(permuted, ({ shape, axes }) => {
        const merged = mergePermutation(shape, axes)
        const unmoved = merged.shape.map((_, i) => i)
        expect(walk(merged.shape, merged.axes.length === 0 ? unmoved : merged.axes)).toEqual(walk(shape, axes))
      }),
    )
  })
})
