import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findDuplicateKey } from './duplicate-keys.ts'

test('finds a key stated twice, at any depth, also when spelled differently', () => {
  expect(findDuplicateKey('{"a":1,"b":{"c":1,"d":[{"x":1},{"x":2}],"\\u0063":2}}')).toBe('b.c')
  expect(findDuplicateKey('{"a":[{"x":1,"x":2}]}')).toBe('a.[].x')
})

test('strings that look like keys or braces are none', () => {
  expect(findDuplicateKey('{"a":"a","b":["a","a"],"c":"{\\"a\\":","d":"\\\\"}')).toBeUndefined()
})

test('whatever JSON.stringify writes has no duplicate', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(findDuplicateKey(text)).toBeUndefined()
    }),
  )
})

test('a string of a megabyte is no trouble', () => {
  expect(findDuplicateKey(`{"a":"${'x\\"'.repeat(500_000)}","a":1}`)).toBe('a')
})
