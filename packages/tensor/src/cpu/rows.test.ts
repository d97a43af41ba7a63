import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sizeOf, stridesOf } from '../shape.ts'
import { broadcastStrides, forEachRow } from './rows.ts'

test('every element is visited once, in order, with the right place in a broadcast array', () => {
  const axis = fc.record({ size: fc.integer({ min: 0, max: 4 }), isBroadcast: fc.boolean() })
  fc.assert(fc.property(fc.array(axis, { maxLength: 5 }), fc.integer({ min: 0, max: 5 }), (axes, missing) => {
    const shape = axes.map(({ size }) => size)
    const from = axes.map(({ size, isBroadcast }) => (isBroadcast ? 1 : size)).slice(Math.min(missing, axes.length))
    const visited: [number, number][] = []
    forEachRow(shape, [stridesOf(shape), broadcastStrides(from, shape)], ([o, i], length, [stepOut, stepIn]) => {
      for (let k = 0; k < length; k++) visited.push([o! + k * stepOut!, i! + k * stepIn!])
    })
    const expected = Array.from({ length: sizeOf(shape) }, (_, o): [number, number] => {
      const strides = stridesOf(from)
      const whole = stridesOf(shape)
      return [o, from.reduce((sum, size, k) => {
        const at = k + shape.length - from.length
        return sum + (size === 1 ? 0 : (Math.floor(o / whole[at]!) % shape[at]!) * strides[k]!)
      }, 0)]
    })
    expect(visited).toEqual(expected)
  }))
})
