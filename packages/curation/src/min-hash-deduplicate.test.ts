import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMinHashSigner, minHashParameters } from './min-hash-signature.ts'
import { curate } from './curate.ts'
import { minHashDeduplicate } from './min-hash-deduplicate.ts'
import { createUnionFind } from './union-find.ts'

const prime = (1n << 61n) - 1n

test('a signature is the minimum of (a·x + b mod 2^64) mod 2^61 − 1', () => {
  const signer = createMinHashSigner({ ngramSize: 1, numHashes: 16, seed: 5, hash: 'xxhash64' })
  const { a, b } = minHashParameters(5, 16)
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1, unit: fc.constantFrom(...'abcdefg') }), { minLength: 1, maxLength: 30 }), (words) => {
      const shingles = signer.shingles(words)
      const expected = a.map((multiplier, j) => shingles.map((x) => ((multiplier * x + b[j]!) & ((1n << 64n) - 1n)) % prime).reduce((min, value) => (value < min ? value : min)))
      const halves = signer.sign(words)!
      expect(expected.map((_, j) => (BigInt(halves[2 * j + 1]!) << 32n) | BigInt(halves[2 * j]!))).toEqual(expected)
    }),
  )
})

test('the published values for a sentence', () => {
  const words = 'the quick brown fox jumps over the lazy dog near the old stone bridge'.split(' ')
  const signer = createMinHashSigner({ ngramSize: 5, numHashes: 112, seed: 1, hash: 'sha1-64' })
  expect(signer.shingles(words)[0]).toBe(12313522834835307089n)
  const halves = signer.sign(words)!
  const value = (j: number): bigint => (BigInt(halves[2 * j + 1]!) << 32n) | BigInt(halves[2 * j]!)
  expect([value(0), value(1), value(111)]).toEqual([197166454002902972n, 284080765670708113n, 459059667290475394n])
})

/** A word of letters alone: numbers would all be 0 in the compared form. */
const wordFor = (number: number): string => [...String(number)].map((digit) => 'abcdefghij'[Number(digit)]).join('')
const prose = (seed: number, length: number): string => Array.from({ length }, (_, i) => wordFor((i * 7919 + seed * 104729) % 1009)).join(' ')

test('copies go, others and short texts stay, unusual ids survive', async () => {
  const text = prose(1, 200)
  const documents = [
    { id: 'ä\ud800', text },
    { id: 'other', text: prose(2, 200) },
    { id: 'copy', text: `${text.toUpperCase()}!` },
    { id: 'short', text: 'four words are short' },
    { id: 'short again', text: 'four words are short' },
    { id: 'empty', text: '' },
  ]
  const seen: unknown[] = []
  for await (const { document, decision } of curate({ documents, steps: [minHashDeduplicate()] })) seen.push(decision.kept ? document.id : decision)
  expect(seen).toEqual([
    'ä\ud800',
    'other',
    { kept: false, step: 'minHashDeduplicate', edits: [], rule: 'minhash_duplicate', value: 1, threshold: (1 / 14) ** (1 / 8), match: { documentId: 'ä\ud800', similarity: 1 } },
    'short',
    'short again',
    'empty',
  ])
})

test('nothing is a duplicate of nothing', async () => {
  const found: unknown[] = []
  for await (const item of curate({ documents: [], steps: [minHashDeduplicate()] })) found.push(item)
  expect(found).toEqual([])
})

test('settings are checked', () => {
  expect(() => minHashDeduplicate({ numBuckets: 0 })).toThrow('minHashDeduplicate: numBuckets: expected an integer from 1 to 1000, got 0')
  expect(() => minHashDeduplicate({ hash: 'md5' as 'sha1-64' })).toThrow(/expected "xxhash64" or "sha1-64", got "md5"/)
  expect(() => minHashDeduplicate({ bucket: 3 } as object)).toThrow(/unknown option bucket/)
})

test('sets: the larger root stays, of equal ones the left', () => {
  const sets = createUnionFind(6)
  sets.union(3, 2)
  sets.union(0, 1)
  sets.union(4, 3)
  expect([0, 1, 2, 3, 4, 5].map((item) => sets.find(item))).toEqual([0, 0, 3, 3, 3, 5])
  sets.union(0, 2)
  expect(sets.find(1)).toBe(3)
  expect(sets.size(3)).toBe(5)
})
