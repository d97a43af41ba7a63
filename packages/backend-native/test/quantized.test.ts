// Quantized weights on every instruction set: the kit's cases and those of this package; then what the kit cannot see: the bits of values
// against gguf's, packing in place, activations that are not finite, halves.
import { conformanceCases, createSamples, int8Sample, quantizedSample } from '@weft/tensor/testing'
import { memory, read, tensor, tidy, type Backend, type DType } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { dequantize, packQuantized, quantizedEmbedding, quantizedMatMul, type QuantizedFormat, type QuantizedTensor } from '@weft/tensor/ops'
import { afterAll, describe, expect, it } from 'vitest'
import { createNativeBackend, type InstructionSet, type NativeBackend } from '../src/index.ts'
import { quantized } from '../src/operations/quantized.ts'
import { runChild } from './children/run-child.ts'
import { blockOf, formats, quantizedCases } from './quantized-cases.ts'

const cases = conformanceCases({ cases: quantizedCases }).filter(({ op }) => op !== undefined && Object.hasOwn(quantized, op))

const started: Backend[] = []
afterAll(() => Promise.all(started.map((backend) => backend.dispose())))

const settings: readonly (readonly [InstructionSet, number])[] = [['avx512', 2], ['avx2', 1], ['baseline', 3]]

describe.each(settings)('quantized weights: %s, %i threads', (instructionSet, threads) => {
  const create = (): NativeBackend => createNativeBackend({ instructionSet, threads })
  it.each(cases)('$name', ({ run }) => run(create))
})

const start = (instructionSet?: InstructionSet, threads = 2): NativeBackend => {
  const backend = createNativeBackend({ threads, instructionSet })
  started.push(backend)
  return backend
}

const reference = createCpuBackend()

/** The same random weight on any backend. */
const weightOn = (backend: Backend, format: QuantizedFormat, shape: readonly number[]): QuantizedTensor => {
  const { values } = quantizedSample(createSamples(7), format, shape)
  return packQuantized({ format, shape, packed: tensor(backend, values, [values.length], { dtype: 'u8' }) })
}

describe.each(formats)('%s', (format) => {
  const width = 3 * blockOf(format)

  it.each(['avx512', 'avx2', 'baseline'] as const)('values and rows by ids, to the last bit: %s', async (instructionSet) => {
    const backend = start(instructionSet)
    for (const rows of [1, 15, 16, 17, 50]) {
      const [own, other] = [weightOn(backend, format, [rows, width]), weightOn(reference, format, [rows, width])]
      expect(await read(dequantize(own))).toEqual(await read(dequantize(other)))
      const ids = [rows - 1, 0, -1, rows >> 1, rows]
      // Adding 0: what ids out of range give may be −0 there.
      const on = async (where: Backend, weight: QuantizedTensor) => (await read(quantizedEmbedding(weight, tensor(where, ids, [5], { dtype: 'i32' })))).map((x) => x + 0)
      expect(await on(backend, own)).toEqual(await on(reference, other))
    }
  })

  it('leading axes are rows', async () => {
    expect(await read(dequantize(weightOn(start(), format, [3, 7, width])))).toEqual(await read(dequantize(weightOn(reference, format, [3, 7, width]))))
  })

  it('packs in place, and beside where somebody else holds the bytes', async () => {
    const backend = start()
    const { values } = quantizedSample(createSamples(7), format, [37, width])
    const upload = () => tensor(backend, values, [values.length], { dtype: 'u8' })
    const packed = upload()
    const handle = packed.storage('test').data
    const before = backend.memory()
    const inPlace = packQuantized({ format, shape: [37, width], packed })
    expect(inPlace.packed.storage('test').data).toBe(handle)
    expect(backend.memory()).toEqual(before)
    expect(memory(backend).missedDonations).toBe(0)
    const shared = upload()
    const other = shared.alias('test')
    const beside = packQuantized({ format, shape: [37, width], packed: shared })
    expect(await read(other)).toEqual(values)
    expect(await read(beside.packed)).toEqual(await read(inPlace.packed))
  })
})

describe('int8 activations', () => {
  const [rows, outputs, width] = [19, 40, 512]
  const x = int8Sample(createSamples(3), [rows, width]).values as Float32Array
  const product = async (backend: Backend, format: QuantizedFormat, values: ArrayLike<number>, dtype: DType = 'f32'): Promise<ArrayLike<number>> => {
    const weight = weightOn(backend, format, [outputs, width])
    const input = tensor(backend, values, [values.length / width, width], { dtype })
    return read(quantizedMatMul(input, weight, { activations: 'int8' }))
  }

  it.each(formats)('%s: rows have the same bits alone, in any batch, with any number of threads', async (format) => {
    const backend = start()
    const all = Array.from(await product(backend, format, x))
    expect(Array.from(await product(start(undefined, 3), format, x))).toEqual(all)
    for (const [first, count] of [[0, 1], [4, 1], [3, 2], [1, 5], [6, 6], [2, 13]] as const) {
      const part = await product(backend, format, x.slice(first * width, (first + count) * width))
      expect(Array.from(part)).toEqual(all.slice(first * outputs, (first + count) * outputs))
    }
  })

  it.each(['avx512', 'avx2'])('the processor’s dot products give the bits that processors without give: %s', async (instructionSet) => {
    const [all, none] = await Promise.all(['all', 'none'].map((features) => runChild('quantized-bits.ts', { args: [instructionSet], environment: { WEFT_NATIVE_FEATURES: features } })))
    expect(all).toMatchObject({ code: 0, output: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(none).toEqual(all)
  })

  it.each(['avx512', 'avx2', 'baseline'] as const)('NaN and infinity reach the outputs of their rows, as in the decomposition: %s', async (instructionSet) => {
    const spoiled = x.slice(0, 4 * width)
    spoiled[40] = NaN
    spoiled[width + 511] = Infinity
    spoiled[2 * width] = -Infinity
    const expected = Array.from(await product(reference, 'q4_1', spoiled))
    expect(expected.slice(0, 3 * outputs).every(Number.isNaN)).toBe(true)
    const backend = start(instructionSet)
    for (const format of ['q4_1', 'q8_0', 'q6_k'] as const) {
      const got = Array.from(await product(backend, format, spoiled))
      expect(got.map(Number.isNaN)).toEqual(expected.map(Number.isNaN))
    }
  })

  it('zeros give zeros, tiny numbers vanish or stay tiny', async () => {
    const backend = start()
    expect(Array.from(await product(backend, 'q8_0', new Float32Array(width)))).toEqual(new Array<number>(outputs).fill(0))
    const tiny = Array.from(await product(backend, 'q8_0', new Float32Array(width).fill(2e-43)))
    expect(tiny.every((value) => Math.abs(value) < 1e-39)).toBe(true)
  })

  it.each(['bf16', 'f16'] as const)('%s in and out', async (dtype) => {
    const backend = start()
    for (const count of [1, 19]) {
      // The same values in f32 give the same sums; only the outputs are rounded.
      const halves = tidy(() => tensor(backend, x.slice(0, count * width), [count, width], { dtype }))
      const values = await read(halves)
      const expected = tensor(backend, await product(backend, 'q4_1', values), [count, outputs], { dtype })
      expect(await read(quantizedMatMul(halves, weightOn(backend, 'q4_1', [outputs, width]), { activations: 'int8' }))).toEqual(await read(expected))
    }
  })
})
