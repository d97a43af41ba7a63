import type { TextDocument } from '@weft/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesSource, type ByteInput } from './byte-source.ts'
import { plainText, type PlainTextOptions } from './plain-text.ts'
import type { Skipped } from './skipped.ts'

const source = (text: string | Uint8Array) => bytesSource('a.txt', typeof text === 'string' ? new TextEncoder().encode(text) : text)
const read = async (input: ByteInput, options?: PlainTextOptions): Promise<TextDocument[]> => {
  const documents: TextDocument[] = []
  for await (const document of plainText(input, options)) documents.push(document)
  return documents
}

test('a file is a document, line ends are LF, a byte order mark is gone', async () => {
  expect(await read(source('\ufeffone\r\ntwo\rthree\n'))).toEqual([{ id: 'a.txt', text: 'one\ntwo\nthree\n', source: 'a.txt' }])
  expect(await read(source('x'), { id: 'sub/a.txt' })).toMatchObject([{ id: 'sub/a.txt', source: 'a.txt' }])
})

test('any text in chunks of any size', async () => {
  const text = fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('\r\n', '\r', '\n', 'é'))).map((parts) => `x${parts.join('').replaceAll('\0', '')}`)
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 9 }), async (content, size) => {
      const bytes = new TextEncoder().encode(content)
      const stream: ByteInput = {
        async *[Symbol.asyncIterator]() {
          for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
        },
      }
      expect((await read(stream, { maxInvalidFraction: 1 }))[0]?.text).toBe(content.replace(/\r\n?/g, '\n'))
    }),
  )
})

test('UTF-16 is told by its byte order mark', async () => {
  const little = new Uint8Array(Uint16Array.from('\ufeffHallo, Übung', (c) => c.charCodeAt(0)).buffer)
  expect((await read(source(little)))[0]?.text).toBe('Hallo, Übung')
  const big = little.slice().map((_, i, all) => all[i ^ 1]!)
  expect((await read(source(big)))[0]?.text).toBe('Hallo, Übung')
})

test('a few broken bytes are replaced and counted', async () => {
  const bytes = Buffer.concat([Buffer.from('x'.repeat(300)), Buffer.from([0xff]), Buffer.from('y')])
  expect(await read(source(bytes))).toEqual([{ id: 'a.txt', text: `${'x'.repeat(300)}\ufffdy`, source: 'a.txt', metadata: { replacedCharacters: 1 } }])
})

test('what is no text is reported, or an error', async () => {
  const latin1 = Buffer.from('Grüße aus Köln, schöne Größe', 'latin1')
  const cases: [Uint8Array | string, string, RegExp][] = [
    [latin1, 'invalidUtf8', /6 characters \(21\.4 %\) are not; convert the file/],
    ['GIF\0\0', 'binary', /NUL/],
    ['', 'empty', /got none/],
    [' \n\t', 'empty', /got none/],
    ['x'.repeat(101), 'tooLarge', /at most 100 bytes.*splitAt/],
  ]
  for (const [content, kind, reason] of cases) {
    const skipped: Skipped[] = []
    expect(await read(source(content), { maxDocumentBytes: 100, onSkipped: (s) => skipped.push(s) })).toEqual([])
    expect(skipped).toEqual([{ kind, source: 'a.txt', reason: expect.stringMatching(reason) }])
    await expect(read(source(content), { maxDocumentBytes: 100 })).rejects.toMatchObject({ kind: 'format', place: { source: 'a.txt' } })
  }
})

test('split: documents one by one, a bad one costs itself only', async () => {
  const start = `${'Good text here. '.repeat(20_000)}` // longer than the first chunk, where NUL would mean a binary file
  const skipped: Skipped[] = []
  const bytes = Buffer.concat([Buffer.from(start), Buffer.from([0, 0]), Buffer.from('. '), Buffer.from('More good text. '.repeat(200))])
  const documents = await read(source(bytes), { splitAt: 'sentence', targetCharacters: 100, onSkipped: (s) => skipped.push(s) })
  expect(skipped).toMatchObject([{ kind: 'binary', reason: expect.stringMatching(/^document a\.txt#\d+: /) }])
  expect(documents.length).toBeGreaterThan(2900)
  expect(documents[0]).toEqual({ id: 'a.txt#1', text: 'Good text here. '.repeat(6).trim(), source: 'a.txt' })
})

test('split: binary and empty files are reported once', async () => {
  for (const [content, kind] of [['\0'.repeat(10_000), 'binary'], [' \n', 'empty']] as const) {
    const skipped: Skipped[] = []
    expect(await read(source(content), { splitAt: 'paragraph', targetCharacters: 10, onSkipped: (s) => skipped.push(s) })).toEqual([])
    expect(skipped.map((s) => s.kind)).toEqual([kind])
  }
})

test('an abort rejects with its reason', async () => {
  await expect(read(source('x'), { signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
})
