import { createRandomSource } from '@weft/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { grad, memory, tidy, type Tensor } from '@weft/tensor'
import { add, attention, mul, slice, sum } from '@weft/tensor/ops'
import { backend, expectClose, f32, f64, i32, numbers, sample, valuesOf } from '../../test/closeness.ts'

interface Problem {
  readonly B: number
  readonly Tq: number
  readonly Tk: number
  readonly H: number
  readonly K: number
  readonly D: number
  readonly causal: boolean
  readonly window?: number
  readonly softcap?: number
  readonly keyLengths?: readonly number[]
  readonly queryPositions?: readonly number[]
  readonly keyPositions?: readonly number[]
  readonly segments?: { readonly query: readonly number[]; readonly key: readonly number[] }
  readonly bias?: readonly number[]
  readonly sinks?: readonly number[]
}

/** The definition, one query and one head at a time. */
const byDefinition = (p: Problem, q: readonly number[], k: readonly number[], v: readonly number[], scale: number): number[] => {
  const { B, Tq, Tk, H, K, D } = p
  const out: number[] = []
  for (let b = 0; b < B; b++) {
    const end = p.keyLengths?.[b] ?? Tk
    for (let i = 0; i < Tq; i++) {
      for (let h = 0; h < H; h++) {
        const kv = Math.floor(h / (H / K))
        const queryAt = p.queryPositions?.[b * Tq + i] ?? end - Tq + i
        const sees = (j: number): boolean => {
          const keyAt = p.keyPositions?.[b * Tk + j] ?? j
          const inReach = j < end && keyAt >= 0 && (!p.causal || keyAt <= queryAt) && (p.window === undefined || queryAt - keyAt < p.window)
          return inReach && (p.segments === undefined || p.segments.query[b * Tq + i] === p.segments.key[b * Tk + j])
        }
        const score = (j: number): number => {
          let total = 0
          for (let d = 0; d < D; d++) total += q[((b * Tq + i) * H + h) * D + d]! * k[((b * Tk + j) * K + kv) * D + d]!
          const plain = total * scale
          const capped = p.softcap === undefined ? plain : p.softcap * Math.tanh(plain / p.softcap)
          return capped + (p.bias?.[((b * H + h) * Tq + i) * Tk + j] ?? 0)
        }
        const weights = Array.from({ length: Tk }, (_, j) => (sees(j) ? Math.exp(score(j)) : 0))
        const total = weights.reduce((sum, w) => sum + w, p.sinks === undefined ? 0 : Math.exp(p.sinks[h]!))
        for (let d = 0; d < D; d++) {
          let mixed = 0
          for (let j = 0; j < Tk; j++) mixed += weights[j]! * v[((b * Tk + j) * K + kv) * D + d]!
          out.push(total === 0 ? 0 : mixed / total)
        }
      }
    }
  }
  return out
}

const check = async (p: Problem, seed: number): Promise<void> => {
  const { B, Tq, Tk, H, K, D } = p
  const scale = D ** -0.5
  const [q, k, v] = [sample([B, Tq, H, D], seed), sample([B, Tk, K, D], seed + 1), sample([B, Tk, K, D], seed + 2)]
  const optional = (values: readonly number[] | undefined, shape: readonly number[], make: typeof i32): Tensor | undefined => (values === undefined ? undefined : make(values, shape))
  const got = attention(
    {
      q: q.x,
      k: k.x,
      v: v.x,
      queryPositions: optional(p.queryPositions, [B, Tq], i32),
      keyPositions: optional(p.keyPositions, [B, Tk], i32),
      querySegments: optional(p.segments?.query, [B, Tq], i32),
      keySegments: optional(p.segments?.key, [B, Tk], i32),
      bias: optional(p.bias, [B, H, Tq, Tk], f64),
      sinks: optional(p.sinks, [H], f64),
    },
    { causal: p.causal, window: p.window, softcap: p.softcap, scale, keyLengths: p.keyLengths },
  )
  expect(got.shape).toEqual([B, Tq, H, D])
  expectClose(await valuesOf(got), byDefinition(p, q.values, k.values, v.values, scale), { rtol: 1e-10, atol: 1e-10 })
}

const problem: fc.Arbitrary<Problem> = fc
  .record({
    B: fc.integer({ min: 1, max: 3 }),
    Tq: fc.integer({ min: 1, max: 5 }),
    before: fc.integer({ min: 0, max: 4 }),
    K: fc.integer({ min: 1, max: 2 }),
    G: fc.integer({ min: 1, max: 3 }),
    causal: fc.boolean(),
    window: fc.option(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constantFrom(2.5, 2 ** 31, 1e12)), { nil: undefined }),
    softcap: fc.option(fc.constant(1.5), { nil: undefined }),
    has: fc.record({ lengths: fc.boolean(), queryPositions: fc.boolean(), keyPositions: fc.boolean(), segments: fc.boolean(), bias: fc.boolean(), sinks: fc.boolean() }),
    seed: fc.nat(1000),
  })
  .map(({ B, Tq, before, K, G, causal, window, softcap, has, seed }) => {
    const Tk = Tq + before
    const source = createRandomSource({ seed })
    const integers = (count: number, low: number, high: number): number[] => Array.from({ length: count }, () => low + Math.floor(source.nextFloat() * (high - low)))
    return {
      B,
      Tq,
      Tk,
      H: K * G,
      K,
      D: 4,
      causal,
      ...(window === undefined ? {} : { window }),
      ...(softcap === undefined ? {} : { softcap }),
      ...(has.lengths ? { keyLengths: integers(B, 0, Tk + 1) } : {}),
      ...(has.queryPositions ? { queryPositions: integers(B * Tq, -1, 9) } : {}),
      ...(has.keyPositions ? { keyPositions: integers(B * Tk, -2, 9) } : {}),
      ...(has.segments ? { segments: { query: integers(B * Tq, 0, 2), key: integers(B * Tk, 0, 2) } } : {}),
      ...(has.bias ? { bias: numbers(B * K * G * Tq * Tk, seed + 7) } : {}),
      ...(has.sinks ? { sinks: numbers(K * G, seed + 8) } : {}),
    }
  })

