import fc from 'fast-check'
import { createRandomSource } from '@weft/contracts'
import { expect, test } from 'vitest'
import { createCpuBackend } from '@weft/tensor/cpu'
import { grad, memory, tensor, tidy, type Tensor } from '@weft/tensor'
import { dequantize, embedding, expertLinear, linear, linearCrossEntropy, matMul, mul, packQuantized, quantizedMatMul, sum, type QuantizedTensor } from '@weft/tensor/ops'
import { backend, expectClose, f32, f64, i32, numbers, sample, valuesOf } from '../../test/closeness.ts'

const half = (bytes: Uint8Array, at: number): number => {
  const bits = bytes[at]! | (bytes[at + 1]! << 8)
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
  return exponent === 0 ? sign * fraction * 2 ** -24 : exponent === 31 ? (fraction ? NaN : sign * Infinity) : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

const signed = (byte: number): number => (byte << 24) >> 24
const f = Math.fround

/** The formats of one kind each; all of them are in quantized-format.test.ts. */
type CheckedFormat = 'q8_0' | 'q4_0' | 'q4_1' | 'q4_k' | 'q6_k'

/** One block with shifts and masks, as the layouts are written down in ggml; every step rounded to f32. */
const decoders: Readonly<Record<CheckedFormat, { readonly bytes: number; readonly values: number; readonly halves: readonly number[]; decode(b: Uint8Array): number[] }>> = {
  q8_0: { bytes: 34, values: 32, halves: [0], decode: (b) => Array.from({ length: 32 }, (_, i) => f(half(b, 0) * signed(b[2 + i]!))) },
  q4_0: { bytes: 18, values: 32, halves: [0], decode: (b) => Array.from({ length: 32 }, (_, i) => f(half(b, 0) * ((i < 16 ? b[2 + i]! & 15 : b[2 + i - 16]! >> 4) - 8))) },
  q4_1: { bytes: 20, values: 32, halves: [0, 2], decode: (b) => Array.from({ length: 32 }, (_, i) => f(f(half(b, 0) * (i < 16 ? b[4 + i]! & 15 : b[4 + i - 16]! >> 4)) + half(b, 2))) },
  q4_k: {
    bytes: 144,
    values: 256,
    halves: [0, 2],
    decode: (b) =>
      Array.from({ length: 256 }, (_, i) => {
        const j = i >> 5
        const s = b.subarray(4, 16)
        const scale = j < 4 ? s[j]! & 63 : (s[j + 4]! & 15) | ((s[j - 4]! >> 6) << 4)
        const minimum = j < 4 ? s[j + 4]! & 63 : (s[j + 4]! >> 4) | ((s[j]! >> 6) << 4)
        const byte = b[16 + (i >> 6) * 32 + (i & 31)]!
        return f(f(f(half(b, 0) * scale) * (j & 1 ? byte >> 4 : byte & 15)) - f(half(b, 2) * minimum))
      }),
  },
  q6_k: {
    bytes: 210,
    values: 256,
    halves: [208],
    decode: (b) =>
      Array.from({ length: 256 }, (_, i) => {
        const [part, l, quarter] = [i >> 7, i & 31, (i >> 5) & 3]
        const low = b[part * 64 + (quarter & 1) * 32 + l]!
        const high = (b[128 + part * 32 + l]! >> (2 * quarter)) & 3
        const q = ((quarter < 2 ? low & 15 : low >> 4) | (high << 4)) - 32
        return f(f(half(b, 208) * signed(b[192 + (i >> 4)]!)) * q)
      }),
  },
}

const formats = Object.keys(decoders) as CheckedFormat[]

/** Random bytes with ordinary scales. */
const packedBytes = (format: CheckedFormat, blocks: number, seed: number): Uint8Array => {
  const source = createRandomSource({ seed })
  const { bytes, halves } = decoders[format]
  const all = Uint8Array.from({ length: blocks * bytes }, () => source.nextUint32() >>> 24)
  for (let block = 0; block < blocks; block++) for (const at of halves) all[block * bytes + at + 1] = (all[block * bytes + at + 1]! & 0x83) | 0x24 // ± around 2^-6
  return all
}

const decodeAll = (format: CheckedFormat, all: Uint8Array): number[] => {
  const { bytes, decode } = decoders[format]
  return Array.from({ length: all.length / bytes }, (_, i) => decode(all.subarray(i * bytes, i * bytes + bytes))).flat()
}

const weightOf = (format: CheckedFormat, shape: readonly number[], seed = 1): { readonly weight: QuantizedTensor; readonly values: number[] } => {
  const bytes = packedBytes(format, shape.reduce((a, b) => a * b) / decoders[format].values, seed)
  return { weight: { format, packed: tensor(backend, bytes, [bytes.length]), shape }, values: decodeAll(format, bytes) }
}

test.each(formats)('%s: every bit as ggml decodes it', async (format) => {
  await fc.assert(
    fc.asyncProperty(fc.nat(10_000), async (seed) => {
      const { weight, values } = weightOf(format, [2, 512], seed)
      expect(await valuesOf(dequantize(weight))).toEqual(values)
    }),
    { numRuns: 15 },
  )
})

test.each(formats)('%s: products, rows and gradients are those of the decoded weight', async (format) => {
  const { weight, values } = weightOf(format, [5, 256])
  const x = sample([3, 256], 2).x
  const dense = f64(values, [5, 256])
  expectClose(await valuesOf(quantizedMatMul(x, weight)), await valuesOf(matMul(x, dense, { transposeB: true })))
  const rows = [...values.slice(4 * 256), ...values.slice(0, 256), ...Array<number>(256).fill(0)]
  expectClose(await valuesOf(embedding(weight, i32([4, 0, 7], [3]))), rows, { rtol: 0, atol: 0 })
  const [residual, bias] = [sample([3, 5], 3).x, sample([5], 4).x]
  const options = { residual, bias, activation: 'silu' as const }
  expectClose(await valuesOf(linear(x, weight, options)), await valuesOf(linear(x, dense, options)))
  const weights = sample([3, 5], 5).x
  const gradients = (w: QuantizedTensor | Tensor): Promise<number[][]> => Promise.all(grad(() => tidy(() => sum(mul(weights, linear(x, w, options)))), [x, bias, residual]).map(valuesOf))
  const [got, expected] = [await gradients(weight), await gradients(dense)]
  got.forEach((slope, i) => expectClose(slope, expected[i]!))
})

test('a loss over a quantized head, in chunks that are not kept', async () => {
  const { weight, values } = weightOf('q4_0', [40, 32])
  const dense = f64(values, [40, 32])
  const [hidden, bias] = [sample([6, 32], 6).x, sample([40], 7).x]
  const targets = i32([1, 39, -1, 7, 7, 0], [6])
  const options = { bias, softcap: 20, logitScale: 0.7, chunkRows: 4, labelSmoothing: 0.1 }
  expectClose(await valuesOf(linearCrossEntropy(hidden, weight, targets, options)), await valuesOf(linearCrossEntropy(hidden, dense, targets, options)))
  const gradients = (w: QuantizedTensor | Tensor): Promise<number[][]> => Promise.all(grad(() => tidy(() => sum(linearCrossEntropy(hidden, w, targets, options))), [hidden, bias]).map(valuesOf))
  const [got, expected] = [await gradients(weight), await gradients(dense)]
  got.forEach((slope, i) => expectClose(slope, expected[i]!))
})

test('quantized experts', async () => {
  const { weight, values } = weightOf('q8_0', [3, 4, 32])
  const dense = f64(values, [3, 4, 32])
  const x = sample([5, 32], 8).x
  const ids = i32([0, 2, 1, 1, 2, 0, 0, 1, 2, 2], [5, 2])
  expectClose(await valuesOf(expertLinear(x, weight, ids)), await valuesOf(expertLinear(x, dense, ids)))
  const gradient = (w: QuantizedTensor | Tensor): Promise<number[]> => valuesOf(grad(() => tidy(() => sum(mul(expertLinear(x, w, ids), expertLinear(x, w, ids)))), [x])[0]!)
  expectClose(await gradient(weight), await gradient(dense))
})

test('int8 activations are within half a step of each block, and exact where they are multiples of it', async () => {
  const { weight, values } = weightOf('q8_0', [4, 64])
  const dense = f64(values, [4, 64])
  const { x, values: xs } = sample([2, 64], 9)
  const [rounded, exact] = [await valuesOf(quantizedMatMul(x, weight, { activations: 'int8' })), await valuesOf(matMul(x, dense, { transposeB: true }))]
  rounded.forEach((value, i) => {
    const [r, c] = [i >> 2, i & 3]
    let bound = 0
    for (let k = 0; k < 64; k++) {
      const block = xs.slice(r * 64 + (k & 32), r * 64 + (k & 32) + 32)
      bound += (Math.abs(values[c * 64 + k]!) * Math.max(...block.map(Math.abs))) / 254
    }
    expect(Math.abs(value - exact[i]!)).toBeLessThan(bound)
  })
  const whole = f64(Array.from({ length: 64 }, (_, i) => (i % 32 === 5 ? 127 : (i * 7) % 100)), [1, 64])
  expectClose(await valuesOf(quantizedMatMul(whole, weight, { activations: 'int8' })), await valuesOf(matMul(whole, dense, { transposeB: true })), { rtol: 1e-10, atol: 1e-9 })
  expect(await valuesOf(quantizedMatMul(f64(Array<number>(64).fill(0), [1, 64]), weight, { activations: 'int8' }))).toEqual([0, 0, 0, 0])
})

test('packing consumes the bytes without a copy; a large weight is unpacked in parts', async () => {
  const own = createCpuBackend()
  const [rows, width] = [1040, 8192]
  const packed = tensor(own, new Uint8Array((rows * width * 18) / 32), [(rows * width * 18) / 32])
  const weight = packQuantized({ format: 'q4_0', packed, shape: [rows, width] })
  expect(packed.isDisposed).toBe(true)
  expect(memory(own)).toMatchObject({ buffers: 1, missedDonations: 0 })
  const before = memory(own).bytes
  const y = quantizedMatMul(tensor(own, new Float32Array(width), [1, width]), weight)
  expect(y.shape).toEqual([1, rows])
  expect(memory(own).peakBytes - before).toBeLessThan(rows * width * 4 * 4)
})

test('bytes that do not fit the shape, and unknown formats, are refused', () => {
  const bytes = tensor(backend, new Uint8Array(34), [34])
  expect(() => dequantize({ format: 'q8_0', packed: bytes, shape: [2, 32] })).toThrow('dequantize: q8_0 of [2, 32] is 68 bytes, got 34')
  expect(() => dequantize({ format: 'q8_0', packed: bytes, shape: [1, 16] })).toThrow('dequantize: q8_0 needs rows of a multiple of 32 values, got [1, 16]')
  expect(() => packQuantized({ format: 'iq2_xs' as 'q8_0', packed: bytes, shape: [1, 32] })).toThrow(/expected a format of q8_0, q4_0, q4_1, q5_0, .*, got "iq2_xs"/)
  expect(() => quantizedMatMul(f32(numbers(16, 1), [1, 16]), { format: 'q8_0', packed: bytes, shape: [1, 32] })).toThrow('quantizedMatMul: expected x of shape [..., D] = [1, 32], got [1, 16]')
})

test('a weight without rows, and rows without values', async () => {
  const empty = tensor(backend, new Uint8Array(0), [0])
  const [x] = [f32(numbers(64, 1), [2, 32])]
  const none: QuantizedTensor = { format: 'q8_0', packed: empty, shape: [0, 32] }
  expect(quantizedMatMul(x, none).shape).toEqual([2, 0])
  expect(await valuesOf(grad(() => tidy(() => sum(quantizedMatMul(x, none))), [x])[0]!)).toEqual(new Array<number>(64).fill(0))
  for (const activations of ['float', 'int8'] as const) {
    expect(await valuesOf(quantizedMatMul(f32([], [2, 0]), { format: 'q8_0', packed: empty, shape: [3, 0] }, { activations }))).toEqual([0, 0, 0, 0, 0, 0])
  }
})
