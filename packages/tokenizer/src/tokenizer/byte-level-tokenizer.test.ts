import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { trainedJson } from '../../test/fixtures.ts'
import { tokenizerFromJson } from '../formats/tokenizer-json.ts'
import { wellFormed } from '../text/well-formed.ts'

const anyText = fc.oneof(
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 40 }), // lone surrogates too
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.array(fc.constantFrom('the ', 'king', '\n\n', "'ll", '<|endoftext|>', '  ', '😀', '\u0301', '\ufeff'), { maxLength: 20 }).map((parts) => parts.join('')),
)

describe.each(['gpt2', 'cl100k'] as const)('with the pattern %s', (name) => {
  const tokenizer = tokenizerFromJson(trainedJson(name))

  test('decode(encode(text)) is the text, lone surrogates as U+FFFD', () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), (text, allowSpecial) => {
        expect(tokenizer.decode(tokenizer.encode(text, { allowSpecial }))).toBe(wellFormed(text))
      }),
      { numRuns: 2000 },
    )
  })

  test('the bytes of the tokens are the bytes of the text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const bytes = [...tokenizer.encode(text)].flatMap((id) => [...tokenizer.tokenBytes(id)])
        expect(bytes).toEqual([...new TextEncoder().encode(text)])
      }),
    )
  })

  test('what was encoded before changes nothing', () => {
    const fresh = () => tokenizerFromJson(trainedJson(name))
    const used = fresh()
    const texts = Array.from({ length: 300 }, (_, i) => `word${i * 7919} ${'x'.repeat(i)} κόσμε ${i}`)
    for (const text of texts) used.encode(text)
    for (const text of texts.slice(-5)) expect(used.encode(text)).toEqual(fresh().encode(text))
  })
})

const tokenizer = tokenizerFromJson(trainedJson())

test('more distinct pieces than are remembered', () => {
  const text = Array.from({ length: 150_000 }, (_, i) => i.toString(36)).join(' ')
  expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
  expect(tokenizer.encode('1kq 2d3 zz')).toEqual(tokenizerFromJson(trainedJson()).encode('1kq 2d3 zz'))
})

test('a text beyond the kept buffers', () => {
  const text = 'To be, or not to be: κόσμε 😀 '.repeat(40_000)
  expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
})

describe('special tokens', () => {
  const json = trainedJson()
  json.added_tokens.push({ id: 1000, content: '<|user|>', special: true }, { id: 1001, content: '<|user', special: true }, { id: 1002, content: 'plain', special: false })
  const chat = tokenizerFromJson(json)
  const has = (ids: Uint32Array, ...wanted: number[]) => wanted.map((id) => ids.includes(id))

  test('are found where they are allowed; other added tokens always', () => {
    const text = '<|user|>plain<|endoftext|>'
    expect([...chat.encode(text)]).toEqual([1000, 1002, 0])
    expect(has(chat.encode(text, { allowSpecial: false }), 1000, 1002, 0)).toEqual([false, true, false])
    expect(has(chat.encode(text, { allowSpecial: ['<|endoftext|>'] }), 1000, 1002, 0)).toEqual([false, true, true])
    expect(chat.decode(chat.encode(text, { allowSpecial: [] }))).toBe(text)
  })

  test('the longest goes first', () => {
    expect([...chat.encode('<|user|><|user')]).toEqual([1000, 1001])
  })

  test('are known, and left out of the decoded text on demand', () => {
    expect(chat.specialTokens).toEqual(new Map([['<|endoftext|>', 0], ['<|user|>', 1000], ['<|user', 1001]]))
    expect(chat.vocabSize).toBe(1003)
    expect(chat.decode(chat.encode('<|user|>Hello plain<|endoftext|>'), { skipSpecialTokens: true })).toBe('Hello plain')
    expect(new TextDecoder().decode(chat.tokenBytes(1000))).toBe('<|user|>')
  })
})

test('ids outside of the vocabulary are named', () => {
  for (const id of [1000, -1, 0.5, Number.NaN]) {
    expect(() => tokenizer.decode([1, id])).toThrow(expect.objectContaining({ kind: 'config', message: `token id: expected an integer from 0 to 999, got ${id}` }))
    expect(() => tokenizer.tokenBytes(id)).toThrow(/token id/)
  }
})

test('an id that no token has adds nothing', () => {
  const json = trainedJson()
  json.added_tokens.push({ id: 1005, content: '<far>', special: true })
  const holey = tokenizerFromJson(json)
  expect(holey.vocabSize).toBe(1006)
  expect(holey.decode([1005, 1002, 1005])).toBe('<far><far>')
  expect(holey.tokenBytes(1002)).toEqual(new Uint8Array(0))
})

test('decode takes any iterable, and invalid bytes as the platform does', () => {
  const ids = tokenizer.encode('κ')
  expect(tokenizer.decode(new Set(ids))).toBe('κ')
  expect(tokenizer.decode([...ids].slice(0, 1))).toBe('\ufffd')
})
