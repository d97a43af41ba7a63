// How far elementary functions are from the truth, in units of the last place of f32, over floats of all magnitudes.
import { read, tensor, type Tensor } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { cos, erf, exp, log, pow, rsqrt, sin, sqrt, tanh } from '@weft/tensor/ops'
import { afterAll, describe, expect, it } from 'vitest'
import { createNativeBackend } from '../src/index.ts'

/** Bit patterns in even steps: every exponent, both signs, infinities and NaN. */
const everywhere = (count: number): Float32Array => {
  const bits = new Uint32Array(count)
  const step = Math.floor(2 ** 32 / count)
  for (let i = 0; i < count; i++) bits[i] = i * step
  return new Float32Array(bits.buffer)
}

const along = (count: number, low: number, high: number): Float32Array => Float32Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1))

/** Distance in units of the last place; what differs in being NaN or infinite is infinitely far, but for the step to infinity. */
const ulps = (got: number, exact: number): number => {
  if (Number.isNaN(exact) || Number.isNaN(got)) return Number.isNaN(exact) && Number.isNaN(got) ? 0 : Infinity
  if (got === Math.fround(exact)) return 0
  const bounded = Math.abs(got) === Infinity ? Math.sign(got) * 2 ** 128 : got
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(exact))))
  return Math.abs(bounded - exact) / 2 ** (exponent - 23)
}

const reference = createCpuBackend()
const inDouble = async (x: Float32Array, f: (x: Tensor) => Tensor): Promise<ArrayLike<number>> => read(f(tensor(reference, Array.from(x), [x.length], { dtype: 'f64' })))

const functions: readonly (readonly [name: string, f: (x: Tensor) => Tensor, limit: number])[] = [
  ['exp', exp, 1.1], ['log', log, 1.1], ['tanh', tanh, 2.5], ['erf', erf, 1.5], ['sin', sin, 1.7], ['cos', cos, 1.7], ['sqrt', sqrt, 0.51], ['rsqrt', rsqrt, 1.5],
]

describe.each(['avx512', 'avx2', 'baseline'] as const)('elementary functions: %s', (instructionSet) => {
  const backend = createNativeBackend({ instructionSet, threads: 1 })
  afterAll(() => backend.dispose())
  const samples = [everywhere(200_003), along(50_001, -12, 12), along(20_001, -110, 95)]

  it.each(functions)('%s', async (_, f, limit) => {
    for (const x of samples) {
      const got = await read(f(tensor(backend, x, [x.length])))
      const expected = await inDouble(x, f)
      let worst = 0
      let at = 0
      for (let i = 0; i < x.length; i++) {
        const distance = ulps(got[i]!, expected[i]!)
        if (distance > worst) [worst, at] = [distance, i]
      }
      expect(worst, `at ${x[at]}: ${got[at]}, expected ${expected[at]}`).toBeLessThanOrEqual(limit)
    }
  })

  it('zeros keep their sign where the function goes through 0', async () => {
    for (const f of [sin, tanh, erf, sqrt]) expect(Array.from(await read(f(tensor(backend, [0, -0], [2]))))).toEqual([0, -0])
  })

  it('pow, for any base and any power', async () => {
    const powers = [0, 1, 2, 3, -1, -2, 0.5, -0.75, 7.3, 1e-3, 8_388_607, 16_777_216, 1e30, Infinity, -Infinity, NaN]
    const x = everywhere(20_011)
    for (const power of powers) {
      const got = await read(pow(tensor(backend, x, [x.length]), tensor(backend, [power], [1])))
      const single = Math.fround(power)
      let worst = 0
      let at = 0
      for (let i = 0; i < x.length; i++) {
        const distance = ulps(got[i]!, x[i]! ** single)
        if (distance > worst) [worst, at] = [distance, i]
      }
      expect(worst, `${x[at]} to the power ${single}: ${got[at]}, expected ${x[at]! ** single}`).toBeLessThanOrEqual(0.6)
    }
  })
})
