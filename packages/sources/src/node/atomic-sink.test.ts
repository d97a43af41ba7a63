import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { atomicSink } from './atomic-sink.ts'
import { writeFiles } from './write-files.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-sink-'))
})
afterEach(() => rm(folder, { recursive: true }))
const bytesOf = (text: string) => new TextEncoder().encode(text)
const text = (name: string) => readFile(join(folder, name), 'utf8')

test('the file is there after commit, the older one until then; missing folders are made', async () => {
  const path = join(folder, 'a', 'b', 'file.txt')
  const first = await atomicSink(path)
  await first.write(bytesOf('first'))
  await expect(text('a/b/file.txt')).rejects.toThrow(/ENOENT/)
  await first.commit()
  const second = await atomicSink(path)
  await second.write(bytesOf('sec'))
  await second.write(bytesOf('ond'))
  expect(await text('a/b/file.txt')).toBe('first')
  await second.commit()
  await second.commit()
  expect(await text('a/b/file.txt')).toBe('second')
  expect(await readdir(join(folder, 'a', 'b'))).toEqual(['file.txt'])
})

test('writes of all sizes arrive in order, buffers may be reused', async () => {
  const sink = await atomicSink(join(folder, 'file'))
  const buffer = new Uint8Array(200_000)
  const expected: Buffer[] = []
  for (const [i, size] of [1, 70_000, 3, 65_535, 65_536, 0, 200_000, 10].entries()) {
    buffer.fill(i)
    expected.push(Buffer.from(buffer.subarray(0, size)))
    await sink.write(buffer.subarray(0, size))
  }
  await sink.commit()
  expect(Buffer.concat(expected).equals(await readFile(join(folder, 'file')))).toBe(true)
})

test('abort leaves no trace, and commit cannot follow it', async () => {
  await writeFile(join(folder, 'file'), 'old')
  const sink = await atomicSink(join(folder, 'file'))
  await sink.write(bytesOf('new'))
  await sink.abort()
  await sink.abort()
  expect(await text('file')).toBe('old')
  expect(await readdir(folder)).toEqual(['file'])
  await expect(sink.commit()).rejects.toThrow(/expected an open file, got one that was aborted/)
})

test('a link keeps pointing where it does', async () => {
  await writeFile(join(folder, 'real'), 'old')
  await symlink(join(folder, 'real'), join(folder, 'link'))
  const sink = await atomicSink(join(folder, 'link'))
  await sink.write(bytesOf('new'))
  await sink.commit()
  expect(await text('real')).toBe('new')
})

test('a path that cannot be written is named', async () => {
  await expect(atomicSink(folder)).rejects.toMatchObject({ kind: 'config', message: `${folder}: expected a file to write, got a folder` })
  await writeFile(join(folder, 'file'), '')
  await expect(atomicSink(join(folder, 'file', 'x'))).rejects.toMatchObject({ kind: 'config', message: expect.stringContaining('writing failed') })
})

test('writeFiles: a new folder, folders in it, written and given content', async () => {
  const target = join(folder, 'model')
  await writeFiles(target, { 'config.json': bytesOf('{}'), 'sub/w.bin': async (sink) => sink.write(bytesOf('w')) })
  expect([await text('model/config.json'), await text('model/sub/w.bin')]).toEqual(['{}', 'w'])
  expect(await readdir(folder)).toEqual(['model'])
  await mkdir(join(folder, 'empty'))
  await writeFiles(join(folder, 'empty'), { a: bytesOf('a') })
  expect(await text('empty/a')).toBe('a')
})

test('writeFiles: into a folder with files, others stay', async () => {
  await writeFiles(folder, { a: bytesOf('old'), 'sub/b': bytesOf('old') })
  await writeFile(join(folder, 'other'), 'other')
  await writeFiles(folder, { a: bytesOf('new'), 'sub/c': bytesOf('new') })
  expect([await text('a'), await text('sub/b'), await text('sub/c'), await text('other')]).toEqual(['new', 'old', 'new', 'other'])
})

test('writeFiles: a writer that throws, or an abort, changes nothing', async () => {
  await writeFile(join(folder, 'a'), 'old')
  const failing = async () => {
    throw new Error('no more')
  }
  await expect(writeFiles(folder, { a: bytesOf('new'), b: failing })).rejects.toThrow('no more')
  await expect(writeFiles(folder, { a: bytesOf('new'), b: (sink) => sink.abort() })).rejects.toThrow(/to throw in order to give up/)
  const controller = new AbortController()
  const stopping = async () => controller.abort('enough')
  await expect(writeFiles(folder, { a: bytesOf('new'), b: stopping }, { signal: controller.signal })).rejects.toBe('enough')
  expect(await readdir(folder)).toEqual(['a'])
  expect(await text('a')).toBe('old')
})

test.each(['../a', '/a', 'a/../../b', '', 'a//b', './a', 'C:\\a', 'a\\b'])('writeFiles refuses the name %j', async (name) => {
  await expect(writeFiles(folder, { [name]: bytesOf('x') })).rejects.toMatchObject({ kind: 'config', message: expect.stringContaining('inside the folder') })
})

// A limit on the size of files is how a process can meet a full disk without filling one.
const withFileLimit = async (program: string): Promise<string> => {
  const script = `import { atomicSink, writeFiles } from ${JSON.stringify(fileURLToPath(new URL('../node.ts', import.meta.url)))}\n${program}`
  await writeFile(join(folder, 'program.mts'), script)
  const shell = `trap '' XFSZ; ulimit -f 200; exec "$0" --conditions=@weft/source --disable-warning=ExperimentalWarning "$1"`
  const { stdout } = await promisify(execFile)('bash', ['-c', shell, process.execPath, join(folder, 'program.mts')], { cwd: folder })
  return stdout
}

test.skipIf(process.platform === 'win32')('a disk that is full: a clear error, the older file whole, nothing half written', async () => {
  await writeFile(join(folder, 'file'), 'old')
  await mkdir(join(folder, 'model'))
  await writeFile(join(folder, 'model', 'a'), 'old')
  const output = await withFileLimit(`
    const tell = (error) => console.log(error.kind, error.message)
    const sink = await atomicSink('file')
    for (let i = 0; i < 20; i++) await sink.write(new Uint8Array(50_000)).catch((error) => { if (error.kind === 'storage') tell(error) })
    await sink.commit().catch(tell)
    await writeFiles('model', { a: new Uint8Array(9), b: new Uint8Array(1_000_000) }).catch(tell)
  `)
  const lines = output.trim().split('\n')
  expect(lines[0]).toMatch(/^storage file: writing after \d+ bytes failed: the file is larger than .*; nothing of it was kept, what was there before is unchanged$/)
  expect(lines[1]).toMatch(/^config file: expected an open file, got one that was aborted/)
  expect(lines[2]).toMatch(/^storage model.b: writing after \d+ bytes failed/)
  expect(lines).toHaveLength(3)
  expect((await readdir(folder)).sort()).toEqual(['file', 'model', 'program.mts'])
  expect([await text('file'), await readdir(join(folder, 'model')), await text('model/a')]).toEqual(['old', ['a'], 'old'])
})
