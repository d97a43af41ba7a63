import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { blobSource, bytesSource, readChunks, readWhole, type ByteSource } from './byte-source.ts'
import { fileSource } from './node/file-source.ts'
import { withProgress } from './progress.ts'

const data = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 255)
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-sources-'))
  await writeFile(join(folder, 'data'), data)
})
afterAll(() => rm(folder, { recursive: true }))

const sources: [string, () => Promise<ByteSource>][] = [
  ['bytesSource', async () => bytesSource('data', data)],
  ['blobSource', async () => blobSource(new File([data], 'data'))],
  ['fileSource', () => fileSource(join(folder, 'data'))],
  ['withProgress', async () => withProgress(bytesSource('data', data), () => undefined)],
]

describe.each(sources)('%s', (_, open) => {
  test('reads every range, with and without a buffer', async () => {
    const source = await open()
    expect(source.sizeBytes).toBe(1000)
    expect(source.name).toMatch(/data$/)
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.nat(1000), async (a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)]
        expect(await source.read(start, end - start)).toEqual(data.subarray(start, end))
        const into = new Uint8Array(1000)
        const got = await source.read(start, end - start, into)
        expect(got.buffer).toBe(into.buffer)
        expect(got).toEqual(data.subarray(start, end))
      }),
    )
    await source.close?.()
  })

  test('does not lend its own memory', async () => {
    const source = await open()
    ;(await source.read(0, 10)).fill(0)
    expect(await source.read(0, 10)).toEqual(data.subarray(0, 10))
    await source.close?.()
  })

  test('names a range that is impossible', async () => {
    const source = await open()
    await expect(source.read(990, 11)).rejects.toMatchObject({ kind: 'format', message: expect.stringContaining('ends at byte 1000') })
    await expect(source.read(-1, 1)).rejects.toMatchObject({ kind: 'config' })
    await expect(source.read(0, 1.5)).rejects.toMatchObject({ kind: 'config' })
    await expect(source.read(0, 9, new Uint8Array(8))).rejects.toMatchObject({ kind: 'config', message: expect.stringContaining('to hold 9 bytes') })
    await source.close?.()
    await source.close?.()
  })
})

test('chunks are the whole, from a source, a stream and a ReadableStream', async () => {
  const all = async (chunks: AsyncIterable<Uint8Array>) => {
    const bytes: number[] = []
    for await (const chunk of chunks) bytes.push(...chunk)
    return Uint8Array.from(bytes)
  }
  expect(await all(readChunks(bytesSource('data', data), { chunkBytes: 33 }))).toEqual(data)
  expect(await all(readChunks(new Blob([data]).stream()))).toEqual(data)
  expect(await all(readChunks({ async *[Symbol.asyncIterator]() { yield data } }))).toEqual(data)
  const withoutIterator = Object.assign(Object.create(null), { getReader: () => new Blob([data]).stream().getReader() }) as ReadableStream<Uint8Array>
  expect(await all(readChunks(withoutIterator))).toEqual(data)
})

test('leaving a stream early cancels it', async () => {
  let isCancelled = false
  const stream = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(data), cancel: () => void (isCancelled = true) })
  for await (const chunk of readChunks(stream)) {
    expect(chunk).toEqual(data)
    break
  }
  expect(isCancelled).toBe(true)
})

test('progress counts what is read', async () => {
  const seen: number[] = []
  const source = withProgress(bytesSource('data', data), ({ readBytes, sizeBytes }) => seen.push(readBytes, sizeBytes))
  await source.read(0, 10)
  await source.read(500, 400)
  await source.read(0, 1000)
  expect(seen).toEqual([10, 1000, 410, 1000, 1000, 1000])
})

test('readWhole has a limit and can be aborted', async () => {
  expect(await readWhole(bytesSource('data', data))).toEqual(data)
  await expect(readWhole(bytesSource('data', data), { maxBytes: 999 })).rejects.toThrow('data: expected at most 999 bytes, got 1000')
  await expect(readWhole(bytesSource('data', data), { signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
})

test('fileSource names what is not a file', async () => {
  await expect(fileSource(join(folder, 'nothing'))).rejects.toMatchObject({ kind: 'config', message: expect.stringContaining('no such file') })
  await expect(fileSource(folder)).rejects.toThrow(/expected a file, got a folder/)
  await expect(fileSource('/dev/zero')).rejects.toThrow(/a pipe or a device/)
  const shrinking = await fileSource(join(folder, 'data'))
  await writeFile(join(folder, 'data'), data.subarray(0, 100))
  await expect(shrinking.read(0, 1000)).rejects.toMatchObject({ kind: 'format', place: { byteOffset: 100 } })
  await shrinking.close?.()
  await expect(shrinking.read(0, 1)).rejects.toThrow(/no read after close/)
  await writeFile(join(folder, 'data'), data)
})
