import type { TextDocument } from '@weft/contracts'
import { expect, test } from 'vitest'
import { bytesSource } from './byte-source.ts'
import { documentsFromJsonLines, type JsonDocumentOptions } from './json-documents.ts'
import type { Skipped } from './skipped.ts'

const read = async (lines: readonly unknown[], options?: JsonDocumentOptions) => {
  const documents: TextDocument[] = []
  const bytes = new TextEncoder().encode(lines.map((line) => JSON.stringify(line)).join('\n'))
  for await (const document of documentsFromJsonLines(bytesSource('c.jsonl', bytes), options)) documents.push(document)
  return documents
}

test('text, id and source have their places, all else is metadata', async () => {
  expect(
    await read([
      { text: 'a' },
      { text: 'b', id: 'x', source: 'web', url: 'u', metadata: { lang: 'en', url: 'older' } },
      { text: 'c', id: 7, metadata: 'plain' },
      { text: 'd', id: { odd: true }, source: ['s'] },
    ]),
  ).toEqual([
    { id: 'c.jsonl:1', text: 'a', source: 'c.jsonl' },
    { id: 'x', text: 'b', source: 'web', metadata: { lang: 'en', url: 'u' } },
    { id: '7', text: 'c', source: 'c.jsonl', metadata: { metadata: 'plain' } },
    { id: 'c.jsonl:4', text: 'd', source: 'c.jsonl', metadata: { id: { odd: true }, source: ['s'] } },
  ])
})

test('a document that was written as JSON comes back', async () => {
  const document = { id: 'x', text: 'b', source: 'web', metadata: { weight: 0.5, tags: ['a'] } }
  expect(await read([document])).toEqual([document])
})

test('other fields, and ids that are made', async () => {
  expect(await read([{ content: 'a', key: 'k', text: 'other' }], { textField: 'content', idField: 'key' })).toEqual([
    { id: 'k', text: 'a', source: 'c.jsonl', metadata: { text: 'other' } },
  ])
  expect(await read([{ text: 'a', id: 'k' }], { idField: null, id: 'sub/c.jsonl' })).toEqual([
    { id: 'sub/c.jsonl:1', text: 'a', source: 'c.jsonl', metadata: { id: 'k' } },
  ])
})

test('a record without text is reported, or an error', async () => {
  const skipped: Skipped[] = []
  expect(await read([3, { body: 'x' }, { text: null }, { text: ' \n' }, { text: 'ok' }], { onSkipped: (s) => skipped.push(s) })).toHaveLength(1)
  expect(skipped.map(({ kind, line, reason }) => [kind, line, reason])).toEqual([
    ['wrongRecord', 1, 'expected an object with a field "text", got a number'],
    ['wrongRecord', 2, 'expected a string in the field "text", got nothing (fields: body)'],
    ['wrongRecord', 3, 'expected a string in the field "text", got null (fields: text)'],
    ['empty', 4, 'expected text in the field "text", got none'],
  ])
  await expect(read([{ body: 'x' }])).rejects.toThrow(/^c\.jsonl, line 1, byte 0: expected a string in the field "text"/)
})

test('names that objects have anyway are fields like all others', async () => {
  const [document] = await read([JSON.parse('{"text":"a","__proto__":{"x":1},"constructor":2}')])
  expect(Object.keys(document?.metadata ?? {}).sort()).toEqual(['__proto__', 'constructor'])
  await expect(read([{ body: 1 }], { textField: 'toString' })).rejects.toThrow(/got nothing/)
})
