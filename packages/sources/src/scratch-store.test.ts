import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { folderScratch } from './node/folder-scratch.ts'
import { memoryScratch, type ScratchStore } from './scratch-store.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const stores: [string, () => Promise<ScratchStore>][] = [
  ['memoryScratch', async () => memoryScratch()],
  ['folderScratch', () => folderScratch()],
]

describe.each(stores)('%s', (_, create) => {
  let scratch: ScratchStore
  beforeEach(async () => {
    scratch = await create()
  })
  afterEach(async () => scratch.dispose?.())
  const write = async (name: string, ...texts: string[]) => {
    const sink = await scratch.create(name)
    for (const text of texts) await sink.write(bytesOf(text))
    return sink
  }
  const content = async (name: string) => {
    const source = await scratch.open(name)
    const text = new TextDecoder().decode(await source.read(0, source.sizeBytes))
    await source.close?.()
    return text
  }

  test('gives back what was committed, a new file under the name replaces it', async () => {
    const sink = await write('a.bin', 'one', 'two')
    await expect(scratch.open('a.bin')).rejects.toMatchObject({ kind: 'config', message: 'scratch: no file named a.bin' })
    await sink.commit()
    await sink.commit()
    expect(await content('a.bin')).toBe('onetwo')
    await (await write('a.bin', 'three')).commit()
    expect(await content('a.bin')).toBe('three')
    await (await write('empty')).commit()
    expect(await content('empty')).toBe('')
  })

  test('the caller may reuse its buffer', async () => {
    const buffer = bytesOf('first')
    const sink = await scratch.create('a')
    await sink.write(buffer)
    buffer.set(bytesOf('later'))
    await sink.write(buffer)
    await sink.commit()
    expect(await content('a')).toBe('firstlater')
  })

  test('abort leaves what was there; nothing can follow it', async () => {
    await (await write('a', 'old')).commit()
    const sink = await write('a', 'new')
    await sink.abort()
    await sink.abort()
    expect(await content('a')).toBe('old')
    await expect(sink.write(bytesOf('x'))).rejects.toThrow(/aborted/)
    await expect(sink.commit()).rejects.toThrow(/aborted/)
  })

  test('remove and dispose', async () => {
    await (await write('a', 'x')).commit()
    await scratch.remove('a')
    await scratch.remove('a')
    await expect(scratch.open('a')).rejects.toMatchObject({ kind: 'config' })
    await (await write('b', 'x')).commit()
    await scratch.dispose?.()
    await expect(scratch.open('b')).rejects.toMatchObject({ kind: 'config' })
  })

  test.each(['../a', 'a/b', '', '.hidden', 'a\\b', 'x'.repeat(300)])('refuses the name %j', async (name) => {
    await expect(scratch.create(name)).rejects.toMatchObject({ kind: 'config' })
  })
})

test('memory has a limit that names the option, and what is removed counts no more', async () => {
  const scratch = memoryScratch({ maxBytes: 10 })
  const first = await scratch.create('a')
  await first.write(new Uint8Array(8))
  await first.commit()
  const second = await scratch.create('b')
  await expect(second.write(new Uint8Array(3))).rejects.toMatchObject({ kind: 'config', message: expect.stringMatching(/^scratch: .*10 bytes.*`scratch`/) })
  await second.abort()
  await scratch.remove('a')
  await (await scratch.create('c')).write(new Uint8Array(10))
})

test('a folder is gone after dispose', async () => {
  const scratch = await folderScratch()
  await (await scratch.create('a')).commit()
  expect(await readdir(scratch.path)).toEqual(['a'])
  await scratch.dispose()
  await expect(readdir(scratch.path)).rejects.toThrow(/ENOENT/)
})
