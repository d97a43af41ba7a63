// What the kit does not ask of matrix products: the same bits whatever the number of rows and of threads, values that are no numbers,
// and calls that no operation would make.
import { createRandomSource } from '@weft/contracts'
import { read, tensor, type DType, type Kernel, type Meta, type Tensor } from '@weft/tensor'
import { linear, matMul, slice } from '@weft/tensor/ops'
import { afterEach, describe, expect, it } from 'vitest'
import { createNativeBackend, type InstructionSet, type NativeBackend, type NativeBuffer } from '../src/index.ts'

const open: NativeBackend[] = []
const start = (instructionSet: InstructionSet, threads = 2): NativeBackend => {
  const backend = createNativeBackend({ instructionSet, threads })
  open.push(backend)
  return backend
}

afterEach(async () => {
  for (const backend of open.splice(0)) await backend.dispose()
})

const noise = (size: number, seed: number): Float32Array => {
  const source = createRandomSource({ seed })
  return Float32Array.from({ length: size }, () => source.nextFloat() * 2 - 1)
}

const bitsOf = async (x: Tensor): Promise<readonly number[]> => {
  const values = (await read(x)) as Float32Array
  return Array.from(new Uint32Array(values.buffer, values.byteOffset, values.length))
}

const instructionSets = ['avx512', 'avx2', 'baseline'] as const

describe.each(instructionSets)('products, %s', (instructionSet) => {
  // Rows by the dozen and one more, skinny ones, so many that b is packed, and more than a worker takes at a time.
  const rowCounts = [2, 3, 4, 5, 6, 7, 12, 13, 25, 100, 200, 800, 2100]
  const most = Math.max(...rowCounts)

  it.each<readonly [DType, number, number, boolean]>([
    ['f32', 77, 1100, false],
    ['f32', 77, 1100, true],
    ['f32', 1024, 520, false],
    ['f32', 200, 30, false],
    ['bf16', 50, 1100, true],
    ['bf16', 50, 1101, false],
    ['f16', 40, 600, true],
  ])('a row has the same bits in any batch: %s, n %i, k %i, transposed b: %s', async (dtype, n, k, transposeB) => {
    const backend = start(instructionSet)
    const a = tensor(backend, noise(most * k, 1), [most, k], { dtype })
    const b = tensor(backend, noise(n * k, 2), transposeB ? [n, k] : [k, n], { dtype })
    const first = await bitsOf(matMul(slice(a, [0, 0], [1, k]), b, { transposeB }))
    for (const m of rowCounts) {
      const rows = await bitsOf(matMul(slice(a, [0, 0], [m, k]), b, { transposeB }))
      expect(rows.slice(0, n), `${m} rows`).toEqual(first)
    }
  })

  it('the same where a worker gathers sums of many rows in pieces of columns', async () => {
    const backend = start(instructionSet, 1)
    const [k, n] = [1030, 700]
    const x = tensor(backend, noise(most * k, 11), [most, k], { dtype: 'bf16' })
    const weight = tensor(backend, noise(n * k, 12), [n, k], { dtype: 'bf16' })
    const first = await bitsOf(linear(slice(x, [0, 0], [1, k]), weight))
    expect((await bitsOf(linear(x, weight))).slice(0, n)).toEqual(first)
    const last = await bitsOf(linear(slice(x, [most - 1, 0], [1, k]), weight))
    expect((await bitsOf(linear(x, weight))).slice(-n)).toEqual(last)
  })

  it('the same with everything that linear fuses', async () => {
    const backend = start(instructionSet)
    const [k, n] = [1030, 70]
    const x = tensor(backend, noise(most * k, 3), [most, k])
    const weight = tensor(backend, noise(n * k, 4), [n, k])
    const bias = tensor(backend, noise(n, 5), [n])
    const residual = tensor(backend, noise(most * n, 6), [most, n])
    const call = (m: number): Tensor => linear(slice(x, [0, 0], [m, k]), weight, { bias, activation: 'gelu', residual: slice(residual, [0, 0], [m, n]) })
    const first = await bitsOf(call(1))
    for (const m of rowCounts) expect((await bitsOf(call(m))).slice(0, n), `${m} rows`).toEqual(first)
  })

  it('any number of threads gives the same bits', async () => {
    const results = await Promise.all([1, 2, 3].map((threads) => {
      const backend = start(instructionSet, threads)
      return bitsOf(matMul(tensor(backend, noise(150 * 900, 7), [150, 900]), tensor(backend, noise(900 * 260, 8), [900, 260])))
    }))
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
  })

  it('NaN and infinities go where they belong and nowhere else', async () => {
    const backend = start(instructionSet)
    const [m, n, k] = [14, 35, 40]
    const [a, b] = [noise(m * k, 9), noise(k * n, 10)]
    a[3 * k + 7] = NaN
    a[5 * k + 1] = Infinity
    b[11 * n + 34] = NaN // in the last, narrow panel
    b[12 * n + 2] = -Infinity
    for (let i = 0; i < m; i++) a[i * k + 20] = 0
    b[20 * n + 9] = Infinity // 0 · ∞
    const values = Array.from(await read(matMul(tensor(backend, a, [m, k]), tensor(backend, b, [k, n]))))
    values.forEach((value, at) => {
      const [row, column] = [Math.floor(at / n), at % n]
      let expected = 0
      for (let p = 0; p < k; p++) expected += a[row * k + p]! * b[p * n + column]!
      if (Number.isFinite(expected)) expect(value).toBeCloseTo(expected, 4)
      else expect(value, `row ${row}, column ${column}`).toEqual(expected)
    })
  })

  it('relu keeps NaN', async () => {
    const backend = start(instructionSet)
    const y = linear(tensor(backend, [NaN, -1, 2], [3, 1]), tensor(backend, [1], [1, 1]), { activation: 'relu' })
    expect(Array.from(await read(y))).toEqual([NaN, 0, 2])
  })
})

