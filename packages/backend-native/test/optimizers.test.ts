// Updates over lists of tensors: lists longer than a tile and shorter than a vector, all dtypes, in place, and not a bit of difference
// between numbers of threads.
import { memory, read, tensor, type Backend, type DType, type Tensor } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { adamWStep, addInto, globalNorm, lionStep, muonStep, sgdStep } from '@weft/tensor/ops'
import { afterEach, describe, expect, it } from 'vitest'
import { createNativeBackend, type InstructionSet, type NativeBackend } from '../src/index.ts'

const open: NativeBackend[] = []
const start = (threads = 2, instructionSet?: InstructionSet): NativeBackend => {
  const backend = createNativeBackend({ threads, instructionSet })
  open.push(backend)
  return backend
}

afterEach(async () => {
  for (const backend of open.splice(0)) await backend.dispose()
})

/** Numbers around 0 that look like nothing in particular, the same for the same seed. */
const noise = (size: number, seed: number, deviation = 1): Float32Array => {
  let state = (seed * 2_654_435_761) >>> 0
  return Float32Array.from({ length: size }, () => {
    let sum = 0
    for (let k = 0; k < 4; k++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      sum += state / 2 ** 32 - 0.5
    }
    return sum * deviation * 1.7
  })
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

interface Sample {
  readonly shapes: readonly (readonly number[])[]
  readonly valueType?: DType
  readonly gradientType?: DType
  readonly hasMasters?: boolean
  readonly scale?: number
  readonly step?: number
}

const upload = (backend: Backend, { shapes, valueType = 'f32', gradientType = 'f32', hasMasters = false, scale = 0.7, step = 3 }: Sample) => {
  const list = (seed: number, deviation: number, dtype: DType = 'f32', isPositive = false): Tensor[] =>
    shapes.map((shape, i) => {
      const values = noise(sizeOf(shape), seed * 100 + i, deviation)
      return tensor(backend, isPositive ? values.map(Math.abs) : values, shape, { dtype })
    })
  return {
    values: list(1, 1, valueType),
    masters: hasMasters ? list(1, 1) : [],
    gradients: list(2, 0.3, gradientType),
    firstMoments: list(3, 0.1),
    secondMoments: list(4, 0.05, 'f32', true),
    step: tensor(backend, [step], []),
    gradientScale: tensor(backend, [scale], []),
  }
}

type Lists = ReturnType<typeof upload>
type Update = (lists: Lists) => readonly Tensor[]

const momentumLists = ({ secondMoments, firstMoments, ...rest }: Lists) => {
  for (const x of secondMoments) x.dispose()
  return { ...rest, momenta: firstMoments }
}
const flat = (next: { values: Tensor[]; masters: Tensor[]; momenta: Tensor[]; step: Tensor }): Tensor[] => [...next.values, ...next.masters, ...next.momenta, next.step]

const updates: Readonly<Record<string, Update>> = {
  adamWStep: (lists) => {
    const next = adamWStep(lists, { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 })
    return [...next.values, ...next.masters, ...next.firstMoments, ...next.secondMoments, next.step]
  },
  lionStep: (lists) => flat(lionStep(momentumLists(lists), { learningRate: 0.01, beta1: 0.9, beta2: 0.99, weightDecay: 0.1 })),
  sgdStep: (lists) => flat(sgdStep(momentumLists(lists), { learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.01 })),
  'sgdStep without momentum': (lists) => flat(sgdStep(momentumLists(lists), { learningRate: 0.05, momentum: 0, nesterov: false, weightDecay: 0 })),
  muonStep: (lists) => flat(muonStep(momentumLists(lists), { learningRate: 0.02, momentum: 0.95, nesterov: true, weightDecay: 0.1 })),
}

const run = async (backend: Backend, update: Update, sample: Sample): Promise<Float32Array[]> => {
  const lists = upload(backend, sample)
  const outputs = update(lists)
  const values = await Promise.all(outputs.map((x) => read(x)))
  for (const x of [...outputs, lists.gradientScale]) x.dispose()
  return values.map((x) => Float32Array.from(x))
}

const expectClose = (got: readonly Float32Array[], expected: readonly Float32Array[], rtol: number, atol: number): void => {
  expect(got.map(({ length }) => length)).toEqual(expected.map(({ length }) => length))
  got.forEach((values, list) => {
    values.forEach((value, i) => {
      const want = expected[list]![i]!
      if (!(Math.abs(value - want) <= atol + rtol * Math.abs(want)) && !(Number.isNaN(value) && Number.isNaN(want))) expect.fail(`output ${list}, element ${i}: got ${value}, expected ${want}`)
    })
  })
}

// From scalars to more than one tile (8,192 elements), sizes around a vector's, and an empty one in the middle.
const ragged: Sample = { shapes: [[], [1], [15], [16], [17], [0, 3], [33, 3], [8192], [8191], [100, 301], [5]] }
const matrices: Sample = { shapes: [[4, 3], [3, 6], [1, 1], [40, 40], [130, 70], [70, 130], [0, 3], [1, 50]] }
const sampleFor = (name: string): Sample => (name === 'muonStep' ? matrices : ragged)
/** Newton–Schulz multiplies rounding errors; AdamW divides small numbers by small numbers. */
const toleranceOf = (name: string): number => (name === 'muonStep' ? 1e-4 : 2e-6)

describe.each(Object.entries(updates))('%s', (name, update) => {
  it.each(['avx512', 'avx2', 'baseline'] as const)('agrees with the reference backend on %s', async (instructionSet) => {
    const expected = await run(createCpuBackend(), update, sampleFor(name))
    const backend = startIfOffered(instructionSet)
    if (backend !== undefined) expectClose(await run(backend, update, sampleFor(name)), expected, 1e-5, toleranceOf(name))
  })

  it.each([
    ['bf16', 'bf16', true],
    ['bf16', 'f32', true],
    ['f16', 'f16', true],
    ['f32', 'bf16', false],
    ['bf16', 'bf16', false],
    ['f16', 'f32', false],
  ] as const)('takes %s values with %s gradients, masters: %s', async (valueType, gradientType, hasMasters) => {
    const sample = { ...sampleFor(name), valueType, gradientType, hasMasters }
    const expected = await run(createCpuBackend(), update, sample)
    const got = await run(start(), update, sample)
    const count = sample.shapes.length
    // A value may lie at the border between two narrow numbers: one step of the dtype. Masters and states have none of that.
    const step = valueType === 'bf16' ? 2 ** -7 : valueType === 'f16' ? 2 ** -10 : 1e-5
    expectClose(got.slice(0, count), expected.slice(0, count), step, toleranceOf(name))
    expectClose(got.slice(count), expected.slice(count), 1e-5, toleranceOf(name))
  })

  it('writes a value that is its master, rounded', async () => {
    const backend = start()
    const count = sampleFor(name).shapes.length
    const got = await run(backend, update, { ...sampleFor(name), valueType: 'bf16', gradientType: 'bf16', hasMasters: true })
    for (let i = 0; i < count; i++) {
      const rounded = tensor(backend, got[count + i]!, [got[count + i]!.length], { dtype: 'bf16' })
      expect(await read(rounded)).toEqual(got[i])
    }
  })

  it.each([NaN, Infinity, -Infinity])('changes nothing where the scale is %s', async (scale) => {
    const backend = start()
    const sample = { ...sampleFor(name), scale, valueType: 'bf16', gradientType: 'bf16', hasMasters: true } as const
    const lists = upload(backend, sample)
    const { values, masters, firstMoments, secondMoments, step } = lists
    const states = name === 'adamWStep' ? [...firstMoments, ...secondMoments] : firstMoments
    const before = await Promise.all([...values, ...masters, ...states, step].map((x) => read(x)))
    const after = await Promise.all(update(lists).map((x) => read(x)))
    expect(after).toEqual(before)
  })

  it('gives the same bits with any number of threads', async () => {
    const sample = { ...sampleFor(name), valueType: 'bf16', hasMasters: true } as const
    const one = await run(start(1), update, sample)
    for (const threads of [2, 3]) expect(await run(start(threads), update, sample)).toEqual(one)
  })

  it('works in place', async () => {
    const backend = start()
    const lists = upload(backend, { ...sampleFor(name), valueType: 'bf16', hasMasters: true })
    const before = backend.memory()
    const handles = [...lists.values, ...lists.masters].map((x) => x.storage('test').data)
    const outputs = update(lists)
    expect(backend.memory().peakBytes).toBe(before.peakBytes)
    expect(outputs.slice(0, handles.length).map((x) => x.storage('test').data)).toEqual(handles)
    expect(memory(backend).missedDonations).toBe(0)
  })

  it('leaves alone what somebody else holds', async () => {
    const backend = start()
    const lists = upload(backend, sampleFor(name))
    const others = lists.values.map((x) => x.alias('test'))
    const before = await Promise.all(others.map((x) => read(x)))
    const after = await Promise.all(update(lists).map((x) => read(x)))
    expect(await Promise.all(others.map((x) => read(x)))).toEqual(before)
    expect(after).toEqual(await run(backend, update, sampleFor(name)))
  })
})

const startIfOffered = (instructionSet: InstructionSet): NativeBackend | undefined => {
  try {
    return start(2, instructionSet)
  } catch (error) {
    if (String(error).includes('offers no more than')) return undefined
    throw error
  }
}

describe('globalNorm', () => {
  const shapes = [[], [1], [17], [0], [100_003], [32_768], [3, 5]]
  const normOf = async (backend: Backend, dtype: DType = 'f32'): Promise<number> => {
    const list = shapes.map((shape, i) => tensor(backend, noise(sizeOf(shape), i), shape, { dtype }))
    return (await read(globalNorm(list)))[0]!
  }

  it.each(['f32', 'bf16', 'f16'] as const)('is the root of the sum of squares of %s, to the last bit', async (dtype) => {
    const rounded = await Promise.all(shapes.map((shape, i) => read(tensor(createCpuBackend(), noise(sizeOf(shape), i), shape, { dtype }))))
    const exact = Math.fround(Math.sqrt(rounded.reduce((sum, values) => sum + Array.from(values).reduce((total, x) => total + x * x, 0), 0)))
    for (const instructionSet of ['avx512', 'avx2', 'baseline'] as const) {
      const backend = startIfOffered(instructionSet)
      if (backend !== undefined) expect(Math.abs((await normOf(backend, dtype)) - exact)).toBeLessThanOrEqual(exact * 2 ** -24)
    }
  })

  it('does not depend on the number of threads', async () => {
    const one = await normOf(start(1))
    for (const threads of [2, 3, 7]) expect(await normOf(start(threads))).toBe(one)
  })

  it('says when a gradient is not finite', async () => {
    const backend = start()
    const norm = (values: readonly number[]): Promise<ArrayLike<number>> => read(globalNorm([tensor(backend, noise(40_000, 1), [40_000]), tensor(backend, values, [values.length])]))
    expect((await norm([1, NaN]))[0]).toBeNaN()
    expect((await norm([1, -Infinity]))[0]).toBe(Infinity)
  })
})

describe('addInto', () => {
  it.each([
    ['f32', 'f32'],
    ['f32', 'bf16'],
    ['f32', 'f16'],
    ['bf16', 'bf16'],
    ['f16', 'f32'],
  ] as const)('adds to %s what is %s, rounding once', async (accumulatorType, dtype) => {
    const backend = start()
    for (const size of [0, 1, 15, 17, 70_001]) {
      const [accumulator, x] = [tensor(backend, noise(size, 1), [size], { dtype: accumulatorType }), tensor(backend, noise(size, 2), [size], { dtype })]
      const [a, b] = [await read(accumulator), await read(x)]
      const expected = tensor(createCpuBackend(), Float32Array.from(a, (value, i) => value + b[i]!), [size], { dtype: accumulatorType })
      expect(await read(addInto(accumulator, x))).toEqual(await read(expected))
    }
  })

  it('takes over the accumulator', () => {
    const backend = start()
    const accumulator = tensor(backend, [1, 2], [2])
    const handle = accumulator.storage('test').data
    expect(addInto(accumulator, tensor(backend, [3, 4], [2])).storage('test').data).toBe(handle)
  })
})
