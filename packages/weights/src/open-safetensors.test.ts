import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isWeftError } from '@weft/contracts'
import { needsShared } from '@weft/fixtures'
import { bytesSource, type ByteSource } from '@weft/sources'
import { fileSource } from '@weft/sources/node'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openSafetensors } from './open-safetensors.ts'
import { toFloat32 } from './to-float32.ts'

const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(fileURLToPath(new URL(`../test/fixtures/${name}`, import.meta.url))))
const mixed = fixture('mixed.safetensors')

const fileOf = (header: string, data: Uint8Array = new Uint8Array(0)): ByteSource => {
  const json = new TextEncoder().encode(header)
  const bytes = new Uint8Array(8 + json.length + data.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
  bytes.set(json, 8)
  bytes.set(data, 8 + json.length)
  return bytesSource('made', bytes)
}

describe('against the reference implementation', () => {
  const verdicts = JSON.parse(new TextDecoder().decode(fixture('verdicts.json'))) as { name: string; bytes: string; accepted: boolean }[]
  test.each(verdicts)('$name: accepted $accepted', async ({ bytes, accepted }) => {
    const outcome = await openSafetensors(bytesSource('case', new Uint8Array(Buffer.from(bytes, 'base64')))).catch((error: unknown) => error)
    expect(outcome).toMatchObject(accepted ? { name: 'case' } : { kind: 'format', place: { source: 'case' } })
  })

  test('a file of several types', async () => {
    const file = await openSafetensors(bytesSource('mixed', mixed))
    expect(file.metadata).toEqual(new Map([['format', 'np'], ['note', 'ä']]))
    expect([...file.tensors.keys()]).toEqual(['c.ids', 'e.double', 'b.weight', 'f.empty', 'g.scalar', 'a.half', 'd.flags'])
    expect(file.tensors.get('b.weight')).toEqual({ dtype: 'F32', shape: [3, 4], sizeBytes: 48 })
    expect([...toFloat32('I64', await file.read('c.ids'))]).toEqual([3, 4, 3, -4])
    expect([...toFloat32('F16', await file.read('a.half'))]).toEqual([0.06292724609375, 0.8359375, 0.282470703125, -1.1259765625, 0.513671875])
    expect([...toFloat32('F32', await file.read('g.scalar'))]).toEqual([2.5])
    expect([...toFloat32('BOOL', await file.read('d.flags'))]).toEqual([1, 0, 1])
    expect(await file.read('f.empty')).toEqual(new Uint8Array(0))
  })

  const network = needsShared('data/checkpoint-formats/multi_layer.safetensors')
  test.skipIf(network.missing)(`a small network, by its sums${network.note}`, async () => {
    const file = await openSafetensors(await fileSource(network.path))
    expect(file.tensors.size).toBe(9)
    const sum = async (name: string) => toFloat32('F32', await file.read(name)).reduce((total, value) => total + value, 0)
    expect(await sum('conv1.weight')).toBeCloseTo(0.452049087791238, 5)
    expect(await sum('fc1.weight')).toBeCloseTo(-3.8182605504989624, 4)
    await file.close()
  })

  const gpt2 = needsShared('golden/models/gpt2/model.safetensors')
  test.skipIf(gpt2.missing)(`a tiny GPT-2${gpt2.note}`, async () => {
    const file = await openSafetensors(await fileSource(gpt2.path))
    expect(file.metadata.get('format')).toBe('pt')
    expect(file.tensors.size).toBe(40)
    const weight = toFloat32('F32', await file.read('transformer.h.0.attn.c_attn.weight'))
    expect(weight.reduce((total, value) => total + value, 0)).toBeCloseTo(-0.34710943853497156, 4)
    await file.close()
  })
})

test('rows are a part of the whole', async () => {
  const file = await openSafetensors(bytesSource('mixed', mixed))
  const whole = await file.read('b.weight')
  expect(await file.read('b.weight', { rows: [1, 3] })).toEqual(whole.subarray(16))
  expect(await file.read('b.weight', { rows: [3, 3] })).toEqual(new Uint8Array(0))
  for (const rows of [[-1, 1], [2, 1], [0, 4], [0.5, 1]] as const) {
    await expect(file.read('b.weight', { rows })).rejects.toThrow(/expected rows \[start, end\) inside its first axis.*it has 3/)
  }
  await expect(file.read('g.scalar', { rows: [0, 1] })).rejects.toThrow(/without axes/)
  const packed = await openSafetensors(fileOf('{"a":{"dtype":"F4","shape":[2,3],"data_offsets":[0,3]}}', new Uint8Array(3)))
  await expect(packed.read('a', { rows: [0, 1] })).rejects.toThrow(/inside a byte/)
})

test('bytes go into the buffer that is given, else into one of their own', async () => {
  const file = await openSafetensors(bytesSource('mixed', mixed))
  const into = new Uint8Array(64)
  const bytes = await file.read('b.weight', { into })
  expect(bytes.buffer).toBe(into.buffer)
  expect(bytes).toEqual(await file.read('b.weight'))
  expect((await file.read('b.weight')).byteOffset % 64).toBe(0)
  await expect(file.read('b.weight', { into: new Uint8Array(47) })).rejects.toThrow(/to hold 48 bytes/)
  await expect(file.read('nope')).rejects.toThrow(/no tensor named "nope"; there are c\.ids, .* \(7 in all\)/)
})

test('a name that occurs twice is refused', async () => {
  const entry = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
  await expect(openSafetensors(fileOf(`{"a":${entry},"a":${entry}}`))).rejects.toThrow(/made, a: expected each name once/)
})

test('a file that is cut off says how much is missing', async () => {
  const cut = (length: number) => openSafetensors(bytesSource('m.safetensors', mixed.subarray(0, length)))
  await expect(cut(mixed.length - 3)).rejects.toThrow(/^m\.safetensors: expected a file of 609 bytes, got 606: the file is cut off/)
  await expect(cut(100)).rejects.toThrow(/a file of 496 or more\), got a file of 100/)
})

