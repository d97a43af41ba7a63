import { isWeftError } from '@weft/contracts'
import { needsShared } from '@weft/fixtures'
import { bytesSource, type ByteSource } from '@weft/sources'
import { fileSource } from '@weft/sources/node'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toFloat32 } from '../to-float32.ts'
import { openGguf } from './open-gguf.ts'

/** Writes little-endian values one after the other. */
class Writer {
  readonly bytes: number[] = []
  #number(width: number, set: (view: DataView) => void): this {
    const view = new DataView(new ArrayBuffer(width))
    set(view)
    this.bytes.push(...new Uint8Array(view.buffer))
    return this
  }
  u8 = (x: number): this => this.#number(1, (view) => view.setUint8(0, x))
  u32 = (x: number): this => this.#number(4, (view) => view.setUint32(0, x, true))
  u64 = (x: number | bigint): this => this.#number(8, (view) => view.setBigUint64(0, BigInt(x), true))
  f32 = (x: number): this => this.#number(4, (view) => view.setFloat32(0, x, true))
  string(text: string): this {
    const bytes = new TextEncoder().encode(text)
    this.u64(bytes.length)
    this.bytes.push(...bytes)
    return this
  }
  padTo(multiple: number): this {
    while (this.bytes.length % multiple !== 0) this.bytes.push(0)
    return this
  }
}

const head = (tensors: number | bigint, entries: number | bigint, version = 3): Writer => {
  const writer = new Writer()
  writer.bytes.push(...new TextEncoder().encode('GGUF'))
  return writer.u32(version).u64(tensors).u64(entries)
}

const tensorInfo = (writer: Writer, name: string, ne: readonly number[], type: number, offset: number): Writer => {
  writer.string(name).u32(ne.length)
  for (const size of ne) writer.u64(size)
  return writer.u32(type).u64(offset)
}

const sourceOf = (writer: Writer): ByteSource => bytesSource('made.gguf', Uint8Array.from(writer.bytes))
const problemOf = async (writer: Writer): Promise<unknown> => openGguf(sourceOf(writer)).catch((error: unknown) => error)

/** Two tensors: f32 [2, 3] at 0, q8_0 [1, 32] at 32. */
const small = (): Writer => {
  const writer = head(2, 3)
  writer.string('general.name').u32(8).string('tiny')
  writer.string('x.list').u32(9).u32(5).u64(2).u32(7).u32(0xffffffff)
  writer.string('x.big').u32(10).u64(2n ** 60n)
  tensorInfo(writer, 'a', [3, 2], 0, 0)
  tensorInfo(writer, 'b', [32, 1], 8, 32)
  writer.padTo(32)
  for (let i = 0; i < 6; i++) writer.f32(i + 0.5)
  writer.padTo(32)
  for (let i = 0; i < 34; i++) writer.u8(i)
  return writer
}

