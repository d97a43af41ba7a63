// The queue between JavaScript and the threads: order, a ring that wraps, long commands, reads of every size.
import { full, read, tensor, type Tensor } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
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

const valuesOf = async (x: Tensor): Promise<number[]> => Array.from(await read(x))

describe('the queue', () => {
  it('keeps the order of more calls than the ring holds', async () => {
    const backend = start()
    const rounds = 30_000 // some 20 words each: the ring of 65,536 words wraps several times
    let last = full(backend, [2], -1)
    for (let i = 0; i < rounds; i++) {
      last.dispose()
      last = full(backend, [2], i)
    }
    expect(await valuesOf(last)).toEqual([rounds - 1, rounds - 1])
    expect(backend.memory().buffers).toBe(1)
  })

  it('uploads small and large arrays by value', async () => {
    const backend = start()
    for (const size of [0, 1, 7, 1023, 1024, 1025, 300_000]) {
      const source = Float32Array.from({ length: size }, (_, i) => i * 0.5)
      const x = tensor(backend, source, [size])
      source.fill(-1)
      const values = await read(x)
      expect(values.length).toBe(size)
      if (size > 0) expect([values[0], values[size - 1]]).toEqual([0, (size - 1) * 0.5])
      x.dispose()
    }
  })

  it('uploads a view that starts in the middle of its buffer', async () => {
    const backend = start()
    const bytes = Uint8Array.from({ length: 32 }, (_, i) => i)
    expect(await valuesOf(tensor(backend, bytes.subarray(3, 8), [5]))).toEqual([3, 4, 5, 6, 7])
  })

  it('answers many reads in flight at once', async () => {
    const backend = start()
    const reads = Array.from({ length: 500 }, (_, i) => {
      const x = full(backend, [3], i)
      const values = read(x)
      x.dispose()
      return values
    })
    const first = (await Promise.all(reads)).map((values) => values[0])
    expect(first).toEqual(Array.from({ length: 500 }, (_, i) => i))
  })

  it('reads without waiting for the event loop', () => {
    const backend = start(1)
    const x = backend.upload(Float32Array.of(1, 2, 3), [3], 'f32')
    const bits = backend.readSync!({ data: x, shape: [3], dtype: 'f32' })
    expect(Array.from(new Float32Array(bits.buffer))).toEqual([1, 2, 3])
  })

  it('works with one thread and with more threads than cores', async () => {
    for (const threads of [1, 3, 9]) {
      const backend = start(threads)
      expect(backend.threads).toBe(threads)
      const x = full(backend, [1_000_003], 2.5)
      const values = await read(x)
      expect(values.every((value) => value === 2.5)).toBe(true)
    }
  })

  it('gives a freed buffer to the next call', async () => {
    const backend = start()
    for (let i = 0; i < 50; i++) full(backend, [1 << 20], i).dispose()
    await backend.readSync!({ data: backend.upload(new Uint8Array(1), [1], 'u8'), shape: [1], dtype: 'u8' })
    expect(backend.statistics().peakTotalBytes).toBeLessThan(3 * (1 << 22))
  })

  it('agrees with the reference on every element type', async () => {
    const backend = start()
    for (const dtype of ['f32', 'i32', 'u8', 'f16', 'bf16'] as const) {
      const expected = await read(full(createCpuBackend(), [17], 3, { dtype }))
      expect(await read(full(backend, [17], 3, { dtype }))).toEqual(expected)
    }
  })
})
