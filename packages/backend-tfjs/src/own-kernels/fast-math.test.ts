import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fastErf, fastExp, fastSigmoid, fastTanh } from './fast-math.ts'

const relativeError = (value: number, expected: number): number => (value === expected ? 0 : Math.abs(value - expected) / Math.abs(expected))
const inRange = (low: number, high: number) => fc.double({ min: low, max: high, noNaN: true })

describe('fast functions', () => {
  it('exp is within 6e-9 of Math.exp', () => {
    fc.assert(fc.property(inRange(-104, 89), (x) => relativeError(fastExp(x), Math.exp(x)) < 6e-9))
  })
  it('exp ends as f32 does', () => {
    expect([-Infinity, -200, 0, 200, Infinity].map((x) => Math.fround(fastExp(x)))).toEqual([0, 0, 1, Infinity, Infinity])
    expect(fastExp(NaN)).toBeNaN()
  })
  it('tanh is within 2e-7 of Math.tanh, near 0 too', () => {
    fc.assert(fc.property(fc.oneof(inRange(-20, 20), inRange(-0.2, 0.2), inRange(-1e-6, 1e-6)), (x) => relativeError(fastTanh(x), Math.tanh(x)) < 2e-7))
    expect([-Infinity, -500, 500, Infinity].map(fastTanh)).toEqual([-1, -1, 1, 1])
    expect(fastTanh(NaN)).toBeNaN()
  })
  it('sigmoid has no lower end above 0 within f32', () => {
    expect(fastSigmoid(-100)).toBeCloseTo(3.72e-44, 46)
    expect([-Infinity, Infinity].map((x) => Math.fround(fastSigmoid(x)))).toEqual([0, 1])
  })
  // Abramowitz and Stegun, table 7.1, and the asymptotic value 2x/√π near 0.
  it.each([[0.001, 0.0011283787909692363], [0.02, 0.0225645746918449], [0.5, 0.5204998778130465], [1, 0.8427007929497149], [2, 0.9953222650189527], [3, 0.9999779095030014], [4, 0.9999999845827421]])('erf(%d)', (x, expected) => {
    expect(relativeError(fastErf(x), expected)).toBeLessThan(1e-9)
    expect(fastErf(-x)).toBe(-fastErf(x))
  })
  it('erf has the slope 2/√π exp(−x²) across grid points', () => {
    fc.assert(
      fc.property(inRange(-4, 4), (x) => {
        const slope = (fastErf(x + 1e-4) - fastErf(x - 1e-4)) / 2e-4
        return Math.abs(slope - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x)) < 2e-6
      }),
    )
    expect([-Infinity, -5, 5, Infinity].map(fastErf)).toEqual([-1, -1, 1, 1])
    expect(fastErf(NaN)).toBeNaN()
  })
})
