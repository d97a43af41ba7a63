import { afterEach, expect, test } from 'vitest'
import { createCpuBackend } from './cpu.ts'
import { createParameter, random, randomKey, read, tensor, tidy, valueAndGrad, memory, disposeAll } from './index.ts'
import { add, matMul, mul, scalarLike, sub, sum, tanh } from './primitives.ts'

const backend = createCpuBackend()
afterEach(() => expect(memory(backend).buffers).toBe(0))

test('a two-layer network learns exclusive or', async () => {
  const inputs = tensor(backend, [0, 0, 0, 1, 1, 0, 1, 1], [4, 2])
  const targets = tensor(backend, [0, 1, 1, 0], [4, 1])
  const key = randomKey(1)
  const weights = (name: string, shape: number[]) =>
    createParameter({ name, role: 'matrix', value: random(backend, shape, { key: { ...key, path: name }, distribution: 'normal' }) })
  const parameters = [weights('in', [2, 8]), weights('bias', [8]), weights('out', [8, 1])]
  const [first, bias, second] = parameters as [(typeof parameters)[0], (typeof parameters)[0], (typeof parameters)[0]]
  let loss = Infinity
  for (let step = 0; step < 600; step++) {
    const { result, gradients } = valueAndGrad(() => {
      const hidden = tanh(add(matMul(inputs, first.value), bias.value))
      const miss = sub(matMul(hidden, second.value), targets)
      return { value: sum(mul(miss, miss)) }
    }, parameters)
    tidy(() => {
      parameters.forEach((parameter, i) => parameter.assign({ value: sub(parameter.value, mul(gradients[i]!, scalarLike(gradients[i]!, 0.03))) }))
    })
    loss = (await read(result.value))[0]!
    disposeAll([result, gradients])
  }
  expect(loss).toBeLessThan(1e-3)
  disposeAll([inputs, targets, parameters.map((parameter) => parameter.value)])
})