test('every mixture of masks, lengths, groups, bias, soft cap and sinks follows the definition', async () => {
  await fc.assert(fc.asyncProperty(problem, fc.nat(1000), check), { numRuns: 150 })
})

test('a later token never changes an earlier output, and a cache gives what the whole gives', async () => {
  const whole = [sample([1, 6, 4, 4], 1).x, sample([1, 6, 2, 4], 2).x, sample([1, 6, 2, 4], 3).x] as const
  const first = (x: Tensor, count: number): Tensor => slice(x, [0, 0, 0, 0], [1, count, x.shape[2]!, 4])
  const options = { causal: true, scale: 0.5 }
  const all = await valuesOf(attention({ q: whole[0], k: whole[1], v: whole[2] }, options))
  const prefix = await valuesOf(attention({ q: first(whole[0], 4), k: first(whole[1], 4), v: first(whole[2], 4) }, options))
  expectClose(prefix, all.slice(0, prefix.length))
  const last = slice(whole[0], [0, 3, 0, 0], [1, 1, 4, 4])
  const cached = await valuesOf(attention({ q: last, k: whole[1], v: whole[2] }, { ...options, keyLengths: [4] }))
  expectClose(cached, all.slice(3 * 16, 4 * 16))
})

test('what a cache holds beyond its lengths is never read, even NaN', async () => {
  const [q, k, v] = [sample([2, 1, 2, 4], 4).x, sample([2, 5, 2, 4], 5), sample([2, 5, 2, 4], 6)]
  const poisoned = (values: readonly number[]): number[] => values.map((value, i) => (Math.floor(i / 8) % 5 >= 3 ? NaN : value))
  const options = { causal: true, scale: 0.5, keyLengths: [3, 3] }
  const clean = await valuesOf(attention({ q, k: k.x, v: v.x }, options))
  expect(await valuesOf(attention({ q, k: f64(poisoned(k.values), [2, 5, 2, 4]), v: f64(poisoned(v.values), [2, 5, 2, 4]) }, options))).toEqual(clean)
})

test('long prompts are worked off in blocks of queries: never a whole matrix of scores in memory', async () => {
  const T = 1536
  const [q, k, v] = [8, 9, 10].map((seed) => f32(numbers(T * 4 * 4, seed), [1, T, 4, 4])) as [Tensor, Tensor, Tensor]
  const before = memory(backend)
  const whole = tidy(() => attention({ q, k, v }, { causal: true, scale: 0.5 }))
  expect(memory(backend).peakBytes - before.bytes).toBeLessThan(4 * T * T * 4 * 2)
  const tail = attention({ q: slice(q, [0, T - 3, 0, 0], [1, 3, 4, 4]), k, v }, { causal: true, scale: 0.5 })
  expect(await valuesOf(tail)).toEqual((await valuesOf(whole)).slice(-3 * 16))
})

test('gradients of several blocks are those of the blocks, summed', async () => {
  const T = 1200
  const shape = [1, T, 4, 2]
  const [q, k, v, weights] = [11, 12, 13, 14].map((seed) => f32(numbers(T * 8, seed, 0.5), shape)) as [Tensor, Tensor, Tensor, Tensor]
  const loss = (start: number, count: number): Tensor =>
    tidy(() => {
      const rows = (x: Tensor): Tensor => slice(x, [0, start, 0, 0], [1, count, 4, 2])
      return sum(mul(rows(weights), attention({ q: rows(q), k, v }, { causal: true, scale: 1, keyLengths: [start + count] })))
    })
  const whole = grad(() => loss(0, T), [q, k, v])
  const halves = [grad(() => loss(0, T / 2), [q, k, v]), grad(() => loss(T / 2, T / 2), [q, k, v])]
  for (let i = 0; i < 3; i++) {
    expectClose(await valuesOf(whole[i]!), await valuesOf(add(halves[0]![i]!, halves[1]![i]!)), { rtol: 1e-4, atol: 1e-5 })
  }
})

test('what does not fit is refused', () => {
  const x = f32(numbers(24, 1), [1, 2, 3, 4])
  const narrow = f32(numbers(16, 1), [1, 2, 2, 4])
  expect(() => attention({ q: x, k: narrow, v: narrow }, { causal: true, scale: 1 })).toThrow('attention: 3 query heads are no multiple of 2 key heads')
  expect(() => attention({ q: x, k: x, v: x }, { causal: true, scale: 1, keyLengths: [3] })).toThrow('attention: expected 1 keyLengths in 0 … 2, got [3]')
  expect(() => attention({ q: x, k: x, v: x, querySegments: i32([0, 0], [1, 2]) }, { causal: true, scale: 1 })).toThrow(/querySegments and keySegments together/)
  expect(() => attention({ q: x, k: x, v: x, bias: f32([0], [1, 1, 1, 1]) }, { causal: true, scale: 1 })).toThrow(/expected bias of shape/)
})
