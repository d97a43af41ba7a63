import { array, assert, constant, double, oneof, property } from 'fast-check'
import { expect, test } from 'vitest'
import { drawnPoints, isDrawable, thin } from './series-points.ts'

test('thinning keeps order, ends and extremes, and stays near its limit', () => {
  const value = oneof(
    { weight: 20, arbitrary: double({ noNaN: true, min: -1e6, max: 1e6 }) },
    { weight: 1, arbitrary: constant(Number.NaN) },
  )
  assert(
    property(array(value, { minLength: 1, maxLength: 300 }), (values) => {
      const points = drawnPoints({ name: 's', points: values.map((y, x) => ({ x, y })) }, 0)
      const kept = thin(points, 40)
      expect(kept.map((point) => point.x)).toEqual(kept.map((point) => point.x as number).sort((a, b) => a - b))
      expect(kept[0]).toEqual(points[0])
      expect(kept.at(-1)).toEqual(points.at(-1))
      const range = (some: typeof points) =>
        some.filter(isDrawable).reduce(([a, b], { y }) => [Math.min(a!, y), Math.max(b!, y)], [Infinity, -Infinity])
      expect(range(kept)).toEqual(range(points))
      const gaps = values.filter((y, x) => Number.isNaN(y) && !Number.isNaN(values[x - 1])).length
      expect(kept.length).toBeLessThanOrEqual(42 + 2 * gaps + 2)
    }),
  )
})

test('a line within the limit passes unchanged', () => {
  const points = drawnPoints(
    {
      name: 's',
      points: [
        { x: 'a', y: 1 },
        { x: 'b', y: Number.NaN },
      ],
    },
    0,
  )
  expect(thin(points)).toEqual(points)
})
