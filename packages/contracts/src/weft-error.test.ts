import { expect, test } from 'vitest'
import { ConfigError, FormatError, isWeftError } from './weft-error.ts'

test('a format error begins with the place', () => {
  const error = new FormatError('expected a number', { source: 'a.json', line: 3, path: 'model.vocab' })
  expect(error.message).toBe('a.json, line 3, model.vocab: expected a number')
  expect(error.place.line).toBe(3)
})

test('kinds are told apart without instanceof', () => {
  expect(isWeftError(new ConfigError('x'), 'config')).toBe(true)
  expect(isWeftError(new ConfigError('x'), 'format')).toBe(false)
  expect(isWeftError(new Error('x'))).toBe(false)
})
