// A small model trained on the toy backend: which letter follows the last two?
import { createParameter, disposeAll, memory, random, randomKey, read, tensor, tidy, valueAndGrad, zeros, childKey, type Parameter, type Shape } from '@weft/tensor'
import { adamWStep, crossEntropy, embedding, full, linear, mul, reshape, scalarLike, sum } from '@weft/tensor/ops'
import { createToyBackend } from './toy-backend.ts'

export const trainOnToy = async (steps: number): Promise<number[]> => {
  const backend = createToyBackend()
  const text = 'the quick brown fox jumps over the lazy dog. '
  const letters = [...new Set(text)]
  const ids = [...text].map((letter) => letters.indexOf(letter))
  const count = ids.length - 2

  const key = randomKey(7)
  const weight = (name: string, shape: Shape, role: Parameter['role']): Parameter =>
    createParameter({ name, role, value: tidy(() => { const x = random(backend, shape, { key: childKey(key, name), distribution: 'normal' }); return mul(x, scalarLike(x, 0.3)) }) })
  const table = weight('table', [letters.length, 8], 'embedding')
  const first = weight('first', [32, 16], 'matrix')
  const second = weight('second', [letters.length, 32], 'matrix')
  const parameters = [table, first, second]

  const state = (): ReturnType<typeof zeros>[] => parameters.map(({ value }) => zeros(backend, value.shape))
  let [firstMoments, secondMoments, step] = [state(), state(), full(backend, [], 0)]
  const losses: number[] = []
  for (let i = 0; i < steps; i++) {
    const { result, gradients } = valueAndGrad(() => {
      const context = tensor(backend, ids.slice(0, count).flatMap((id, at) => [id, ids[at + 1]!]), [count, 2], { dtype: 'i32' })
      const targets = tensor(backend, ids.slice(2), [count], { dtype: 'i32' })
      const hidden = linear(reshape(embedding(table.value, context), [count, 16]), first.value, { activation: 'gelu' })
      return { value: sum(crossEntropy(linear(hidden, second.value), targets)) }
    }, parameters)
    tidy(() => {
      // Everything but gradientScale is consumed: the toy's kernels may write in place.
      const next = adamWStep(
        { values: parameters.map(({ value }) => value), masters: [], gradients, firstMoments, secondMoments, step, gradientScale: full(backend, [], 1 / count) },
        { learningRate: 0.02, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0 },
      )
      parameters.forEach((parameter, k) => parameter.assign({ value: next.values[k]! }))
      ;({ firstMoments, secondMoments, step } = next)
      return [firstMoments, secondMoments, step]
    })
    losses.push((await read(result.value))[0]! / count)
    result.value.dispose()
  }
  disposeAll([parameters.map(({ value }) => value), firstMoments, secondMoments, step])
  if (memory(backend).buffers !== 0) throw new Error('something was not freed')
  return losses
}
