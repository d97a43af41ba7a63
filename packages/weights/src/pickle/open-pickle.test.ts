import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isWeftError } from '@weft/contracts'
import { needsShared } from '@weft/fixtures'
import { bytesSource } from '@weft/sources'
import { fileSource } from '@weft/sources/node'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeZip } from '../../test/make-zip.ts'
import { toFloat32 } from '../to-float32.ts'
import { openPickle } from './open-pickle.ts'

const checkpoints = needsShared('data/checkpoint-formats/pt')

type Expected = Record<string, Record<string, { dtype?: string; shape?: number[]; values?: (number | string)[]; count?: number; sum?: number }>>

describe.skipIf(checkpoints.missing)(`files that PyTorch wrote${checkpoints.note}`, () => {
  test('every tensor has its name, type, shape and values', async () => {
    const expected = JSON.parse(readFileSync(join(checkpoints.path, '..', 'expected.json'), 'utf8')) as Expected
    for (const [name, tensors] of Object.entries(expected)) {
      const file = await openPickle(await fileSource(join(checkpoints.path, name)))
      const wanted = Object.entries(tensors).filter(([, { dtype }]) => dtype !== undefined)
      expect([name, ...[...file.tensors.keys()].sort()]).toEqual([name, ...wanted.map(([tensor]) => tensor).sort()])
      for (const [tensor, { dtype, shape, values, count, sum }] of wanted) {
        expect(file.tensors.get(tensor)).toMatchObject({ dtype, shape })
        const got = toFloat32(dtype as 'F32', await file.read(tensor))
        expect(got.length).toBe(count)
        values!.forEach((value, i) => expect(got[i]).toBeCloseTo(Number(value), 5))
        if (Number.isFinite(sum)) expect(got.reduce((total, x) => total + x, 0)).toBeCloseTo(sum!, 3)
      }
      await file.close()
    }
  })

  test('the old format, and a file that is broken', async () => {
    for (const name of readdirSync(checkpoints.path).filter((one) => one.includes('legacy'))) {
      const file = await openPickle(await fileSource(join(checkpoints.path, name)))
      expect(file.tensors.size).toBeGreaterThan(0)
      for (const [tensor, { sizeBytes }] of file.tensors) expect((await file.read(tensor)).length).toBe(sizeBytes)
      await file.close()
    }
    const source = await fileSource(join(checkpoints.path, 'broken.pt'))
    await expect(openPickle(source)).rejects.toSatisfy(isWeftError)
    await source.close?.()
  })
})

// Pickles by hand, protocol 2.
const text = (value: string): number[] => [0x58, value.length, 0, 0, 0, ...Buffer.from(value)]
const global = (module: string, name: string): number[] => [0x63, ...Buffer.from(`${module}\n${name}\n`)]
const integer = (value: number): number[] => [0x4b, value]
const tuple = (...items: number[][]): number[] => [0x28, ...items.flat(), 0x74]
const storage = (type: string, key: string, count: number): number[] => [...tuple(text('storage'), global('torch', type), text(key), text('cpu'), integer(count)), 0x51]
const tensorOf = (size: number[], stride: number[], offset = 0, type = 'FloatStorage'): number[] => [
  ...global('torch._utils', '_rebuild_tensor_v2'),
  ...tuple(storage(type, '0', 6), integer(offset), tuple(...size.map(integer)), tuple(...stride.map(integer)), [0x89], [...global('collections', 'OrderedDict'), 0x29, 0x52]),
  0x52,
]
const dict = (...entries: [string, number[]][]): number[] => [0x7d, 0x28, ...entries.flatMap(([key, value]) => [...text(key), ...value]), 0x75]
const pickle = (value: number[]): Uint8Array => Uint8Array.from([0x80, 2, ...value, 0x2e])
const archive = (value: number[]): Uint8Array =>
  makeZip([
    { name: 'm/data.pkl', bytes: pickle(value) },
    { name: 'm/data/0', bytes: new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer) },
  ])
const open = (value: number[]) => openPickle(bytesSource('made.pt', archive(value)))

describe('a pickle made by hand', () => {
  test('views with strides, names of lists and dictionaries, other values as metadata', async () => {
    const value = dict(['w', tensorOf([2, 3], [3, 1])], ['t', tensorOf([3, 2], [1, 3])], ['column', tensorOf([2], [3], 1)], ['list', [0x5d, 0x28, ...tensorOf([1], [1], 5), 0x65]], ['epoch', integer(3)], ['none', tensorOf([0, 4], [4, 1])])
    const file = await open(value)
    expect([...file.tensors.keys()]).toEqual(['w', 't', 'column', 'list.0', 'none'])
    expect([...toFloat32('F32', await file.read('w', { rows: [1, 2] }))]).toEqual([4, 5, 6])
    expect([...toFloat32('F32', await file.read('t'))]).toEqual([1, 4, 2, 5, 3, 6])
    expect([...toFloat32('F32', await file.read('t', { rows: [1, 2] }))]).toEqual([2, 5])
    expect([...toFloat32('F32', await file.read('column'))]).toEqual([2, 5])
    expect([...toFloat32('F32', await file.read('list.0'))]).toEqual([6])
    expect((await file.read('none')).length).toBe(0)
    expect(file.metadata.get('epoch')).toBe(3)
  })

  test.each<readonly [string, number[], RegExp]>([
    ['code', [...global('os', 'system'), ...tuple(text('true')), 0x52], /asks for os\.system, which is code and is not run/],
    ['a name without a call', global('builtins', 'eval'), /asks for builtins\.eval/],
    ['a prototype name', global('__proto__', 'constructor'), /asks for __proto__\.constructor/],
    ['values beyond the storage', tensorOf([7], [1]), /expected 28 bytes of storage 0, there are 24/],
    ['a stride beyond the storage', tensorOf([2, 2], [5, 1]), /expected 28 bytes/],
    ['an unknown storage', tensorOf([1], [1], 0, 'QInt8Storage'), /QInt8Storage/],
    ['a stack that runs empty', [0x30, 0x30, 0x85], /more values than there are/],
    ['a memory that was never written', [0x68, 9], /recalls number 9/],
    ['an unknown opcode', [0x99], /opcode 0x99/],
    ['dictionaries without end', Array.from({ length: 100 }, () => [0x7d, ...text('d')]).flat().concat([0x7d], Array.from({ length: 100 }, () => 0x73)), /at most 64/],
  ])('%s is refused', async (_, value, message) => {
    await expect(open(value)).rejects.toThrow(message)
  })

  test('any damage gives a file or one of our errors', async () => {
    const bytes = pickle(dict(['w', tensorOf([2, 3], [3, 1])], ['epoch', integer(3)]))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }), async (changes) => {
        const damaged = Uint8Array.from(bytes)
        for (const [at, value] of changes) damaged[at] = value
        const whole = makeZip([{ name: 'm/data.pkl', bytes: damaged }, { name: 'm/data/0', bytes: new Uint8Array(24) }])
        const result = await openPickle(bytesSource('damaged', whole)).catch((error: unknown) => error)
        expect(!(result instanceof Error) || isWeftError(result)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})
