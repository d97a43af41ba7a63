import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCpuBackend } from './cpu.ts'
import { read, tensor } from './create.ts'
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './dtype.ts'
import { add, cast } from './primitives.ts'

test('every f16 and bf16 value survives the way to f32 and back', () => {
  for (let bits = 0; bits < 65536; bits++) {
    const [half, brain] = [float16ToFloat32(bits), bfloat16ToFloat32(bits)]
    if (!Number.isNaN(half)) expect(float32ToFloat16(half)).toBe(bits)
    else expect(Number.isNaN(float16ToFloat32(float32ToFloat16(half)))).toBe(true)
    if (!Number.isNaN(brain)) expect(float32ToBfloat16(brain)).toBe(bits)
    else expect(Number.isNaN(bfloat16ToFloat32(float32ToBfloat16(brain)))).toBe(true)
  }
})

test('rounding picks the nearest value, and the even one of two', () => {
  const nearest = (toBits: (x: number) => number, toFloat: (bits: number) => number) =>
    fc.assert(fc.property(fc.float({ noNaN: true, noDefaultInfinity: true, min: -60000, max: 60000 }), (x) => {
      const bits = toBits(x)
      const miss = Math.abs(toFloat(bits) - x)
      for (const other of [bits - 1, bits + 1]) {
        const otherMiss = Math.abs(toFloat(other & 0xffff) - x)
        if (Number.isFinite(otherMiss)) expect(miss < otherMiss || (miss === otherMiss && bits % 2 === 0)).toBe(true)
      }
    }), { numRuns: 500 })
  nearest(float32ToBfloat16, bfloat16ToFloat32)
  nearest(float32ToFloat16, float16ToFloat32)
  expect(float32ToFloat16(65519)).toBe(0x7bff)
  expect(float32ToFloat16(65520)).toBe(0x7c00)
  expect(float32ToFloat16(-0)).toBe(0x8000)
})

test('f16 and bf16 travel as bits, read back widened or raw', async () => {
  const backend = createCpuBackend()
  using bits = tensor(backend, Uint16Array.of(0x3f80, 0xc000), [2], { dtype: 'bf16' })
  using numbers = tensor(backend, [0.1, -2], [2], { dtype: 'f16' })
  expect(Array.from(await read(bits))).toEqual([1, -2])
  expect(Array.from(await read(bits, { raw: true }))).toEqual([0x3f80, 0xc000])
  expect((await read(numbers))[0]).toBeCloseTo(0.1, 4)
  using twice = add(bits, bits)
  using wide = cast(twice, 'f32')
  expect([twice.dtype, ...(await read(wide))]).toEqual(['bf16', 2, -4])
})
