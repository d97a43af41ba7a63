import { memoryScratch } from '@weft/sources'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bitsOf, tensorBytes, type PlainDtype } from './dtype.ts'
import { openSafetensors } from './open-safetensors.ts'
import type { WeightsFile } from './weights-file.ts'
import { writeSafetensors, type TensorToWrite, type WriteSafetensorsOptions } from './write-safetensors.ts'

const tensor = (name: string, dtype: PlainDtype, shape: readonly number[], bytes?: Uint8Array): TensorToWrite => ({
  name,
  dtype,
  shape,
  read: async () => bytes ?? new Uint8Array(tensorBytes(dtype, shape)!),
})

const written = async (tensors: Iterable<TensorToWrite> | AsyncIterable<TensorToWrite>, options?: WriteSafetensorsOptions) => {
  const scratch = memoryScratch()
  const sink = await scratch.create('file')
  await writeSafetensors(tensors, sink, options)
  await sink.commit()
  const source = await scratch.open('file')
  return { source, file: await openSafetensors(source) }
}

const contents = async (file: WeightsFile) =>
  new Map(await Promise.all([...file.tensors].map(async ([name, info]) => [name, { ...info, bytes: await file.read(name) }] as const)))

test('what was written is read back, whatever the names, types and shapes', async () => {
  const dtypes = fc.constantFrom<PlainDtype>('F64', 'F32', 'BF16', 'U8', 'I64', 'F8_E4M3')
  const entry = fc.record({ name: fc.string({ unit: 'grapheme' }), dtype: dtypes, shape: fc.array(fc.nat(4), { maxLength: 3 }), seed: fc.nat(255) })
  const entries = fc.uniqueArray(entry, { selector: ({ name }) => name }).map((all) => all.filter(({ name }) => name !== '__metadata__'))
  await fc.assert(
    fc.asyncProperty(entries, fc.dictionary(fc.string(), fc.string()), async (all, metadata) => {
      const bytesOf = (e: (typeof all)[number]) => new Uint8Array(tensorBytes(e.dtype, e.shape)!).map((_, i) => i + e.seed)
      const { file } = await written(all.map((e) => tensor(e.name, e.dtype, e.shape, bytesOf(e))), { metadata })
      expect(file.metadata).toEqual(new Map(Object.entries(metadata)))
      const expected = all.map((e) => [e.name, { dtype: e.dtype, shape: e.shape, sizeBytes: bytesOf(e).length, bytes: bytesOf(e) }] as const)
      expect(await contents(file)).toEqual(new Map(expected))
    }),
  )
})

test('data starts at a multiple of 64, every tensor at one of its element size, otherwise in the given order', async () => {
  const { file, source } = await written([tensor('7', 'BF16', [3]), tensor('b', 'F32', [1]), tensor('a', 'F32', [2]), tensor('c', 'F64', [1]), tensor('__proto__', 'U8', [1])])
  const headerBytes = Number(new DataView((await source.read(0, 8)).buffer).getBigUint64(0, true))
  expect((8 + headerBytes) % 64).toBe(0)
  expect([...file.tensors.keys()]).toEqual(['c', 'b', 'a', '7', '__proto__'])
  let offset = 0
  for (const { dtype, sizeBytes } of file.tensors.values()) {
    expect(offset % (bitsOf(dtype as PlainDtype) / 8)).toBe(0)
    offset += sizeBytes
  }
})

test('one tensor is read at a time, from an async iterable too', async () => {
  const events: string[] = []
  async function* tensors() {
    for (const name of ['x', 'y']) yield { ...tensor(name, 'U8', [2]), read: async () => (events.push(name), Uint8Array.of(1, 2)) }
  }
  const sink = { write: async (bytes: Uint8Array) => void events.push(`${bytes.length}`), commit: async () => undefined, abort: async () => undefined }
  await writeSafetensors(tensors(), sink)
  expect(events).toEqual(['128', 'x', '2', 'y', '2'])
})

test('a wrong tensor is named', async () => {
  await expect(written([tensor('a', 'F32', [2], new Uint8Array(7))])).rejects.toThrow('tensor a: expected 8 bytes for F32 [2], got 7')
  await expect(written([tensor('a', 'F32', [1]), tensor('a', 'F32', [1])])).rejects.toThrow(/tensor a: .* there are two/)
  await expect(written([tensor('__metadata__', 'F32', [1])])).rejects.toThrow(/reserved/)
  await expect(written([tensor('a', 'F32', [-1], new Uint8Array(0))])).rejects.toThrow(/whole numbers/)
  await expect(written([tensor('a', 'X9' as PlainDtype, [1], new Uint8Array(0))])).rejects.toThrow(/expected a dtype of BOOL/)
})

test('an abort rejects with its reason', async () => {
  await expect(written([tensor('a', 'F32', [1])], { signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
})
