import { expect, test } from 'vitest'
import { sizes } from './context.ts'
import { planOf } from './fit-to-machine.ts'

const { full } = sizes
/** (1500 + 2 · 120 + 1.5 · 500) steps in 360 s. */
const wholeSpeed = 2490 / 360

test.each([
  [wholeSpeed * 10, 1],
  [wholeSpeed * 1.001, 1],
  [wholeSpeed * 0.99, 0.75],
  [wholeSpeed * 0.51, 0.5],
  [wholeSpeed * 0.001, 0.15],
])('at %d steps/s the part is %d', (stepsPerSecond, part) => {
  expect(planOf(full, stepsPerSecond).part).toBe(part)
})