describe('a file made by hand', () => {
  test('metadata, shapes in row-major order, bytes', async () => {
    const file = await openGguf(sourceOf(small()))
    expect(Object.fromEntries(file.metadata)).toEqual({ 'general.name': 'tiny', 'x.list': [7, -1], 'x.big': '1152921504606846976' })
    expect(Object.fromEntries(file.tensors)).toEqual({ a: { dtype: 'F32', shape: [2, 3], sizeBytes: 24 }, b: { dtype: 'Q8_0', shape: [1, 32], sizeBytes: 34 } })
    expect([...toFloat32('F32', await file.read('a'))]).toEqual([0.5, 1.5, 2.5, 3.5, 4.5, 5.5])
    expect([...toFloat32('F32', await file.read('a', { rows: [1, 2] }))]).toEqual([3.5, 4.5, 5.5])
    expect([...(await file.read('b', { rows: [0, 1] }))]).toEqual(Array.from({ length: 34 }, (_, i) => i))
    await expect(file.read('c')).rejects.toThrow(/no tensor named "c"; there are a, b/)
    await expect(file.read('a', { rows: [1, 3] })).rejects.toThrow(/it has 2/)
  })

  test('a header longer than the file, wherever it is cut', async () => {
    const { bytes } = small()
    const writer = new Writer()
    for (const length of [0, 3, 23, 24, 40, 70, 100, 130, 170, bytes.length - 1]) {
      writer.bytes.splice(0, Infinity, ...bytes.slice(0, length))
      expect(await problemOf(writer)).toMatchObject({ kind: 'format', place: { source: 'made.gguf' } })
    }
  })

  test.each<readonly [name: string, make: () => Writer, message: RegExp]>([
    ['another magic', () => { const w = small(); w.bytes[0] = 0x58; return w }, /begin with "GGUF"/],
    ['version 1', () => head(0, 0, 1), /version 2 or 3, got 1/],
    ['big-endian', () => { const w = head(0, 0); w.bytes.splice(4, 4, 0, 0, 0, 3); return w }, /little-endian/],
    ['10^9 tensors', () => head(1e9, 0), /at most 1048576 tensors, got 1000000000/],
    ['2^60 entries', () => head(0, 2n ** 60n), /below 2\^53/],
    ['a key twice', () => head(0, 2).string('k').u32(4).u32(1).string('k').u32(4).u32(1), /each key once/],
    ['an unknown value type', () => head(0, 1).string('k').u32(77).u32(1), /type of 0 to 12, got 77/],
    ['an array that cannot be', () => head(0, 1).string('k').u32(9).u32(8).u64(2n ** 40n), /expected 1099511627776 items/],
    ['arrays in arrays without end', () => { const w = head(0, 1).string('k').u32(9); for (let i = 0; i < 50; i++) w.u32(9).u64(1); return w.u32(0).u64(0) }, /at most 4 deep/],
    ['a name twice', () => tensorInfo(tensorInfo(head(2, 0), 'a', [1], 0, 0), 'a', [1], 0, 32).padTo(32).u64(0).padTo(64).u64(0), /each tensor once/],
    ['an unknown element type', () => tensorInfo(head(1, 0), 'a', [32], 5, 0).padTo(32).u64(0), /element types, got number 5/],
    ['half a block', () => tensorInfo(head(1, 0), 'a', [16], 8, 0).padTo(32).u64(0), /whole blocks/],
    ['a shape beyond 2^53', () => tensorInfo(head(1, 0), 'a', [2 ** 30, 2 ** 30], 0, 0).padTo(32).u64(0), /below 2\^53 elements/],
    ['an odd place', () => tensorInfo(head(1, 0), 'a', [1], 0, 4).padTo(32).u64(0), /multiple of 32, got 4/],
    ['an overlap', () => tensorInfo(tensorInfo(head(2, 0), 'a', [64], 0, 0), 'b', [64], 0, 32).padTo(32).padTo(512), /overlaps/],
    ['data beyond the end', () => tensorInfo(head(1, 0), 'a', [64], 0, 0).padTo(32), /beyond the end/],
    ['an alignment of 3', () => head(0, 1).string('general.alignment').u32(4).u32(3).padTo(64), /power of two/],
  ])('%s', async (_, make, message) => {
    const problem = await problemOf(make())
    expect(problem).toMatchObject({ kind: 'format', place: { source: 'made.gguf' } })
    expect((problem as Error).message).toMatch(message)
  })

  test('any damage gives a file or a FormatError, never anything else', async () => {
    const { bytes } = small()
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), async (changes) => {
        const damaged = Uint8Array.from(bytes)
        for (const [at, value] of changes) damaged[at] = value
        const result = await openGguf(bytesSource('damaged', damaged)).catch((error: unknown) => error)
        expect(!(result instanceof Error) || (isWeftError(result) && result.kind === 'format')).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

const stories = needsShared('data/stories260k-gguf/stories260K.f32.gguf')
test.skipIf(stories.missing)(`a real file${stories.note}`, async () => {
  const { path } = stories
  const file = await openGguf(await fileSource(path))
  expect(file.metadata.get('general.architecture')).toBe('llama')
  expect((file.metadata.get('tokenizer.ggml.tokens') as string[]).length).toBe(512)
  expect(file.tensors.get('token_embd.weight')).toEqual({ dtype: 'F32', shape: [512, 64], sizeBytes: 131072 })
  const all = [...file.tensors.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  expect(all).toBeLessThan(1_185_344)
  await file.close()
})

const smollm = needsShared('models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf')
test.skipIf(smollm.missing)(`a real quantized file opens by its header alone${smollm.note}`, async () => {
  const source = await fileSource(smollm.path)
  let bytesRead = 0
  const counted: ByteSource = { ...source, read: async (offset, length, into) => ((bytesRead += length), source.read(offset, length, into)) }
  const file = await openGguf(counted)
  expect(bytesRead).toBeLessThan(8e6)
  expect(file.tensors.get('blk.0.attn_q.weight')).toMatchObject({ dtype: 'Q4_1', shape: [576, 576] })
  expect((file.metadata.get('tokenizer.ggml.tokens') as string[]).length).toBe(49152)
  await file.close()
  await source.close?.()
})
