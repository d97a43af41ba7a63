import { constants, deflateRawSync, gzipSync } from 'node:zlib'
import { isWeftError } from '@weft/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesSource, type ByteInput } from './byte-source.ts'
import { crc32 } from './crc32.ts'
import { gunzip } from './gunzip.ts'

const unpacked = async (input: ByteInput): Promise<Buffer> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of gunzip(input)) chunks.push(chunk)
  return Buffer.concat(chunks)
}
const inChunks = (bytes: Uint8Array, size: number): ByteInput => ({
  async *[Symbol.asyncIterator]() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  },
})
const text = Buffer.from(Array.from({ length: 40_000 }, (_, i) => `line ${i % 977} ${(i * 7919) % 10007}\n`).join('')) // about 650 kB
const repetitive = fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 400 })), { maxLength: 8 }).map((runs) =>
  Buffer.concat(runs.map(([bytes, times]) => Buffer.concat(Array.from({ length: times }, () => bytes)))),
)

describe('against zlib', () => {
  test.each([0, 1, 6, 9])('level %i', async (level) => {
    expect((await unpacked(bytesSource('x', gzipSync(text, { level })))).equals(text)).toBe(true)
  })

  test.each(Object.entries({ fixed: constants.Z_FIXED, huffman: constants.Z_HUFFMAN_ONLY, rle: constants.Z_RLE, filtered: constants.Z_FILTERED }))(
    'strategy %s',
    async (_, strategy) => {
      expect((await unpacked(bytesSource('x', gzipSync(text, { strategy })))).equals(text)).toBe(true)
    },
  )

  test('any bytes, any level, several members, chunks of any size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(repetitive, fc.integer({ min: 0, max: 9 })), { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 5000 }), async (parts, size) => {
        const packed = Buffer.concat(parts.map(([bytes, level]) => gzipSync(bytes, { level })))
        expect((await unpacked(inChunks(packed, size))).equals(Buffer.concat(parts.map(([bytes]) => bytes)))).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test('bytes that do not compress, and chunks of one byte', async () => {
    const noise = Buffer.from(Array.from({ length: 200_000 }, (_, i) => Math.imul(i ^ (i >>> 3), 0x9e3779b1) >>> 24))
    expect((await unpacked(bytesSource('x', gzipSync(noise)))).equals(noise)).toBe(true)
    const start = text.subarray(0, 20_000)
    expect((await unpacked(inChunks(gzipSync(start), 1))).equals(start)).toBe(true)
  })
})

/** A member with all optional fields of the header. */
const dressed = (content: Buffer): Buffer => {
  const tail = Buffer.alloc(8)
  tail.writeUInt32LE(crc32(content), 0)
  tail.writeUInt32LE(content.length, 4)
  const header = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0x1f, 0, 0, 0, 0, 0, 3, 5, 0]), Buffer.from('extra'), Buffer.from('name\0comment\0'), Buffer.from([1, 2])])
  return Buffer.concat([header, deflateRawSync(content), tail])
}

test('the optional fields of a header are passed over; padding at the end is ignored', async () => {
  expect((await unpacked(bytesSource('x', Buffer.concat([dressed(text), gzipSync('more'), Buffer.alloc(100)])))).equals(Buffer.concat([text, Buffer.from('more')]))).toBe(true)
})

test('crc32 is the one of the standard', () => {
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926)
  expect(crc32(Buffer.from('6789'), crc32(Buffer.from('12345')))).toBe(0xcbf43926)
})

describe('broken files', () => {
  const packed = gzipSync(text)
  const error = (bytes: Uint8Array) => unpacked(bytesSource('a.gz', bytes)).then(() => undefined, (reason: unknown) => reason)

  test('are named with their place', async () => {
    expect(await error(Buffer.from('{"text": 1}'))).toMatchObject({ kind: 'format', message: 'a.gz, byte 0: broken gzip data: expected gzip data (1f 8b)' })
    expect(await error(new Uint8Array(0))).toMatchObject({ kind: 'format' })
    expect(await error(Buffer.concat([packed, Buffer.from('rest')]))).toMatchObject({ kind: 'format', place: { byteOffset: packed.length } })
    const wrongSum = Buffer.from(packed)
    wrongSum[packed.length - 8]! ^= 1
    expect(await error(wrongSum)).toMatchObject({ message: expect.stringContaining('checksum') })
    const wrongSize = Buffer.from(packed)
    wrongSize[packed.length - 1]! ^= 1
    expect(await error(wrongSize)).toMatchObject({ message: expect.stringContaining('stated size') })
  })

  test('cut off anywhere: an error, after what can be read', async () => {
    for (let length = 0; length < packed.length; length += 997) expect(await error(packed.subarray(0, length)), `cut at ${length}`).toMatchObject({ kind: 'format' })
    let bytes = 0
    await expect(async () => {
      for await (const chunk of gunzip(bytesSource('x', packed.subarray(0, packed.length >> 1)))) bytes += chunk.length
    }).rejects.toMatchObject({ kind: 'format' })
    expect(bytes).toBeGreaterThan(text.length / 4)
  })

  test('no change of a file does more than raise a FormatError', async () => {
    const small = gzipSync(text.subarray(0, 3000))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(small.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }), async (changes) => {
        const bytes = Buffer.from(small)
        for (const [at, byte] of changes) bytes[at] = byte
        const reason = await error(bytes)
        expect(reason === undefined || isWeftError(reason, 'format')).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })
})

test('a file that unpacks into far more is given out in small pieces', async () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  let sizeBytes = 0
  let largest = 0
  for await (const chunk of gunzip(bytesSource('bomb', bomb))) {
    sizeBytes += chunk.length
    largest = Math.max(largest, chunk.length)
  }
  expect(sizeBytes).toBe(50_000_000)
  expect(largest).toBeLessThan(200_000)
})

test('an abort rejects with its reason', async () => {
  const controller = new AbortController()
  await expect(async () => {
    for await (const chunk of gunzip(bytesSource('x', gzipSync(text, { level: 0 })), { signal: controller.signal })) {
      expect(chunk.length).toBeGreaterThan(0)
      controller.abort('enough')
    }
  }).rejects.toBe('enough')
})
