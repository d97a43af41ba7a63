import { afterEach, expect, test } from 'vitest'
import { createCpuBackend } from './cpu.ts'
import { disposeAll, keep, memory, ones, tidy } from './index.ts'
import { add, exp } from './primitives.ts'

const backend = createCpuBackend()
afterEach(() => expect(memory(backend).buffers).toBe(0))
const one = () => ones(backend, [2])

test('tidy keeps what it returns, however it is wrapped, and frees the rest', () => {
  const shapes = tidy(() => {
    exp(one())
    return { a: one(), list: [one(), { deep: one() }], map: new Map([['x', one()]]), set: new Set([one()]), text: 'x', nothing: null }
  })
  expect(memory(backend).buffers).toBe(5)
  disposeAll(shapes)
})

test('an inner tidy hands its result to the outer one', () => {
  const x = tidy(() => {
    const inner = tidy(() => exp(one()))
    expect(memory(backend).buffers).toBe(1)
    return add(inner, inner)
  })
  expect(memory(backend).buffers).toBe(1)
  x.dispose()
})

test('a throw frees everything, and the outer tidy stays open', () => {
  tidy(() => {
    expect(() => tidy(() => {
      one()
      throw new Error('stop')
    })).toThrow('stop')
    expect(memory(backend).buffers).toBe(0)
    one()
  })
})

test('a promise is refused, and its own failure is not an unhandled one', () => {
  expect(() => tidy(async () => {
    one()
    throw new Error('later')
  })).toThrow(/returned a promise/)
})

test('keep takes a tensor out of every tidy', () => {
  const kept = tidy(() => {
    const x = keep(one())
    return { hidden: () => x }
  })
  expect(kept.hidden().isDisposed).toBe(false)
  kept.hidden().dispose()
})

test('a value that contains itself is searched once', () => {
  const loop = tidy(() => {
    const value: { x: unknown; self?: unknown } = { x: one() }
    value.self = value
    return value
  })
  expect(memory(backend).buffers).toBe(1)
  disposeAll(loop)
})

test('a tensor from outside survives a tidy that returns it', () => {
  const x = one()
  expect(tidy(() => x)).toBe(x)
  expect(x.isDisposed).toBe(false)
  x.dispose()
})
