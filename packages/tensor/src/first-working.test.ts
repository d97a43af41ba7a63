import { expect, test } from 'vitest'
import { createCpuBackend } from './cpu.ts'
import { firstWorking } from './index.ts'

const broken = { name: 'broken', create: () => Promise.reject(new Error('no device')) }

test('the first that starts, and why the others did not', async () => {
  const skipped: unknown[] = []
  const backend = await firstWorking([broken, { name: 'cpu', create: createCpuBackend }], { onSkipped: (one) => skipped.push(one) })
  expect(backend.name).toBe('cpu')
  expect(skipped).toEqual([{ name: 'broken', reason: 'no device' }])
})

test('when none works, every reason is told', async () => {
  await expect(firstWorking([broken, broken])).rejects.toThrow('no backend works. broken: no device; broken: no device')
})