test('other formats are named', async () => {
  const open = (start: string) => openSafetensors(bytesSource('x', Uint8Array.from(start.padEnd(64, '\0'), (c) => c.charCodeAt(0))))
  await expect(open('GGUF')).rejects.toMatchObject({ kind: 'unsupported', message: expect.stringContaining('GGUF') })
  await expect(open('PK\u0003\u0004')).rejects.toMatchObject({ kind: 'unsupported' })
  await expect(open('\u0080\u0002}q\0X\u0001')).rejects.toMatchObject({ kind: 'unsupported' })
})

test('a header whose length looks like the start of another format is just a header', async () => {
  for (const length of [0x0280, 0x10380, 0x20480]) {
    const header = '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'.padEnd(length, ' ')
    expect((await openSafetensors(fileOf(header, Uint8Array.of(7)))).tensors.size).toBe(1)
  }
})

test('an abort rejects with its reason', async () => {
  const signal = AbortSignal.abort('enough')
  await expect(openSafetensors(bytesSource('mixed', mixed), { signal })).rejects.toBe('enough')
  const file = await openSafetensors(bytesSource('mixed', mixed))
  await expect(file.read('b.weight', { signal })).rejects.toBe('enough')
})

test('no change of a valid file does more than raise a FormatError', async () => {
  const change = fc.record({ at: fc.nat(mixed.length - 1), byte: fc.nat(255), cut: fc.option(fc.nat(mixed.length), { freq: 8 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
      let bytes = mixed.slice()
      for (const { at, byte, cut } of changes) {
        bytes[at % bytes.length] = byte
        if (cut !== null) bytes = bytes.slice(0, Math.max(1, cut))
      }
      try {
        const file = await openSafetensors(bytesSource('changed', bytes))
        for (const [name, info] of file.tensors) expect((await file.read(name)).length).toBe(info.sizeBytes)
      } catch (error) {
        if (!isWeftError(error, 'format')) throw error
      }
    }),
    { numRuns: 2000 },
  )
})
