import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { TextDocument } from '@weft/contracts'
import { needsShared } from '@weft/fixtures'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ReadProgress } from '../progress.ts'
import type { Skipped } from '../skipped.ts'
import { folderDocuments, type FolderOptions } from './folder-documents.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-folder-'))
})
afterEach(() => rm(folder, { recursive: true }))
const put = async (files: Record<string, string | Uint8Array>) => {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content)
  }
}
const read = async (path: string, options?: FolderOptions) => {
  const documents: TextDocument[] = []
  for await (const document of folderDocuments(path, options)) documents.push(document)
  return documents
}
const idsAndTexts = (documents: readonly TextDocument[]) => documents.map(({ id, text }) => [id, text])

test('all kinds of files, deep folders, in the order of their names, with unique ids', async () => {
  await put({
    'b.txt': 'text b',
    'a/z.md': '# z',
    'a/y.txt.gz': gzipSync('text y'),
    'records.jsonl': '{"text":"r1","id":"same"}\n{"text":"r2","id":"same","lang":"en"}\n',
    'packed.ndjson.gz': gzipSync('{"text":"p"}'),
    'BIG.TXT': 'capital',
    'stories.gz': gzipSync('unknown inside'),
    'picture.png': 'not text',
    'archive.tar.gz': 'no',
    '.hidden/x.txt': 'hidden',
    '.x.txt': 'hidden',
  })
  const documents = await read(folder)
  expect(idsAndTexts(documents)).toEqual([
    ['BIG.TXT', 'capital'],
    ['a/y.txt.gz', 'text y'],
    ['a/z.md', '# z'],
    ['b.txt', 'text b'],
    ['packed.ndjson.gz:1', 'p'],
    ['records.jsonl:1', 'r1'],
    ['records.jsonl:2', 'r2'],
    ['stories.gz', 'unknown inside'],
  ])
  expect(documents[6]).toMatchObject({ source: join(folder, 'records.jsonl'), metadata: { id: 'same', lang: 'en' } })
})

test('one file, whatever its name', async () => {
  await put({ 'novel.text': 'a novel', 'r.jsonl': '{"text":"r"}' })
  expect(idsAndTexts(await read(join(folder, 'novel.text')))).toEqual([['novel.text', 'a novel']])
  expect(idsAndTexts(await read(join(folder, 'r.jsonl')))).toEqual([['r.jsonl:1', 'r']])
})

test('other extensions, other fields, splitting', async () => {
  await put({ 'a.tex': 'One two. Three four.', 'b.txt': 'no', 'c.jsonl': '{"body":"x"}' })
  expect(idsAndTexts(await read(folder, { extensions: ['tex', '.JSONL'], textField: 'body', splitAt: 'sentence', targetCharacters: 8 }))).toEqual([
    ['a.tex#1', 'One two.'],
    ['a.tex#2', 'Three four.'],
    ['c.jsonl:1', 'x'],
  ])
})

test('an empty folder, no folder, a folder of other files', async () => {
  await expect(read(folder)).rejects.toMatchObject({ kind: 'config', message: `${folder}: expected files ending in .txt, .md, .jsonl, .ndjson (or these with .gz), found none` })
  await put({ 'a.png': '', 'b.pdf': '' })
  await expect(read(folder)).rejects.toThrow(/found only others \(\.png, \.pdf\)|\(\.pdf, \.png\)/)
  await expect(read(join(folder, 'nothing'))).rejects.toMatchObject({ kind: 'config', message: expect.stringContaining('no such file or folder') })
})

