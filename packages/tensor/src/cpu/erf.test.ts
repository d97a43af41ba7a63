import { expect, test } from 'vitest'
import { erf } from './erf.ts'

// Python's math.erf.
const expected: readonly (readonly [number, number])[] = [
  [0, 0], [1e-12, 1.1283791670955126e-12], [0.001, 0.0011283787909692365], [0.03, 0.03384122234173543], [0.1, 0.1124629160182849], [0.25, 0.2763263901682369],
  [0.5, 0.5204998778130465], [0.77, 0.7238216139648593], [1, 0.8427007929497149], [1.3, 0.9340079449406524], [1.75, 0.9866716712191824], [2, 0.9953222650189527],
  [2.5, 0.999593047982555], [3, 0.9999779095030014], [3.7, 0.9999998328489421], [4.5, 0.9999999998033839], [5.5, 0.9999999999999927], [5.99, 1], [6.5, 1],
  [-0.3, -0.3286267594591274], [-1.1, -0.8802050695740817], [-4, -0.9999999845827421],
]

test('equals the platform’s erf to a few units in the last place', () => {
  for (const [x, y] of expected) expect(Math.abs(erf(x) - y)).toBeLessThanOrEqual(1e-15 * Math.abs(y))
})

test('infinities, NaN and the sign of zero', () => {
  expect([erf(Infinity), erf(-Infinity), erf(NaN), erf(-0)]).toEqual([1, -1, NaN, -0])
})
