import { createCpuBackend } from '@weft/tensor/cpu'
import { createModel } from '@weft/transformer'
import { expect, test } from 'vitest'
import { describeShape, gptShapes, modelConfigOf, parameterCount } from './gpt-shapes.ts'

test('parameters are counted as the model has them', async () => {
  const backend = createCpuBackend()
  const model = createModel(modelConfigOf(gptShapes.tiny), { backend, seed: 1 })
  const counted = [...model.parameters().values()].reduce((sum, { value }) => sum + value.shape.reduce((a, b) => a * b, 1), 0)
  expect(parameterCount(gptShapes.tiny)).toBe(counted)
  model.dispose()
  await backend.dispose()
})

test('shapes have the sizes of their names', () => {
  expect(parameterCount(gptShapes.small) / 1e6).toBeCloseTo(0.87, 2)
  expect(parameterCount(gptShapes.large) / 1e6).toBeCloseTo(12.3, 1)
  // GPT-2's own 124.4 million less the positions beyond 64.
  expect(parameterCount(gptShapes.gpt2)).toBe(124_439_808 - (1024 - 64) * 768)
  expect(describeShape(gptShapes.large)).toBe('GPT 12.3M (6 layers, 6 heads, 384, V 4096; B 8, T 256)')
})
