// A two-layer network on the reference backend: embedding, a hidden layer with GELU, a head. Small, real, seeded.
import { createParameter, random, randomKey, tensor, tidy, zeros, type Backend, type Network, type Parameter } from '@weft/tensor'
import { embedding, linear, linearCrossEntropy, mul, reshape, scalarLike } from '@weft/tensor/ops'

export const vocabSize = 24
const width = 12

export const smallNetwork = (backend: Backend): Network & { readonly list: Parameter[] } => {
  const matrix = (name: string, role: Parameter['role'], shape: readonly number[]) =>
    createParameter({ name, role, value: tidy(() => {
      const normal = random(backend, shape, { key: randomKey(5, name), distribution: 'normal' })
      return mul(normal, scalarLike(normal, 0.3))
    }) })
  const table = matrix('table', 'embedding', [vocabSize, width])
  const inner = matrix('inner', 'matrix', [width, width])
  const bias = createParameter({ name: 'bias', role: 'bias', value: zeros(backend, [width]) })
  const head = matrix('head', 'head', [vocabSize, width])
  const list = [table, inner, bias, head]
  return {
    backend,
    list,
    parameters: () => new Map(list.map((parameter) => [parameter.name, parameter])),
    hiddenStates: ({ tokenIds, shape }) => ({ hidden: linear(embedding(table.value, tensor(backend, tokenIds, shape)), inner.value, { bias: bias.value, activation: 'gelu' }) }),
    logits: (hidden) => linear(hidden, head.value),
    tokenLosses: (hidden, { targetIds, shape }) => {
      const count = shape[0] * shape[1]
      return reshape(linearCrossEntropy(reshape(hidden, [count, width]), head.value, tensor(backend, targetIds!, [count])), shape)
    },
  }
}
