// Properties of the primitives: any shape, any dtype, the same bits as the reference backend wherever both round once; sums that are
// right however long; the same bits for any number of threads.
import { read, tensor, tidy, type Backend, type DType, type Tensor } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { abs, add, broadcastTo, cast, concat, cumSum, div, equal, floor, gather, iota, lessThan, max, maximum, min, minimum, mul, neg, pad, permute, pow, reshape, scatterAdd, slice, softmax, sub, sum, where } from '@weft/tensor/ops'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { createNativeBackend, type InstructionSet } from '../src/index.ts'

interface Sample {
  readonly values: readonly number[]
  readonly shape: readonly number[]
  readonly dtype: DType
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

const stored = async (backend: Backend, inputs: readonly Sample[], f: (...xs: Tensor[]) => Tensor): Promise<Uint8Array> => {
  const out = tidy(() => f(...inputs.map(({ values, shape, dtype }) => tensor(backend, values, shape, { dtype }))))
  const bits = await read(out, { raw: true })
  out.dispose()
  return new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength)
}

/** Where the two differ, as a text that says the shapes. */
const expectSameBits = async (backend: Backend, inputs: readonly Sample[], f: (...xs: Tensor[]) => Tensor): Promise<void> => {
  const [got, expected] = await Promise.all([stored(backend, inputs, f), stored(reference, inputs, f)])
  if (Buffer.compare(got, expected) !== 0) {
    const at = got.findIndex((byte, i) => byte !== expected[i])
    throw new Error(`byte ${at} of ${expected.length} is ${got[at]}, expected ${expected[at]}: ${inputs.map(({ dtype, shape }) => `${dtype} [${shape.join(', ')}]`).join(', ')}`)
  }
}

const reference = createCpuBackend()
const dtypes = ['f32', 'i32', 'u8', 'f16', 'bf16'] as const satisfies readonly DType[]
const dtype = fc.constantFrom(...dtypes)

/** Sizes around the vectors' and the tiles' edges. */
const size = fc.constantFrom(1, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 64, 67, 130)
const shape = fc.array(fc.oneof({ weight: 30, arbitrary: size }, { weight: 1, arbitrary: fc.constant(0) }), { maxLength: 5 }).filter((sizes) => sizeOf(sizes) <= 30_000)
const seed = fc.integer({ min: 0, max: 2 ** 31 - 1 })

const specials = [0, -0, 1, -1, NaN, Infinity, -Infinity, 1e-40, 3e38, -3e38, 65504, 0.5, 2 ** 31, -(2 ** 31), 2 ** 33 + 2 ** 20, 300.7]

/** Values that the dtype can have, some of them odd. */
const valuesOf = (count: number, type: DType, start: number): number[] => {
  let state = start
  const next = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
  return Array.from({ length: count }, () => {
    if (type === 'u8') return Math.floor(next() * 256)
    if (type === 'i32') return next() < 0.1 ? [2 ** 31 - 1, -(2 ** 31), 0, -1][Math.floor(next() * 4)]! : Math.floor((next() - 0.5) * 2000)
    return next() < 0.05 ? specials[Math.floor(next() * specials.length)]! : (next() - 0.5) * 2 ** Math.floor(next() * 12)
  })
}
const sampleOf = (of: readonly number[], type: DType, start: number): Sample => ({ values: valuesOf(sizeOf(of), type, start), shape: of, dtype: type })

/** A shape that broadcasts to the given one, by the bits of a number. */
const narrowed = (to: readonly number[], bits: number): number[] => to.slice((bits >>> 8) % (to.length + 1)).map((n, i) => ((bits >>> i) & 1 ? 1 : n))

const check = (property: fc.IAsyncProperty<never> | fc.IAsyncPropertyWithHooks<never>): Promise<void> => fc.assert(property as never, { numRuns: 250 })

