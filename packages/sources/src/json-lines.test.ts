import type { Json } from '@weft/contracts'
import { needsShared, readJsonLines } from '@weft/fixtures'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { gzipSync } from 'node:zlib'
import { bytesSource, type ByteInput } from './byte-source.ts'
import { gunzip } from './gunzip.ts'
import { jsonLines } from './json-lines.ts'
import { fileSource } from './node/file-source.ts'
import type { Skipped } from './skipped.ts'
import type { LineOptions } from './text-lines.ts'

const source = (text: string | Uint8Array) => bytesSource('a.jsonl', typeof text === 'string' ? new TextEncoder().encode(text) : text)
const read = async (input: ByteInput, options?: LineOptions) => {
  const all: { value: Json; line: number }[] = []
  for await (const { value, line } of jsonLines(input, options)) all.push({ value, line })
  return all
}

test('what JSON.stringify writes, a line each, comes back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue({ maxDepth: 4 })), async (values) => {
      const text = values.map((value) => JSON.stringify(value)).join('\n')
      expect((await read(source(text))).map(({ value }) => value)).toEqual(values.map((value) => JSON.parse(JSON.stringify(value)) as Json))
    }),
  )
})

test('blank lines are ignored, but counted as lines; CRLF and a byte order mark are no trouble', async () => {
  expect(await read(source('\ufeff{"a":1}\r\n\r\n   \r\n[2]\r\n'))).toEqual([{ value: { a: 1 }, line: 1 }, { value: [2], line: 4 }])
})

test('what is wrong costs its line only, and is reported', async () => {
  const deep = `${'['.repeat(300)}${']'.repeat(300)}`
  const skipped: Skipped[] = []
  const got = await read(source(`{"a":1}\n{"a":\n${deep}\n{"a":2}`), { onSkipped: (s) => skipped.push(s) })
  expect(got.map(({ line }) => line)).toEqual([1, 4])
  expect(skipped).toMatchObject([
    { kind: 'invalidJson', source: 'a.jsonl', line: 2, byteOffset: 8, reason: expect.stringContaining('got "{\\"a\\":"') },
    { kind: 'invalidJson', line: 3, reason: expect.stringContaining('200 deep') },
  ])
})

test('without onSkipped it is an error with line and byte', async () => {
  await expect(read(source('1\nx'))).rejects.toThrow(/^a\.jsonl, line 2, byte 2: expected one JSON value a line, got "x" .*give `onSkipped`/)
  await expect(read(source(gzipSync('{}')))).rejects.toThrow(/got gzip data; unpack it first/)
})

const stories = needsShared('data/blimp/adjunct_island.jsonl.gz')
test.skipIf(stories.missing)(`a real packed file${stories.note}`, async () => {
  const file = await fileSource(stories.path)
  expect((await read(gunzip(file))).map(({ value }) => value)).toEqual(readJsonLines(stories.path))
  await file.close?.()
})