test('what cannot be read is reported once each, all else comes through', async () => {
  await put({
    'a.txt': Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0, 0),
    'b.txt': '',
    'c.txt': Buffer.from('é'.repeat(50), 'latin1'),
    'd.txt.gz': gzipSync('x'.repeat(1000)).subarray(0, 20),
    'e.jsonl': '{"text":"good"}\n{"text":\n{"text":"good too"}',
    'f.jsonl.gz': 'not gzip',
    'g.txt': 'good',
  })
  await symlink(join(folder, 'gone.txt'), join(folder, 'h.txt'))
  await symlink(folder, join(folder, 'loop'))
  const skipped: Skipped[] = []
  expect(idsAndTexts(await read(folder, { onSkipped: (s) => skipped.push(s) }))).toEqual([
    ['e.jsonl:1', 'good'],
    ['e.jsonl:3', 'good too'],
    ['g.txt', 'good'],
  ])
  const name = (source: string) => source.slice(folder.length + 1)
  expect(skipped.map(({ kind, source, line }) => [kind, name(source), line]).sort()).toEqual([
    ['binary', 'a.txt', undefined],
    ['empty', 'b.txt', undefined],
    ['invalidJson', 'e.jsonl', 2],
    ['invalidUtf8', 'c.txt', undefined],
    ['unreadable', 'd.txt.gz', undefined],
    ['unreadable', 'f.jsonl.gz', undefined],
    ['unreadable', 'h.txt', undefined],
  ])
  await expect(read(folder)).rejects.toMatchObject({ kind: 'config', message: expect.stringContaining('h.txt') })
  await rm(join(folder, 'h.txt'))
  await expect(read(folder)).rejects.toMatchObject({ kind: 'format', message: expect.stringMatching(/a\.txt: expected text, got NUL.*give `onSkipped`/) })
})

test.skipIf(process.platform === 'win32')('a pipe is not waited for', async () => {
  execFileSync('sh', ['-c', 'mkfifo "$0"', join(folder, 'pipe.txt')])
  await put({ 'a.txt': 'a' })
  expect(idsAndTexts(await read(folder))).toEqual([['a.txt', 'a']])
  await expect(read(join(folder, 'pipe.txt'))).rejects.toThrow(/a pipe or a device/)
})

test('progress runs over all files, as stored, and ends at the end', async () => {
  await put({ 'a.txt': 'x'.repeat(600_000), 'b.txt.gz': gzipSync('y'.repeat(1000)), 'c.txt': '\0'.repeat(900_000) })
  const seen: ReadProgress[] = []
  await read(folder, { onProgress: (progress) => seen.push(progress), onSkipped: () => undefined })
  const sizeBytes = 1_500_000 + gzipSync('y'.repeat(1000)).length
  expect(new Set(seen.map((progress) => progress.sizeBytes))).toEqual(new Set([sizeBytes]))
  const read_ = seen.map((progress) => progress.readBytes)
  expect(read_).toEqual([...read_].sort((a, b) => a - b))
  expect(read_.at(-1)).toBe(sizeBytes)
  expect(read_.length).toBeGreaterThan(4)
})

test('an abort rejects with its reason; leaving early closes the file', async () => {
  await put({ 'a.txt': 'a', 'b.txt': 'b' })
  await expect(read(folder, { signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
  const controller = new AbortController()
  await expect(async () => {
    for await (const document of folderDocuments(folder, { signal: controller.signal, onSkipped: () => undefined })) controller.abort(`after ${document.id}`)
  }).rejects.toBe('after a.txt')
  for await (const document of folderDocuments(folder)) {
    expect(document.id).toBe('a.txt')
    break
  }
})

test("an error of the caller's own goes through", async () => {
  await put({ 'a.txt': '' })
  const onSkipped = () => {
    throw new Error('mine')
  }
  await expect(read(folder, { onSkipped })).rejects.toThrow('mine')
})

const speeches = needsShared('data/us-speeches')
test.skipIf(speeches.missing)(`a folder of speeches${speeches.note}`, async () => {
  const whole = await read(speeches.path)
  expect(whole.length).toBe(66) // 65 speeches and the README, which is .md
  const pieces = await read(speeches.path, { extensions: ['.txt'], splitAt: 'sentence' })
  expect(pieces.length).toBeGreaterThan(1000)
  expect(new Set(pieces.map((piece) => piece.id)).size).toBe(pieces.length)
})
