import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Dtype } from './dtype.ts'
import { toFloat32 } from './to-float32.ts'

const casts = JSON.parse(readFileSync(fileURLToPath(new URL('../test/fixtures/casts.json', import.meta.url)), 'utf8')) as {
  allCodes: Record<string, string>
  values: Record<string, { bytes: string; f32: string }>
}

const bitsWithOneNan = (values: Float32Array): Uint8Array => {
  const bits = new Uint32Array(values.length)
  const copy = new Uint32Array(values.slice().buffer)
  for (let i = 0; i < values.length; i++) bits[i] = Number.isNaN(values[i]) ? 0x7fc00000 : copy[i]!
  return new Uint8Array(bits.buffer)
}

describe('against NumPy and ml_dtypes', () => {
  test.each(Object.entries(casts.allCodes))('every code of %s', (dtype, sha256) => {
    const isByte = /8/.test(dtype)
    const codes = isByte ? Uint8Array.from({ length: 256 }, (_, i) => i) : new Uint8Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer)
    expect(createHash('sha256').update(bitsWithOneNan(toFloat32(dtype as Dtype, codes))).digest('hex')).toBe(sha256)
  })

  test.each(Object.entries(casts.values))('rounding of %s', (dtype, { bytes, f32 }) => {
    const got = toFloat32(dtype as Dtype, new Uint8Array(Buffer.from(bytes, 'hex')))
    expect(Buffer.from(bitsWithOneNan(got)).toString('hex')).toBe(f32)
  })
})

test('F32 is a view where it can be, a copy where it must be', () => {
  const bytes = new Uint8Array(13)
  const aligned = toFloat32('F32', bytes.subarray(4, 12))
  expect(aligned.buffer).toBe(bytes.buffer)
  const unaligned = toFloat32('F32', bytes.subarray(1, 13))
  expect(unaligned.buffer).not.toBe(bytes.buffer)
  expect(unaligned.length).toBe(3)
})

test('alignment does not change values', () => {
  fc.assert(
    fc.property(fc.constantFrom<Dtype>('F64', 'F16', 'BF16', 'I64', 'U16', 'F32'), fc.uint8Array({ minLength: 64, maxLength: 64 }), (dtype, bytes) => {
      const shifted = new Uint8Array(65)
      shifted.set(bytes, 1)
      expect(bitsWithOneNan(toFloat32(dtype, shifted.subarray(1)))).toEqual(bitsWithOneNan(toFloat32(dtype, bytes)))
    }),
  )
})

test('BOOL is 0 or 1', () => {
  expect([...toFloat32('BOOL', Uint8Array.of(0, 1, 2))]).toEqual([0, 1, 1])
})

test('what cannot be converted is named', () => {
  expect(() => toFloat32('C64', new Uint8Array(8))).toThrow(/C64 cannot be converted; what can be is F32/)
  expect(() => toFloat32('F32', new Uint8Array(7))).toThrow(/whole elements of 4 bytes for F32, got 7/)
})