describe.each([['avx512', 2], ['avx2', 1], ['baseline', 3]] as const satisfies readonly (readonly [InstructionSet, number])[])('primitives: %s, %i threads', (instructionSet, threads) => {
  const backend = createNativeBackend({ instructionSet, threads })
  afterAll(() => backend.dispose())
  const same = (inputs: readonly Sample[], f: (...xs: Tensor[]) => Tensor): Promise<void> => expectSameBits(backend, inputs, f)

  it('binary operations broadcast', () => {
    const operations = { add, sub, mul, div, maximum, minimum, lessThan, equal }
    return check(fc.asyncProperty(shape, dtype, fc.constantFrom(...Object.values(operations)), seed, seed, async (to, type, f, a, b) => {
      // Not -0: which of two zeros is the larger is nobody's business.
      const sample = (start: number): Sample => ({ ...sampleOf(narrowed(to, start), type, start), values: valuesOf(sizeOf(narrowed(to, start)), type, start).map((x) => x + 0) })
      await same([sample(a), sample(b)], f)
    }) as never)
  })

  it('powers of integers', () =>
    check(fc.asyncProperty(seed, fc.constantFrom('i32', 'u8'), async (start, type) => {
      const base = sampleOf([40], type, start)
      await same([base, { values: base.values.map((_, i) => i % 5), shape: [40], dtype: type }], pow)
    }) as never))

  it('where takes one or the other', () =>
    check(fc.asyncProperty(shape, dtype, seed, seed, seed, async (to, type, c, a, b) => {
      const condition = sampleOf(narrowed(to, c), 'u8', c)
      await same([{ ...condition, values: condition.values.map((x) => (x < 128 ? 0 : x)) }, sampleOf(narrowed(to, a), type, a), sampleOf(narrowed(to, b), type, b)], where)
    }) as never))

  it('casts are those of typed arrays', () =>
    check(fc.asyncProperty(dtype, dtype, fc.integer({ min: 0, max: 200 }), seed, async (from, to, count, start) => same([sampleOf([count], from, start)], (x) => cast(x, to))) as never))

  it('neg, abs and floor', () =>
    check(fc.asyncProperty(shape, dtype, fc.constantFrom(neg, abs, floor), seed, async (of, type, f, start) => {
      // The sign of NaN is not defined.
      const x = sampleOf(of, type, start)
      await same([{ ...x, values: x.values.map((value) => (Number.isNaN(value) ? 0 : value)) }], f)
    }) as never))

  it('permute, slice and broadcastTo', () =>
    check(fc.asyncProperty(shape, dtype, seed, async (of, type, start) => {
      const axes = of.map((_, axis) => axis).sort((a, b) => ((start >>> a) & 7) - ((start >>> b) & 7) || b - a)
      await same([sampleOf(of, type, start)], (x) => permute(x, axes))
      const starts = of.map((n, i) => Math.min(n, (start >>> i) & 3))
      await same([sampleOf(of, type, start)], (x) => slice(x, starts, of.map((n, i) => Math.max(0, n - starts[i]! - ((start >>> (i + 5)) & 1)))))
      await same([sampleOf(narrowed(of, start), type, start)], (x) => broadcastTo(x, of))
    }) as never))

  it('transposes of whole and of odd tiles', async () => {
    for (const type of dtypes) {
      for (const [rows, columns] of [[64, 1024], [65, 1025], [200, 37], [1, 999], [16, 16], [1030, 70]] as const) await same([sampleOf([rows, columns], type, 5)], (x) => permute(x, [1, 0]))
      await same([sampleOf([3, 65, 4, 33], type, 5)], (x) => permute(x, [0, 2, 3, 1]))
    }
  })

  it('pad and concat', () =>
    check(fc.asyncProperty(shape, dtype, seed, fc.constantFrom(0, -1.5, 7), async (of, type, start, value) => {
      await same([sampleOf(of, type, start)], (x) => pad(x, of.map((_, i) => (start >>> i) & 1), of.map((_, i) => (start >>> (i + 7)) & 3), value))
      if (of.length === 0) return
      const axis = start % of.length
      const part = (n: number): Sample => sampleOf(of.map((old, i) => (i === axis ? n : old)), type, start + n)
      await same([part(2), part(0), part(5), part(1)], (...xs) => concat(xs, axis))
    }) as never))

  it('gather, with indices out of range', () =>
    check(fc.asyncProperty(shape.filter((sizes) => sizes.length > 0), dtype, fc.integer({ min: 0, max: 40 }), seed, async (of, type, count, start) => {
      const axis = start % of.length
      fc.pre(count * sizeOf(of) <= 30_000 * Math.max(1, of[axis]!))
      const indices = valuesOf(count, 'u8', start).map((x) => (x % (of[axis]! + 2)) - 1)
      await same([sampleOf(of, type, start), { values: indices, shape: [count], dtype: 'i32' }], (x, at) => gather(x, at, axis))
    }) as never))

  it('scatterAdd, whole numbers', () =>
    check(fc.asyncProperty(fc.integer({ min: 0, max: 300 }), fc.constantFrom(1, 3, 16, 33, 600), fc.integer({ min: 1, max: 90 }), fc.constantFrom('f32', 'i32', 'u8'), seed, async (count, inner, rows, type, start) => {
      const indices = valuesOf(count, 'u8', start).map((x) => (x % (rows + 2)) - 1)
      const updates = valuesOf(count * inner, 'u8', start)
      await same([{ values: indices, shape: [count], dtype: 'i32' }, { values: updates, shape: [count, inner], dtype: type }], (at, x) => scatterAdd(at, x, rows))
    }) as never))

  it('max and min over any axes, and sums of whole numbers', () =>
    check(fc.asyncProperty(shape, dtype, fc.constantFrom(max, min, sum), seed, async (of, type, f, start) => {
      const axes = of.map((_, axis) => axis).filter((axis) => (start >>> axis) & 1)
      const numbers = sampleOf(of, type, start)
      // Within the range in which i32 is exact, and in which halves are too.
      const whole = numbers.values.map((x) => (Number.isFinite(x) ? Math.trunc(x) % 8 : f === sum ? 1 : x) + 0)
      await same([{ ...numbers, values: whole }], (x) => f(x, { axes }))
    }) as never))

  it('long sums are right to the last digits', async () => {
    const count = 1_000_003
    const term = Math.fround(1.1)
    const values = new Float32Array(count).fill(term)
    const close = (got: number, expected: number): void => expect(Math.abs(got - expected)).toBeLessThanOrEqual(1.2e-7 * expected)
    const x = tensor(backend, values, [count])
    close((await read(sum(x)))[0]!, term * count)
    close((await read(cumSum(x)))[count - 1]!, term * count)
    const columns = tensor(backend, values.subarray(0, 1_000_000), [500_000, 2])
    for (const total of await read(sum(columns, { axes: [0] }))) close(total, term * 500_000)
    const wide = tensor(backend, values.subarray(0, 1_000_000), [2000, 500])
    for (const total of await read(sum(wide, { axes: [0] }))) close(total, term * 2000)
    const scattered = scatterAdd(tensor(backend, new Int32Array(500_000), [500_000]), columns, 1)
    for (const total of await read(scattered)) close(total, term * 500_000)
    for (const made of [x, columns, wide, scattered]) made.dispose()
  })
})

