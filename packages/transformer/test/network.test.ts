import { disposeAll, keep, randomKey, read, readScalar, tidy, valueAndGrad, type HostArray, type Network, type TokenBatch } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { cast, sum } from '@weft/tensor/ops'
import { describe, expect, test } from 'vitest'
import { samplingLogProbs } from '../src/index.ts'
import { difference, logitsOf, tinyModel } from './support.ts'

const pass = { key: randomKey(0), training: false }

const lossesOf = async (network: Network, batch: TokenBatch): Promise<HostArray> => {
  const losses = keep(tidy(() => network.tokenLosses(network.hiddenStates(batch, pass).hidden, batch)))
  const values = await read(losses)
  losses.dispose()
  return values
}

const batchOf = (rows: readonly (readonly number[])[], targets: readonly (readonly number[])[], more: Partial<TokenBatch> = {}): TokenBatch => ({
  shape: [rows.length, rows[0]!.length],
  tokenIds: Int32Array.from(rows.flat()),
  targetIds: Int32Array.from(targets.flat()),
  ...more,
})

describe.each(['gpt2', 'llama'] as const)('%s as a Network', (family) => {
  const backend = createCpuBackend()
  const model = tinyModel(backend, family)

  test('a token’s loss is minus its log-probability, 0 where nothing is asked', async () => {
    const rows = [[1, 2, 3], [4, 5, 6]]
    const losses = await lossesOf(model, batchOf(rows, [[2, -1, 7], [-1, -1, 0]]))
    const logits = await logitsOf(model, rows)
    const expected = [[0, 2], [2, 7], [5, 0]].map(([position, target]) => -samplingLogProbs(logits.slice(position! * 40, position! * 40 + 40), { sampling: {} })[target!]!)
    expect(difference(losses, [expected[0]!, 0, expected[1]!, 0, 0, expected[2]!])).toBeLessThanOrEqual(1e-4)
  })

  test.each([
    ['left', [[0, 1, 2], [5, 6, 7]], [[-1, 2, 3], [6, 7, 8]], [[0, 1, 1], [1, 1, 1]], 1],
    ['right', [[1, 2, 0], [5, 6, 7]], [[2, 3, -1], [6, 7, 8]], [[1, 1, 0], [1, 1, 1]], 0],
  ])('padding on the %s = alone', async (_, rows, targets, mask, start) => {
    const losses = await lossesOf(model, batchOf(rows, targets, { attentionMask: Uint8Array.from(mask.flat()) }))
    expect(difference(losses.slice(start, start + 2), await lossesOf(model, batchOf([[1, 2]], [[2, 3]])))).toBeLessThanOrEqual(1e-4)
    expect(difference(losses.slice(3), await lossesOf(model, batchOf([[5, 6, 7]], [[6, 7, 8]])))).toBeLessThanOrEqual(1e-4)
  })

  test('packed documents = each alone', async () => {
    const packed = batchOf([[1, 2, 5, 6, 7]], [[2, -1, 6, 7, -1]], { segmentIds: Int32Array.of(0, 0, 1, 1, 1), positions: Int32Array.of(0, 1, 0, 1, 2) })
    const losses = await lossesOf(model, packed)
    expect(difference(losses, [...(await lossesOf(model, batchOf([[1, 2]], [[2, -1]]))), ...(await lossesOf(model, batchOf([[5, 6, 7]], [[6, 7, -1]])))])).toBeLessThanOrEqual(1e-4)
  })

  test('a pass in bf16: activations are bf16, gradients have the dtype of their parameters, losses are close', async () => {
    const narrow = tinyModel(backend, family)
    tidy(() => {
      for (const parameter of narrow.parameters().values()) if (parameter.role !== 'norm') parameter.assign({ value: cast(parameter.value, 'bf16') })
    })
    const batch = batchOf([[1, 2, 3], [4, 5, 6]], [[2, 3, 7], [-1, 6, 0]])
    const step = (network: Network, precision: 'f32' | 'bf16') =>
      valueAndGrad(() => {
        const { hidden } = network.hiddenStates(batch, { ...pass, training: true, precision })
        return { value: sum(network.tokenLosses(hidden, batch)), hidden }
      }, [...network.parameters().values()])
    const [wide, half, mixed] = [step(model, 'f32'), step(narrow, 'bf16'), step(narrow, 'f32')]
    expect([wide, half, mixed].map(({ result }) => [result.hidden.dtype, result.value.dtype])).toEqual([['f32', 'f32'], ['bf16', 'f32'], ['f32', 'f32']])
    expect(half.gradients.map(({ dtype }) => dtype)).toEqual([...narrow.parameters().values()].map(({ value }) => value.dtype))
    const expected = await readScalar(wide.result.value)
    for (const { result } of [half, mixed]) expect(Math.abs((await readScalar(result.value)) / expected - 1)).toBeLessThan(0.01)
    disposeAll([wide, half, mixed])
    narrow.dispose()
  })

  test('what a batch lacks is named', () => {
    const { targetIds: _, ...without } = batchOf([[1, 2]], [[2, 3]])
    expect(() => tidy(() => model.tokenLosses(model.hiddenStates(without, pass).hidden, without))).toThrow(/no targetIds/)
    expect(() => tidy(() => model.hiddenStates({ ...without, encoder: { shape: [1, 1], tokenIds: Int32Array.of(1) } }, pass))).toThrow(/decoder alone/)
  })

  test('parameters: roles, layers, a tied head once', () => {
    const parameters = [...model.parameters().values()]
    expect(new Set(parameters.map(({ role }) => role))).toEqual(new Set(family === 'gpt2' ? ['embedding', 'matrix', 'bias', 'norm'] : ['embedding', 'matrix', 'norm']))
    expect(parameters.filter(({ name, layerIndex }) => name.startsWith('layers.') !== (layerIndex !== undefined))).toEqual([])
    expect(model.parameters().has('head.weight')).toBe(false)
    expect(tinyModel(backend, family, { tieEmbeddings: false }).parameters().get('head.weight')!.role).toBe('head')
  })
})
