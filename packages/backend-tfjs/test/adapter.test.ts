// The adapter itself: starting, living beside other users of one tf, errors, memory.
import { full, memory, ones, read, tensor, tidy, type Tensor } from '@weft/tensor'
import { add, addInto, matMul, mul, sum } from '@weft/tensor/ops'
import { describe, expect, it } from 'vitest'
import { Device } from '../src/device.ts'
import { createTfjsBackend } from '../src/index.ts'
import { tf } from './start-tfjs.ts'

describe('createTfjsBackend', () => {
  it('says what is wrong with its options', async () => {
    await expect(createTfjsBackend({ tf: {} as typeof tf })).rejects.toMatchObject({ kind: 'config', message: expect.stringContaining("import * as tf from '@tensorflow/tfjs-core'") })
    await expect(createTfjsBackend({ tf, backendName: 'abacus' })).rejects.toMatchObject({ kind: 'backend', message: expect.stringContaining('@tensorflow/tfjs-backend-abacus') })
  })

  it('leaves the active backend of tfjs and its tensors alone', async () => {
    await tf.setBackend('cpu')
    const theirs = tf.tensor1d([1, 2, 3])
    const { numTensors } = tf.memory()
    const wasm = await createTfjsBackend({ tf, backendName: 'wasm' })
    expect(tf.getBackend()).toBe('cpu')
    // An open tf.tidy does not free what is Weft's.
    const ours: Tensor[] = []
    tf.tidy(() => void ours.push(tidy(() => add(ones(wasm, [4]), ones(wasm, [4])))))
    expect(await read(ours[0]!)).toEqual(Float32Array.of(2, 2, 2, 2))
    expect(tf.memory().numTensors).toBe(numTensors)
    expect(Array.from(theirs.dataSync())).toEqual([1, 2, 3])
    theirs.dispose()
    await wasm.dispose()
  })

  it('two backends of one tf may alternate, with loops of their own or without', async () => {
    const backends = await Promise.all([true, false].flatMap((ownLoops) => ['cpu', 'wasm'].map((backendName) => createTfjsBackend({ tf, backendName, ownLoops }))))
    const totals = backends.map((backend) => full(backend, [], 0))
    for (let i = 1; i <= 5; i++) backends.forEach((backend, k) => (totals[k] = tidy(() => add(totals[k]!, full(backend, [], i)))))
    for (const total of totals) expect(await read(total)).toEqual(Float32Array.of(15))
    expect(() => add(totals[0]!, totals[1]!)).toThrow(/two backends, tfjs-cpu and tfjs-wasm/)
    for (const backend of backends) await backend.dispose()
  })

  it('dispose frees everything and ends the backend, not tfjs', async () => {
    const backend = await createTfjsBackend({ tf, backendName: 'wasm' })
    const x = ones(backend, [1000])
    expect(memory(backend)).toMatchObject({ buffers: 1, bytes: 4000 })
    await backend.dispose()
    expect(memory(backend)).toMatchObject({ buffers: 0, bytes: 0 })
    expect(() => mul(x, x)).toThrow(/was disposed/)
    x.dispose()
    const next = await createTfjsBackend({ tf, backendName: 'wasm' })
    expect(await read(tidy(() => sum(ones(next, [3]))))).toEqual(Float32Array.of(3))
  })
})

describe('memory', () => {
  it('refuses what cannot fit with advice, before anything is allocated', async () => {
    const backend = await createTfjsBackend({ tf, backendName: 'wasm' })
    expect(() => full(backend, [2 ** 15, 2 ** 15], 0)).toThrow(expect.objectContaining({ kind: 'memory', message: expect.stringMatching(/4294967296 bytes is above the limit of 2147483648/) }))
    expect(memory(backend)).toMatchObject({ buffers: 0, bytes: 0 })
    await tf.setBackend('wasm')
    const device = new Device(tf, 'wasm', { ownLoops: true })
    const half = { shape: [2 ** 29], dtype: 'f32' } as const
    expect(() => device.checkRoom('concat', [half])).not.toThrow()
    expect(() => device.checkRoom('concat', [half, half])).toThrow(expect.objectContaining({ kind: 'memory', message: expect.stringMatching(/heap of 4 GiB.*smaller batches/) }))
  })

  it('sums a million numbers to f32 precision', async () => {
    for (const ownLoops of [true, false]) {
      const backend = await createTfjsBackend({ tf, backendName: 'wasm', ownLoops })
      const total = tidy(() => sum(full(backend, [1_000_000], 1.1)))
      expect(Math.abs((await read(total))[0]! / (1_000_000 * Math.fround(1.1)) - 1)).toBeLessThan(ownLoops ? 1e-7 : 5e-6)
    }
  })

  it('uploads are copies, on cpu too, and so is what a read gives', async () => {
    for (const backendName of ['cpu', 'wasm']) {
      const backend = await createTfjsBackend({ tf, backendName })
      const host = Float32Array.of(1, 2)
      const x = tensor(backend, host, [2])
      host[0] = 9
      const seen = await read(x)
      seen[1] = 9
      expect(await read(x)).toEqual(Float32Array.of(1, 2))
    }
  })

  it('a weight that was updated in place is packed anew', async () => {
    const backend = await createTfjsBackend({ tf, backendName: 'wasm' })
    const x = ones(backend, [32, 64])
    const weight = ones(backend, [64, 32])
    expect((await read(tidy(() => matMul(x, weight))))[0]).toBe(64)
    const updated = addInto(weight, ones(backend, [64, 32]))
    expect((await read(tidy(() => matMul(x, updated))))[0]).toBe(128)
    expect(memory(backend).missedDonations).toBe(0)
  })
})
