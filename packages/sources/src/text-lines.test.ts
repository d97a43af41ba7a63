import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesSource, type ByteInput } from './byte-source.ts'
import type { Skipped } from './skipped.ts'
import { textLines, type LineOptions, type TextLine } from './text-lines.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const inChunks = (bytes: Uint8Array, size: number): ByteInput => ({
  name: 'stream',
  async *[Symbol.asyncIterator]() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  },
})
const read = async (input: ByteInput, options?: LineOptions): Promise<TextLine[]> => {
  const lines: TextLine[] = []
  for await (const line of textLines(input, options)) lines.push(line)
  return lines
}

test('the lines of any text, whatever the chunks', async () => {
  const text = fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('\n', '\r\n', '\r', '', 'é', '𝄞'))).map((parts) => parts.join(''))
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 40 }), async (content, size) => {
      const expected = content.replace(/^\ufeff/, '').split('\n')
      if (expected.at(-1) === '') expected.pop()
      const lines = await read(inChunks(bytesOf(content), size))
      expect(lines.map((line) => line.text)).toEqual(expected.map((line) => line.replace(/\r$/, '')))
    }),
  )
})

test('lines know their number and their byte', async () => {
  const lines = await read(bytesSource('x', bytesOf('é\r\n\nlast')))
  expect(lines).toEqual([
    { text: 'é', line: 1, byteOffset: 0 },
    { text: '', line: 2, byteOffset: 4 },
    { text: 'last', line: 3, byteOffset: 5 },
  ])
})

test('a byte order mark is dropped at the start only', async () => {
  expect((await read(inChunks(bytesOf('\ufeffa\n\ufeffb'), 1))).map((line) => line.text)).toEqual(['a', '\ufeffb'])
})

test('a line that is no UTF-8 or too long costs itself only, and is reported', async () => {
  const content = Buffer.concat([bytesOf('one\n'), Buffer.from([0xff, 0xfe, 0x0a]), bytesOf('a line too long for us\nlast\nand this one too long')])
  const skipped: Skipped[] = []
  const lines = await read(inChunks(content, 7), { maxLineBytes: 10, onSkipped: (s) => skipped.push(s) })
  expect(lines.map((line) => [line.line, line.text])).toEqual([[1, 'one'], [4, 'last']])
  expect(skipped).toEqual([
    { kind: 'invalidUtf8', source: 'stream', line: 2, byteOffset: 4, reason: 'expected UTF-8, got other bytes' },
    { kind: 'lineTooLong', source: 'stream', line: 3, byteOffset: 7, reason: 'expected a line of at most 10 bytes, got 22' },
    { kind: 'lineTooLong', source: 'stream', line: 5, byteOffset: 35, reason: 'expected a line of at most 10 bytes, got 21' },
  ])
})

test('without onSkipped it is an error with line and byte', async () => {
  await expect(read(bytesSource('a.txt', Uint8Array.of(0x61, 0x0a, 0xc0)))).rejects.toThrow(/^a\.txt, line 2, byte 2: expected UTF-8/)
})

test('a line of 100 MB is passed over without being held', async () => {
  const piece = new Uint8Array(2 ** 20).fill(0x61)
  const input: ByteInput = {
    name: 'long',
    async *[Symbol.asyncIterator]() {
      yield bytesOf('before\n')
      for (let i = 0; i < 100; i++) yield piece
      yield bytesOf('\nafter')
    },
  }
  const skipped: Skipped[] = []
  expect((await read(input, { onSkipped: (s) => skipped.push(s) })).map((line) => line.text)).toEqual(['before', 'after'])
  expect(skipped).toMatchObject([{ kind: 'lineTooLong', line: 2, reason: expect.stringContaining(String(100 * 2 ** 20)) }])
})

test('an abort rejects with its reason', async () => {
  await expect(read(bytesSource('x', bytesOf('a')), { signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
})
