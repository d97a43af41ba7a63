import { bytesSource } from '@weft/sources'
import { isWeftError } from '@weft/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeZip } from '../../test/make-zip.ts'
import { toFloat32 } from '../to-float32.ts'
import { openNpz } from './open-npz.ts'
import { openZip } from './zip-directory.ts'

const npy = (header: string, data: Uint8Array, version = 1): Uint8Array => {
  const text = Buffer.from(`${header}${' '.repeat(5)}\n`)
  const length = version === 1 ? Buffer.alloc(2) : Buffer.alloc(4)
  if (version === 1) length.writeUInt16LE(text.length)
  else length.writeUInt32LE(text.length)
  return new Uint8Array(Buffer.concat([Buffer.from([0x93]), Buffer.from('NUMPY'), Buffer.from([version, 0]), length, text, data]))
}

const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)
const header = (descr: string, isFortran: boolean, shape: string): string => `{'descr': '${descr}', 'fortran_order': ${isFortran ? 'True' : 'False'}, 'shape': ${shape}, }`

const archive = (isDeflated: boolean): Uint8Array =>
  makeZip([
    { name: 'a.npy', bytes: npy(header('<f4', false, '(2, 3)'), floats(1, 2, 3, 4, 5, 6)), isDeflated },
    { name: 'b.npy', bytes: npy(header('<f4', true, '(2, 3)'), floats(1, 4, 2, 5, 3, 6), 2), isDeflated },
    { name: 'scalar.npy', bytes: npy(header('<i8', false, '()'), new Uint8Array(BigInt64Array.of(-7n).buffer)), isDeflated },
    { name: 'row.npy', bytes: npy(header('|u1', false, '(3,)'), Uint8Array.of(7, 8, 9)), isDeflated },
    { name: 'note.txt', bytes: Buffer.from('no tensor') },
  ])

describe.each([false, true])('an archive, deflated: %s', (isDeflated) => {
  test('values, orders, rows', async () => {
    const file = await openNpz(bytesSource('x.npz', archive(isDeflated)))
    expect([...file.tensors.keys()]).toEqual(['a', 'b', 'scalar', 'row'])
    expect(file.tensors.get('a')).toEqual({ dtype: 'F32', shape: [2, 3], sizeBytes: 24 })
    for (const name of ['a', 'b']) {
      expect([...toFloat32('F32', await file.read(name))]).toEqual([1, 2, 3, 4, 5, 6])
      expect([...toFloat32('F32', await file.read(name, { rows: [1, 2], into: new Uint8Array(20) }))]).toEqual([4, 5, 6])
    }
    expect([...toFloat32('I64', await file.read('scalar'))]).toEqual([-7])
    expect([...(await file.read('row'))]).toEqual([7, 8, 9])
    await expect(file.read('note')).rejects.toThrow(/no tensor named "note"/)
  })

  test('any damage gives a file or one of our errors', async () => {
    const bytes = archive(isDeflated)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), async (changes) => {
        const damaged = Uint8Array.from(bytes)
        for (const [at, value] of changes) damaged[at] = value
        const result = await openNpz(bytesSource('damaged', damaged))
          .then((file) => Promise.all([...file.tensors.keys()].map((name) => file.read(name))))
          .catch((error: unknown) => error)
        expect(!(result instanceof Error) || isWeftError(result)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

test.each<readonly [string, Uint8Array, RegExp]>([
  ['no archive', new Uint8Array(100), /directory is missing/],
  ['cut off', archive(false).subarray(0, 200), /directory is missing/],
  ['another header', makeZip([{ name: 'a.npy', bytes: Buffer.from('NOTNUMPY....') }]), /begins with/],
  ['big-endian', makeZip([{ name: 'a.npy', bytes: npy(header('>f4', false, '(1,)'), floats(1)) }]), /element type >f4/],
  ['objects', makeZip([{ name: 'a.npy', bytes: npy(header('|O', false, '(1,)'), floats(1)) }]), /element type \|O/],
  ['too few values', makeZip([{ name: 'a.npy', bytes: npy(header('<f4', false, '(5,)'), floats(1)) }]), /to fill the 4 bytes/],
  ['a shape beyond 2^53', makeZip([{ name: 'a.npy', bytes: npy(header('<f4', false, '(99999999, 9999999999)'), floats(1)) }]), /to fill/],
  ['a name twice', makeZip([{ name: 'a.npy', bytes: new Uint8Array(0) }, { name: 'a.npy', bytes: new Uint8Array(0) }]), /got it twice/],
])('%s is refused', async (_, bytes, message) => {
  await expect(openNpz(bytesSource('x.npz', bytes))).rejects.toThrow(message)
})

test('a member that unpacks to more than it promised', async () => {
  const bytes = makeZip([{ name: 'bomb', bytes: new Uint8Array(100_000), isDeflated: true }])
  const view = new DataView(bytes.buffer)
  const directory = bytes.lastIndexOf(0x50, bytes.length - 30)
  for (let at = directory; at >= 0; at--) if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, 10, true)
  const entry = (await openZip(bytesSource('bomb.zip', bytes))).get('bomb')!
  await expect(entry.read(0, 10)).rejects.toThrow(/expected 10 unpacked bytes, there are more/)
})
