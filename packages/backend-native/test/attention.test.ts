// What attention promises beyond its values: bits that depend neither on threads nor on what a query does not see, keys that are never
// read, a cache in place, angles at far positions, errors instead of crashes.
import { WeftError } from '@weft/contracts'
import { full, grad, read, tensor, type Attrs, type DType, type Tensor } from '@weft/tensor'
import { attention, kvAppend, mul, rope, sum } from '@weft/tensor/ops'
import { createSamples, type SampleTensor } from '@weft/tensor/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { createNativeBackend, type NativeBackend } from '../src/index.ts'

const open: NativeBackend[] = []
const start = (threads = 2): NativeBackend => {
  const backend = createNativeBackend({ threads })
  open.push(backend)
  return backend
}

afterEach(async () => {
  for (const backend of open.splice(0)) await backend.dispose()
})

const placed = (backend: NativeBackend, { values, shape, dtype }: SampleTensor): Tensor => tensor(backend, values, shape, { dtype })

const valuesOf = async (x: Tensor): Promise<number[]> => Array.from(await read(x))

interface Sizes {
  readonly B: number
  readonly Tq: number
  readonly Tk: number
  readonly H: number
  readonly K: number
}

const headSize = 16
const options = { causal: true, scale: 0.25 } as const

const samplesOf = ({ B, Tq, Tk, H, K }: Sizes): Record<'q' | 'k' | 'v' | 'g', SampleTensor> => {
  const s = createSamples(7)
  return { q: s.normal([B, Tq, H, headSize]), k: s.normal([B, Tk, K, headSize]), v: s.normal([B, Tk, K, headSize]), g: s.normal([B, Tq, H, headSize]) }
}

/** Output and gradients of q, k, v. */
const run = async (threads: number, sizes: Sizes): Promise<number[][]> => {
  const backend = start(threads)
  const { q, k, v, g } = samplesOf(sizes)
  const inputs = [q, k, v].map((x) => placed(backend, x)) as [Tensor, Tensor, Tensor]
  const [tq, tk, tv] = inputs
  const output = attention({ q: tq, k: tk, v: tv }, options)
  const gradients = grad(() => sum(mul(attention({ q: tq, k: tk, v: tv }, options), placed(backend, g))), inputs)
  return Promise.all([output, ...gradients].map(valuesOf))
}

