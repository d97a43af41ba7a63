// What tfjs itself cannot do on wasm: train an embedding. The same steps as on the reference backend, to rounding.
import { createParameter, full, keep, memory, random, randomKey, read, tensor, tidy, valueAndGrad, type Backend, type Tensor } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { adamWStep, embedding, globalNorm, linear, linearCrossEntropy, mul, scalarLike, sum } from '@weft/tensor/ops'
import { describe, expect, it } from 'vitest'
import { createTfjsBackend } from '../src/index.ts'
import { tf } from './start-tfjs.ts'

const [vocabSize, width, steps] = [29, 24, 40]
const text = 'the cat sat on the mat and the dog sat on the log. '.repeat(4)
const ids = Int32Array.from(text, (character) => character.charCodeAt(0) % vocabSize)

/** Next-character prediction from one character: a table, a layer, and the table again as the head. Returns the losses. */
const train = async (backend: Backend): Promise<number[]> => {
  const parameters = [
    ['table', [vocabSize, width]],
    ['weight', [width, width]],
  ].map(([name, shape]) => createParameter({ name: name as string, role: 'matrix', value: tidy(() => scaled(random(backend, shape as number[], { key: randomKey(7, name as string), distribution: 'normal' }), 0.3)) }))
  const [table, weight] = parameters as [(typeof parameters)[0], (typeof parameters)[0]]
  let state = keep({ firstMoments: zerosLike(parameters), secondMoments: zerosLike(parameters), step: full(backend, [], 0) })
  const losses: number[] = []
  for (let i = 0; i < steps; i++) {
    const loss = tidy(() => {
      const { result, gradients } = valueAndGrad(() => {
        const hidden = linear(embedding(table.value, tensor(backend, ids.subarray(0, -1), [ids.length - 1])), weight.value, { activation: 'geluTanh' })
        return { value: scaled(sum(linearCrossEntropy(hidden, table.value, tensor(backend, ids.subarray(1), [ids.length - 1]))), 1 / (ids.length - 1)) }
      }, parameters)
      globalNorm(gradients)
      const next = adamWStep(
        { values: parameters.map(({ value }) => value), masters: [], gradients, ...state, gradientScale: full(backend, [], 1) },
        { learningRate: 0.03, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.01 },
      )
      parameters.forEach((parameter, k) => parameter.assign({ value: next.values[k]! }))
      state = keep({ firstMoments: next.firstMoments, secondMoments: next.secondMoments, step: next.step })
      return result.value
    })
    losses.push((await read(loss))[0]!)
    loss.dispose()
  }
  expect(memory(backend)).toMatchObject({ buffers: 7, missedDonations: 0 })
  return losses
}

const scaled = (x: Tensor, factor: number): Tensor => mul(x, scalarLike(x, factor))
const zerosLike = (parameters: readonly { readonly value: Tensor }[]): Tensor[] => parameters.map(({ value }) => full(value.backend, value.shape, 0))

describe('an embedding trains', () => {
  const expected = train(createCpuBackend())

  it.each([
    ['cpu', true],
    ['wasm', true],
    ['wasm', false],
  ])('on %s (own loops: %s) as on the reference backend', async (backendName, ownLoops) => {
    const losses = await train(await createTfjsBackend({ tf, backendName, ownLoops }))
    expect(losses[0]! - losses[steps - 1]!).toBeGreaterThan(1.5)
    const reference = await expected
    losses.forEach((loss, i) => expect(Math.abs(loss - reference[i]!)).toBeLessThan(2e-4))
  })
})
