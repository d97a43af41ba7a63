import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createCpuBackend } from '@weft/tensor/cpu'
import { grad, memory, random, randomKey, tensor, tidy, type Tensor } from '@weft/tensor'
import { crossEntropy, linear, linearCrossEntropy, mul, scalarLike, sum, tanh } from '@weft/tensor/ops'
import { expectClose, f32, f64, i32, sample, valuesOf } from '../../test/closeness.ts'

interface Golden {
  readonly crossEntropy: {
    readonly logits: readonly (readonly number[])[]
    readonly targets: readonly number[]
    readonly ignore_index: number
    readonly cases: readonly { readonly options: { readonly reduction?: string; readonly label_smoothing?: number }; readonly loss: number | readonly number[]; readonly gradient: readonly (readonly number[])[] }[]
  }
}

const golden = (JSON.parse(readFileSync(new URL('../../test/golden/training.json', import.meta.url), 'utf8')) as Golden).crossEntropy

test.each(golden.cases)('losses and gradients of PyTorch: $options', async ({ options, loss, gradient }) => {
  const logits = f64(golden.logits.flat(), [6, 5])
  const settings = { ignoreIndex: golden.ignore_index, labelSmoothing: options.label_smoothing ?? 0 }
  const losses = () => crossEntropy(logits, i32(golden.targets, [6]), settings)
  const counted = golden.targets.filter((target) => target !== golden.ignore_index).length
  const divisor = options.reduction === undefined ? counted : 1
  const rows = await valuesOf(losses())
  if (typeof loss === 'number') expectClose([rows.reduce((total, row) => total + row) / divisor], [loss], { rtol: 1e-9 })
  else expectClose(rows, loss, { rtol: 1e-9 })
  const [got] = grad(() => tidy(() => ((total: Tensor) => mul(total, scalarLike(total, 1 / divisor)))(sum(losses()))), [logits])
  expectClose(await valuesOf(got!), gradient.flat(), { rtol: 1e-9, atol: 1e-12 })
})

test('the z loss adds the square of the log-sum-exp', async () => {
  const logits = [0.5, -1, 2]
  const logSumExp = Math.log(logits.reduce((total, x) => total + Math.exp(x), 0))
  const [loss] = await valuesOf(crossEntropy(f64(logits, [1, 3]), i32([0], [1]), { zLoss: 0.1 }))
  expectClose([loss!], [logSumExp - 0.5 + 0.1 * logSumExp ** 2])
})

test('ignored rows are 0, wrong targets NaN', async () => {
  const { x } = sample([4, 3], 1)
  const rows = await valuesOf(crossEntropy(x, i32([-1, 3, -2, 2], [4])))
  expect(rows.slice(0, 3)).toEqual([0, NaN, NaN])
  expect(rows[3]).toBeGreaterThan(0)
})

test('linearCrossEntropy is the loss of the product, whatever the chunks', async () => {
  const [hidden, weight, bias] = [sample([7, 4], 2).x, sample([9, 4], 3).x, sample([9], 4).x]
  const targets = i32([0, 8, -1, 3, 3, 5, 1], [7])
  const settings = { labelSmoothing: 0.1, zLoss: 0.01 }
  const apart = (): Tensor => {
    const scaled = ((z: Tensor) => mul(z, scalarLike(z, 0.5)))(linear(hidden, weight, { bias }))
    return crossEntropy(((z: Tensor) => mul(tanh(mul(z, scalarLike(z, 1 / 3))), scalarLike(z, 3)))(scaled), targets, settings)
  }
  const fused = (chunkRows?: number): Tensor => linearCrossEntropy(hidden, weight, targets, { ...settings, bias, softcap: 3, logitScale: 0.5, chunkRows })
  const roots = [hidden, weight, bias]
  const gradients = async (loss: () => Tensor): Promise<number[][]> => Promise.all(grad(() => tidy(() => sum(loss())), roots).map(valuesOf))
  const [losses, slopes] = [await valuesOf(apart()), await gradients(apart)]
  for (const chunkRows of [undefined, 1, 3, 100]) {
    expectClose(await valuesOf(fused(chunkRows)), losses)
    const got = await gradients(() => fused(chunkRows))
    got.forEach((values, i) => expectClose(values, slopes[i]!))
  }
})

test('logits of all rows are never in memory, and nothing stays', async () => {
  const backend = createCpuBackend()
  const [rows, classes, width] = [2048, 6000, 2]
  const hidden = random(backend, [rows, width], { key: randomKey(1), distribution: 'normal' })
  const weight = random(backend, [classes, width], { key: randomKey(2), distribution: 'normal' })
  const targets = tensor(backend, Int32Array.from({ length: rows }, (_, i) => i), [rows])
  const before = memory(backend)
  const gradients = grad(() => tidy(() => sum(linearCrossEntropy(hidden, weight, targets))), [hidden, weight])
  const wholeLogits = rows * classes * 4
  expect(memory(backend).peakBytes - before.bytes).toBeLessThan(wholeLogits * 1.7) // five arrays of a third each
  for (const gradient of gradients) gradient.dispose()
  expect(memory(backend).bytes).toBe(before.bytes)
})

test('what does not fit is refused', () => {
  expect(() => crossEntropy(f32([1, 2], [1, 2]), f32([0], [1]))).toThrow('crossEntropy: expected targets of dtype i32, got f32')
  expect(() => crossEntropy(f32([1, 2], [1, 2]), i32([0, 1], [2]))).toThrow('crossEntropy: expected targets of shape [N] = [1], got [2]')
  expect(() => crossEntropy(f32([1, 2], [1, 2]), i32([0], [1]), { labelSmoothing: 1.5 })).toThrow(/labelSmoothing in 0 … 1, got 1.5/)
  expect(() => linearCrossEntropy(f32([1, 2], [1, 2]), f32([1, 2, 3], [1, 3]), i32([0], [1]))).toThrow(/expected weight of shape/)
})
