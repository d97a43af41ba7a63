import { copyFile, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { needsShared } from '@weft/fixtures'
import { withProgress } from '@weft/sources'
import { atomicSink } from '@weft/sources/node'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeSafetensors } from '../write-safetensors.ts'
import { openWeights } from './open-weights.ts'

const mixed = fileURLToPath(new URL('../../test/fixtures/mixed.safetensors', import.meta.url))
let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-weights-'))
})
afterEach(() => rm(folder, { recursive: true }))

const write = async (file: string, values: Record<string, number>) => {
  const sink = await atomicSink(join(folder, file))
  const tensors = Object.entries(values).map(([name, value]) => ({ name, dtype: 'U8' as const, shape: [1], read: async () => Uint8Array.of(value) }))
  await writeSafetensors(tensors, sink, { metadata: { format: 'pt', from: file } })
  await sink.commit()
}
const writeIndex = (map: unknown) => writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ metadata: { total_size: 3 }, weight_map: map }))

test('a file, a folder with one file, a folder with an adapter', async () => {
  const file = await openWeights(mixed)
  expect(file.tensors.size).toBe(7)
  await file.close()
  await copyFile(mixed, join(folder, 'adapter_model.safetensors'))
  await write('model.safetensors', { a: 1 })
  const model = await openWeights(folder)
  expect([...model.tensors.keys()]).toEqual(['a'])
  await model.close()
  await rm(join(folder, 'model.safetensors'))
  const adapter = await openWeights(folder)
  expect(adapter.tensors.size).toBe(7)
  await adapter.close()
})

test('shards are one file', async () => {
  await write('one.safetensors', { a: 1, b: 2, unnamed: 9 })
  await write('two.safetensors', { c: 3 })
  await writeIndex({ c: 'two.safetensors', a: 'one.safetensors', b: 'one.safetensors' })
  const file = await openWeights(folder)
  expect([...file.tensors.keys()]).toEqual(['c', 'a', 'b'])
  expect(file.metadata.get('total_size')).toBe(3)
  expect(file.metadata.get('format')).toBe('pt')
  expect(await file.read('a')).toEqual(Uint8Array.of(1))
  expect(await file.read('c')).toEqual(Uint8Array.of(3))
  await expect(file.read('unnamed')).rejects.toThrow(/no tensor named "unnamed"/)
  await file.close()
})

test('a broken index is named', async () => {
  await write('one.safetensors', { a: 1 })
  await writeIndex({ a: 'two.safetensors' })
  await expect(openWeights(folder)).rejects.toThrow(/index\.json: expected the shard two\.safetensors beside the index, it is missing/)
  await writeIndex({ b: 'one.safetensors' })
  await expect(openWeights(folder)).rejects.toThrow(/weight_map\.b: expected it in the shard one\.safetensors/)
  await writeIndex(['one.safetensors'])
  await expect(openWeights(folder)).rejects.toThrow(/weight_map: expected an object/)
  await writeFile(join(folder, 'model.safetensors.index.json'), '{"weight_map": ')
  await expect(openWeights(folder)).rejects.toMatchObject({ kind: 'format' })
})

test.each(['../one.safetensors', '/etc/one.safetensors', 'a/../../one.safetensors', 'C:\\one.safetensors', 'passwd', 'a\\..\\one.safetensors'])(
  'an index may not name %s',
  async (file) => {
    await writeIndex({ a: file })
    await expect(openWeights(folder)).rejects.toMatchObject({ kind: 'format', message: expect.stringContaining('in the folder') })
  },
)

test('what is not there, or not readable, is named', async () => {
  await expect(openWeights(join(folder, 'nothing'))).rejects.toMatchObject({ kind: 'config' })
  await expect(openWeights(folder)).rejects.toThrow(/found an empty folder/)
  await mkdir(join(folder, 'sub'))
  await writeFile(join(folder, 'model.onnx'), 'x')
  await expect(openWeights(folder)).rejects.toMatchObject({ kind: 'unsupported', message: expect.stringContaining('model.onnx') })
  await writeFile(join(folder, 'pytorch_model.bin'), 'x')
  await expect(openWeights(folder)).rejects.toMatchObject({ kind: 'format', message: expect.stringContaining('pytorch_model.bin') })
  await writeFile(join(folder, 'm.gguf'), 'GGUF....')
  await expect(openWeights(join(folder, 'm.gguf'))).rejects.toMatchObject({ kind: 'format', message: expect.stringContaining('24 bytes of a GGUF file') })
})

test('a file of 20 GB opens by its header alone', async () => {
  const elements = 5 * 2 ** 30
  const header = Buffer.from(JSON.stringify({ big: { dtype: 'F32', shape: [elements / 1024, 1024], data_offsets: [0, 4 * elements] } }))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  const path = join(folder, 'big.safetensors')
  const handle = await open(path, 'w')
  await handle.write(Buffer.concat([length, header]))
  await handle.truncate(8 + header.length + 4 * elements) // holes: the disk holds the header alone
  await handle.close()
  let readBytes = 0
  const file = await openWeights(path, { wrap: (source) => withProgress(source, (progress) => (readBytes = progress.readBytes)) })
  expect(readBytes).toBe(8 + 8 + header.length) // the first eight tell the format
  expect(file.tensors.get('big')?.sizeBytes).toBe(4 * elements)
  const lastRow = await file.read('big', { rows: [elements / 1024 - 1, elements / 1024] })
  expect(lastRow).toEqual(new Uint8Array(4096))
  await file.close()
})

const models = needsShared('golden/models')
test.skipIf(models.missing)(`every reference model opens${models.note}`, async () => {
  for (const name of ['gpt2', 'llama', 'llama-tied', 'qwen3', 'bert', 't5', 'mixtral']) {
    const file = await openWeights(join(models.path, name))
    for (const [tensor, info] of file.tensors) expect((await file.read(tensor)).length).toBe(info.sizeBytes)
    await file.close()
  }
})
