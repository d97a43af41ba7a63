// What users do wrong, or what machines do to them: each is a clear error, and everything else goes on.
import { readdirSync } from 'node:fs'
import { isWeftError } from '@weft/contracts'
import { full, read, tensor, tidy, type Tensor } from '@weft/tensor'
import { addInto, globalNorm, matMul } from '@weft/tensor/ops'
import { afterEach, describe, expect, it } from 'vitest'
import { createNativeBackend, type NativeBackend, type NativeBackendOptions } from '../src/index.ts'
import { enqueueLongWork } from './children/long-work.ts'

const open: NativeBackend[] = []
const start = (options: NativeBackendOptions = { threads: 2 }): NativeBackend => {
  const backend = createNativeBackend(options)
  open.push(backend)
  return backend
}

afterEach(async () => {
  for (const backend of open.splice(0)) await backend.dispose()
})

const thrownBy = (fn: () => unknown): unknown => {
  try {
    fn()
  } catch (error) {
    return error
  }
  return expect.fail('nothing was thrown')
}

const threadsOfProcess = (): number => (process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0)

describe('options', () => {
  it.each([0, 1000, 1.5, -1, NaN, Infinity])('%s threads', (threads) => {
    const error = thrownBy(() => createNativeBackend({ threads }))
    expect(isWeftError(error, 'config')).toBe(true)
    expect(String(error)).toContain(`expected 1 to 256 threads, got ${threads}`)
  })

  it('instruction sets', async () => {
    expect(String(thrownBy(() => createNativeBackend({ instructionSet: 'sse9' as never })))).toContain('expected an instructionSet of baseline, avx2, avx512, got "sse9"')
    const lesser = start({ threads: 2, instructionSet: 'baseline' })
    expect(lesser.instructionSet).toBe('baseline')
    expect(Array.from(await read(full(lesser, [3], 2)))).toEqual([2, 2, 2])
  })

  it.each([0, -1, NaN])('a memory limit of %s', (memoryLimitBytes) => {
    expect(isWeftError(thrownBy(() => createNativeBackend({ memoryLimitBytes })), 'config')).toBe(true)
  })
})

describe('memory', () => {
  it('an allocation of 40 GB where there is less is refused before anything has changed', async () => {
    const backend = start({ threads: 2, memoryLimitBytes: 8e9 })
    const x = full(backend, [4], 1)
    const before = backend.memory()
    const error = thrownBy(() => full(backend, [1e10], 0))
    expect(isWeftError(error, 'memory')).toBe(true)
    expect(String(error)).toMatch(/40000\.0 MB more do not fit: 0\.0 MB of 8000\.0 MB are in use; free tensors/)
    expect(backend.memory()).toEqual(before)
    expect(Array.from(await read(x))).toEqual([1, 1, 1, 1])
  })

  it('what the system does not give rejects each read that depends on it, with the first cause', async () => {
    const backend = start({ threads: 2, memoryLimitBytes: 2 ** 52 })
    const buffers = backend.memory().buffers
    const huge = full(backend, [2 ** 46], 1)
    const norm = globalNorm([huge])
    const later = addInto(norm, full(backend, [], 1))
    await expect(backend.read({ data: huge.storage('test').data as number, shape: [1], dtype: 'f32' })).rejects.toThrow(/fill: out of memory: 281474976\.7 MB more/)
    await expect(read(later)).rejects.toThrow(/fill: out of memory/)
    huge.dispose()
    later.dispose()
    expect(Array.from(await read(full(backend, [2], 3)))).toEqual([3, 3])
    expect(backend.memory().buffers).toBe(buffers + 2)
  })
})

describe('disposal', () => {
  it('during a run lets what is enqueued finish, and answers its reads', async () => {
    const backend = start()
    const values = read(enqueueLongWork(backend, 60))
    const end = backend.dispose()
    expect(backend.dispose()).toBe(end)
    await end
    expect((await values).length).toBe(768 * 768)
  })

  it('calls afterwards are errors', async () => {
    const backend = start()
    const x = full(backend, [2], 1)
    const end = backend.dispose()
    for (const attempt of [() => full(backend, [1], 0), () => tensor(backend, [1], [1]), () => addInto(x, x), () => backend.statistics()]) {
      expect(() => attempt()).toThrow(/disposed|same tensor/)
    }
    await expect(read(x)).rejects.toThrow(/native backend has been disposed/)
    await end
    x.dispose()
    expect(backend.memory()).toMatchObject({ buffers: 0, bytes: 0 })
  })

  it('of many backends leaves no thread behind', async () => {
    const before = threadsOfProcess()
    for (let i = 0; i < 30; i++) {
      const backend = createNativeBackend({ threads: 3 })
      const values = read(full(backend, [1000], i))
      await backend.dispose()
      expect((await values)[0]).toBe(i)
    }
    expect(threadsOfProcess()).toBeLessThanOrEqual(before)
  })
})

describe('two backends', () => {
  it('work side by side, and one goes on when the other ends', async () => {
    const [a, b] = [start({ threads: 2 }), start({ threads: 1 })]
    const ofA: Promise<ArrayLike<number>>[] = []
    for (let i = 0; i < 200; i++) {
      for (const backend of [a, b]) {
        const values = tidy(() => full(backend, [300], i))
        ofA.push(read(values))
        values.dispose()
      }
    }
    const end = a.dispose()
    const sums = await Promise.all(ofA)
    sums.forEach((values, k) => expect(values[299]).toBe(Math.floor(k / 2)))
    await end
    expect(Array.from(await read(full(b, [2], 8)))).toEqual([8, 8])
  })

  it('a tensor of one in a call of the other is an error', () => {
    const [a, b] = [start(), start()]
    expect(() => addInto(full(a, [2], 1), full(b, [2], 1))).toThrow(/its inputs live on two backends, native and native/)
  })
})

describe('while the threads work', () => {
  it('timers tick', async () => {
    const backend = start()
    let ticks = 0
    const timer = setInterval(() => ticks++, 5)
    const from = performance.now()
    // At least a second and a half of work, on whatever machine.
    let products = 0
    while (performance.now() - from < 1500) {
      const last: Tensor = enqueueLongWork(backend, 40)
      products += 40
      await backend.read({ data: last.storage('test').data as number, shape: [1], dtype: 'f32' })
      last.dispose()
    }
    clearInterval(timer)
    expect(products).toBeGreaterThan(0)
    expect(ticks).toBeGreaterThan(20)
  }, 60_000)

  it('a single long wait leaves the event loop free', async () => {
    const backend = start()
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const x = full(backend, [1024, 1024], 1e-3)
    let last = matMul(x, x)
    for (let i = 0; i < 60; i++) last = matMul(x, last)
    await read(last)
    clearInterval(timer)
    expect(turns).toBeGreaterThan(5)
  }, 60_000)
})