describe('attention', () => {
  it.each([
    ['many heads', { B: 3, Tq: 300, Tk: 300, H: 4, K: 4 }],
    ['one head, several ranges of keys', { B: 1, Tq: 600, Tk: 600, H: 2, K: 1 }],
    ['few queries', { B: 1, Tq: 3, Tk: 1300, H: 2, K: 1 }],
    ['some queries', { B: 1, Tq: 25, Tk: 1300, H: 2, K: 1 }],
  ])('has the same bits whatever the number of threads: %s', async (_, sizes) => {
    const single = await run(1, sizes)
    for (const threads of [2, 5]) expect(await run(threads, sizes)).toEqual(single)
  })

  it('gives a row of a batch the bits of that row alone, backward too', async () => {
    const sizes = { B: 9, Tq: 300, Tk: 300, H: 2, K: 1 } // alone, its ranges of keys are divided among the threads
    const whole = await run(2, sizes)
    const backend = start(2)
    const { q, k, v, g } = samplesOf(sizes)
    const first = (x: SampleTensor): Tensor => tensor(backend, Array.from(x.values).slice(0, x.values.length / 9), [1, ...x.shape.slice(1)])
    const inputs = [q, k, v].map(first) as [Tensor, Tensor, Tensor]
    const call = (): Tensor => attention({ q: inputs[0], k: inputs[1], v: inputs[2] }, options)
    const results = await Promise.all([call(), ...grad(() => sum(mul(call(), first(g))), inputs)].map(valuesOf))
    results.forEach((values, i) => expect(values).toEqual(whole[i]!.slice(0, values.length)))
  })

  it.each([100, 700])('gives earlier queries the same bits when later keys change, or are not there: %i tokens', async (tokens) => {
    const backend = start()
    const sizes = { B: 1, Tq: tokens, Tk: tokens, H: 2, K: 2 }
    const { q, k, v } = samplesOf(sizes)
    const kept = 61
    const size = kept * 2 * headSize
    const changed = (x: SampleTensor): SampleTensor => ({ ...x, values: Array.from(x.values).map((value, i) => (i < size ? value : 3 - value)) })
    const cut = (x: SampleTensor): SampleTensor => ({ ...x, shape: [1, kept, 2, headSize], values: Array.from(x.values).slice(0, size) })
    const of = (a: SampleTensor, b: SampleTensor, c: SampleTensor): Promise<number[]> => valuesOf(attention({ q: placed(backend, a), k: placed(backend, b), v: placed(backend, c) }, options))
    const before = (await of(q, k, v)).slice(0, size)
    expect((await of(q, changed(k), changed(v))).slice(0, size)).toEqual(before)
    expect(await of(cut(q), cut(k), cut(v))).toEqual(before)
  })

  it.each([1, 20])('never reads keys beyond keyLengths: %i queries', async (Tq) => {
    const backend = start()
    const sizes = { B: 2, Tq, Tk: 600, H: 2, K: 2 }
    const { q, k, v } = samplesOf(sizes)
    const poisoned = (x: SampleTensor): Tensor => {
      const row = 600 * 2 * headSize
      return tensor(backend, Array.from(x.values).map((value, i) => (i % row < 550 * 2 * headSize ? value : NaN)), x.shape)
    }
    const inputs = { q: placed(backend, q), k: poisoned(k), v: poisoned(v) }
    const results = [attention(inputs, { ...options, keyLengths: [550, 401] }), ...grad(() => sum(attention(inputs, { ...options, keyLengths: [550, 401] })), [inputs.q, inputs.k, inputs.v])]
    for (const result of results) expect((await valuesOf(result)).some(Number.isNaN)).toBe(false)
  })

  it('keeps NaN of a query to that query', async () => {
    const backend = start()
    const { q, k, v } = samplesOf({ B: 1, Tq: 40, Tk: 40, H: 1, K: 1 })
    const values = Array.from(q.values)
    values[5 * headSize + 2] = NaN
    const output = await valuesOf(attention({ q: tensor(backend, values, q.shape), k: placed(backend, k), v: placed(backend, v) }, options))
    expect(Array.from({ length: 40 }, (_, row) => output.slice(row * headSize, (row + 1) * headSize).some(Number.isNaN))).toEqual(Array.from({ length: 40 }, (_, row) => row === 5))
  })

  it('weighs scores of any size', async () => {
    const backend = start()
    const { q, k, v } = samplesOf({ B: 1, Tq: 3, Tk: 3, H: 1, K: 1 })
    const output = await valuesOf(attention({ q: placed(backend, q), k: placed(backend, k), v: placed(backend, v) }, { causal: true, scale: 1e4 }))
    expect(output.every(Number.isFinite)).toBe(true)
    expect(output.slice(0, headSize)).toEqual(Array.from(v.values).slice(0, headSize))
  })
})

describe('rope', () => {
  it('turns by the right angle at far positions', async () => {
    const backend = start()
    const positions = [0, 1, 4095, 131_071, 16_777_217, 2_000_000_003]
    const frequencies = [1, 0.6180339887, 0.001]
    const x = tensor(backend, positions.flatMap(() => [1, 1, 1, 0, 0, 0]), [1, positions.length, 1, 6])
    const turned = await valuesOf(rope(x, tensor(backend, frequencies, [3]), { positions: tensor(backend, positions, [1, positions.length], { dtype: 'i32' }) }))
    positions.forEach((position, t) =>
      frequencies.forEach((frequency, i) => {
        const angle = position * Math.fround(frequency)
        expect(Math.abs(turned[t * 6 + i]! - Math.cos(angle))).toBeLessThan(1e-6)
        expect(Math.abs(turned[t * 6 + 3 + i]! - Math.sin(angle))).toBeLessThan(1e-6)
      }),
    )
  })
})

describe('kvAppend', () => {
  it('writes in place where the cache is given away', async () => {
    const backend = start()
    const cache = full(backend, [2, 1000, 2, 16], 0)
    const rows = full(backend, [2, 3, 2, 16], 1)
    const before = backend.memory().bytes
    const after = kvAppend(cache, rows, { at: [0, 997] })
    expect(backend.memory().bytes).toBe(before)
    expect((await valuesOf(after)).reduce((a, b) => a + b)).toBe(2 * 3 * 2 * 16)
  })
})

interface Given {
  readonly shape: readonly number[]
  readonly dtype?: DType
}