describe('calls that no operation makes', () => {
  const x: Meta = { shape: [4, 6], dtype: 'f32' }
  const call = (name: string, inputs: readonly (Meta | undefined)[], attrs: Parameters<Kernel<NativeBuffer>>[0]['attrs'], outputs: readonly Meta[]) => {
    const backend = start('avx512')
    const operands = inputs.map((meta) => {
      if (meta === undefined) return undefined
      const bytes = meta.shape.reduce((product, size) => product * size, 1) * (meta.dtype === 'f32' || meta.dtype === 'i32' ? 4 : 2)
      return { ...meta, data: backend.upload(new Uint8Array(bytes), meta.shape, meta.dtype) }
    })
    const [data] = (backend.kernels[name] as Kernel<NativeBuffer>)({ inputs: operands, donated: operands.map(() => false), attrs, outputs })
    return backend.read({ ...outputs[0]!, data: data! })
  }
  const plain = { transposeA: false, transposeB: false }
  const none = { activation: 'none', layout: 'outIn' }

  it.each<readonly [string, string, readonly (Meta | undefined)[], Parameters<typeof call>[2], readonly Meta[]]>([
    ['inner sizes differ', 'matMul', [x, x], plain, [x]],
    ['an output too large', 'matMul', [x, { ...x, shape: [6, 5] }], plain, [{ ...x, shape: [40, 50] }]],
    ['a batch that does not broadcast', 'matMul', [{ ...x, shape: [2, 4, 6] }, { ...x, shape: [3, 6, 5] }], plain, [{ ...x, shape: [3, 4, 5] }]],
    ['integers', 'matMul', [{ ...x, dtype: 'i32' }, { shape: [6, 5], dtype: 'i32' }], plain, [{ shape: [4, 5], dtype: 'i32' }]],
    ['a vector', 'matMul', [{ ...x, shape: [6] }, { ...x, shape: [6, 5] }], plain, [{ ...x, shape: [1, 5] }]],
    ['a weight of another size', 'linear', [x, { ...x, shape: [5, 7] }, undefined, undefined], none, [{ ...x, shape: [4, 5] }]],
    ['a bias too short', 'linear', [x, { ...x, shape: [5, 6] }, { ...x, shape: [3] }, undefined], none, [{ ...x, shape: [4, 5] }]],
    ['a residual too short', 'linear', [x, { ...x, shape: [5, 6] }, undefined, { ...x, shape: [3, 5] }], none, [{ ...x, shape: [4, 5] }]],
    ['no preactivation', 'linearBackward', [x, { ...x, shape: [5, 6] }, undefined, { ...x, shape: [4, 5] }], { needs: [1, 1, 1], activation: 'gelu', layout: 'outIn' }, [x, { ...x, shape: [5, 6] }, { ...x, shape: [5] }]],
    ['ids of another number', 'expertLinear', [x, { ...x, shape: [2, 5, 6] }, { shape: [3, 1], dtype: 'i32' }], {}, [{ ...x, shape: [4, 1, 5] }]],
  ])('are refused: %s', async (_, name, inputs, attrs, outputs) => {
    await expect(call(name, inputs, attrs, outputs)).rejects.toThrow(new RegExp(`^${name}: `))
  })
})
