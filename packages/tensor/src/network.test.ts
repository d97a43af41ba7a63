import { afterEach, expect, test } from 'vitest'
import { createCpuBackend } from './cpu.ts'
import { createParameter, memory, ones, tidy } from './index.ts'
import { add } from './primitives.ts'

const backend = createCpuBackend()
afterEach(() => expect(memory(backend).buffers).toBe(0))

test('assign takes the new value out of its tidy and frees the old one', () => {
  const parameter = tidy(() => createParameter({ name: 'w', role: 'matrix', layerIndex: 2, value: ones(backend, [2]) }))
  const before = parameter.value
  tidy(() => parameter.assign({ value: add(parameter.value, parameter.value) }))
  expect([before.isDisposed, parameter.value.isDisposed]).toEqual([true, false])
  expect([parameter.name, parameter.role, parameter.layerIndex, parameter.master]).toEqual(['w', 'matrix', 2, undefined])
  parameter.assign({ value: parameter.value })
  expect(parameter.value.isDisposed).toBe(false)
  parameter.value.dispose()
})

test('a master is kept and replaced beside the value', () => {
  const parameter = createParameter({ name: 'w', role: 'matrix', value: ones(backend, [2], { dtype: 'bf16' }), master: ones(backend, [2]) })
  const { master } = parameter
  parameter.assign({ value: ones(backend, [2], { dtype: 'bf16' }), master: ones(backend, [2]) })
  expect(master!.isDisposed).toBe(true)
  parameter.value.dispose()
  parameter.master!.dispose()
})