/** A call that no operation of Weft would make. @returns the error of a read. */
const callDirectly = async (op: string, inputs: readonly (Given | undefined)[], outputs: readonly Given[], attrs: Attrs): Promise<unknown> => {
  const backend = start()
  const operands = inputs.map((given) => {
    if (given === undefined) return undefined
    const { shape, dtype = 'f32' } = given
    const bytes = shape.reduce((a, b) => a * b, 1) * (dtype === 'bf16' ? 2 : 4)
    return { data: backend.upload(new Uint8Array(bytes), shape, dtype), shape, dtype }
  })
  const metas = outputs.map(({ shape, dtype = 'f32' }) => ({ shape, dtype }))
  const [data] = backend.kernels[op]!({ inputs: operands, donated: operands.map(() => false), attrs, outputs: metas })
  return backend.read({ data: data!, ...metas[0]! }).catch((error: unknown) => error)
}

const heads = (B: number, T: number, H: number, D: number): Given => ({ shape: [B, T, H, D] })
const plain = { causal: 1, window: 0, softcap: 0, scale: 1 }

describe('what does not fit becomes an error', () => {
  const none = [undefined, undefined, undefined, undefined, undefined, undefined]
  it.each<readonly [string, string, readonly (Given | undefined)[], readonly Given[], Attrs, RegExp]>([
    ['heads of another size', 'attention', [heads(1, 4, 2, 8), heads(1, 4, 2, 7), heads(1, 4, 2, 8), ...none], [heads(1, 4, 2, 8)], plain, /expected k of shape/],
    ['heads that are no multiple', 'attention', [heads(1, 4, 3, 8), heads(1, 4, 2, 8), heads(1, 4, 2, 8), ...none], [heads(1, 4, 3, 8)], plain, /no multiple/],
    ['a smaller output', 'attention', [heads(1, 4, 2, 8), heads(1, 4, 2, 8), heads(1, 4, 2, 8), ...none], [heads(1, 3, 2, 8)], plain, /the output/],
    ['keyLengths beyond the keys', 'attention', [heads(1, 4, 2, 8), heads(1, 4, 2, 8), heads(1, 4, 2, 8), ...none], [heads(1, 4, 2, 8)], { ...plain, keyLengths: [5] }, /keyLengths in 0/],
    ['keyLengths of another batch', 'attention', [heads(1, 4, 2, 8), heads(1, 4, 2, 8), heads(1, 4, 2, 8), ...none], [heads(1, 4, 2, 8)], { ...plain, keyLengths: [1, 1] }, /expected 1 keyLengths/],
    ['positions too short', 'attention', [heads(1, 4, 2, 8), heads(1, 4, 2, 8), heads(1, 4, 2, 8), { shape: [1, 3], dtype: 'i32' }], [heads(1, 4, 2, 8)], plain, /queryPositions/],
    ['a bias too narrow', 'attention', [heads(1, 4, 2, 8), heads(1, 4, 2, 8), heads(1, 4, 2, 8), undefined, undefined, undefined, undefined, heads(1, 2, 4, 3)], [heads(1, 4, 2, 8)], plain, /expected bias/],
    ['a log-sum-exp too short', 'attentionBackward', [heads(1, 4, 2, 8), heads(1, 4, 2, 8), heads(1, 4, 2, 8), ...none, heads(1, 4, 2, 8), { shape: [1, 2, 3] }, heads(1, 4, 2, 8)], [heads(1, 4, 2, 8)], { ...plain, needs: [1] }, /logSumExp/],
    ['a gradient that is asked for but has no place', 'attentionBackward', [heads(1, 4, 2, 8), heads(1, 4, 2, 8), heads(1, 4, 2, 8), ...none, heads(1, 4, 2, 8), { shape: [1, 2, 4] }, heads(1, 4, 2, 8)], [heads(1, 4, 2, 8)], { ...plain, needs: [1, 1] }, /output/],
    ['too many frequencies', 'rope', [heads(1, 4, 2, 8), { shape: [5] }], [heads(1, 4, 2, 8)], { offset: 0, scale: 1 }, /half as many/],
    ['a joint of another width', 'qkvRope', [{ shape: [1, 4, 30] }, { shape: [4] }], [heads(1, 4, 2, 8), heads(1, 4, 1, 8), heads(1, 4, 1, 8)], { numHeads: 2, numKvHeads: 1, offset: 0, scale: 1 }, /do not fit/],
    ['rows beyond the cache', 'kvAppend', [heads(1, 4, 2, 8), heads(1, 2, 2, 8)], [heads(1, 4, 2, 8)], { at: [3] }, /do not fit/],
  ])('%s', async (_, op, inputs, outputs, attrs, message) => {
    const error = await callDirectly(op, inputs, outputs, attrs)
    expect(error).toBeInstanceOf(WeftError)
    expect(String(error)).toMatch(message)
  })
})