describe('any number of threads', () => {
  const backends = [1, 2, 5].map((threads) => createNativeBackend({ threads }))
  afterAll(() => Promise.all(backends.map((backend) => backend.dispose())))
  const x: Sample = { shape: [1037, 111], dtype: 'f32', values: valuesOf(1037 * 111, 'i32', 9).map((value) => Math.sin(value)) }
  const tall: Sample = { ...x, shape: [1037 * 37, 3] }

  it.each<readonly [string, Sample, (x: Tensor) => Tensor]>([
    ['a sum of all', x, (y) => sum(y)],
    ['sums of rows', x, (y) => sum(y, { axes: [1] })],
    ['sums of columns', x, (y) => sum(y, { axes: [0] })],
    ['sums of few columns', tall, (y) => sum(y, { axes: [0] })],
    ['softmax', x, (y) => softmax(y)],
    ['softmax of columns', x, (y) => softmax(y, { axis: 0 })],
    ['scatterAdd', x, (y) => scatterAdd(cast(lessThan(cast(iota(y.backend, 1037), 'f32'), reshape(slice(y, [0, 0], [1037, 1]), [1037])), 'i32'), y, 2)],
  ])('%s: the same bits', async (_, sample, f) => {
    const [first, ...others] = await Promise.all(backends.map((backend) => stored(backend, [sample], f)))
    for (const other of others) expect(Buffer.compare(first!, other)).toBe(0)
  })
})
