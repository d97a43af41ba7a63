import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { read } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { expect, onTestFinished, test } from 'vitest'
import { gptShapes } from './gpt-shapes.ts'
import { startPythonPeer } from './python-peer.ts'
import { largestDifference } from './suites/train.ts'
import { startTorchRun } from './suites/torch-training.ts'
import { fixedBatches, startTrainingRun, writeFlatWeights } from './training-run.ts'

const shape = gptShapes.tiny

const started = (steps: number, precision: 'f32' | 'bf16' = 'f32') => {
  const backend = createCpuBackend()
  const run = startTrainingRun({ backend, shape, batches: fixedBatches(shape), precision, steps })
  return { backend, run }
}

const temporaryFile = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-bench-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'weights.f32')
}

test('batches are the same every time, within the vocabulary, targets one ahead', () => {
  const [first, second] = [fixedBatches(shape), fixedBatches(shape)]
  expect(first).toEqual(second)
  expect(first).toHaveLength(4)
  const { tokenIds, targetIds } = first[0]!
  expect(Math.max(...tokenIds)).toBeLessThan(shape.vocabulary)
  expect([...targetIds!.subarray(0, shape.length - 1)]).toEqual([...tokenIds.subarray(1, shape.length)])
})

test('each piece makes its steps and no more; the same batches again and again lower the loss', async () => {
  const { backend, run } = started(3)
  expect(await run.advance()).toBe(3)
  expect(run.losses).toHaveLength(3)
  for (let i = 0; i < 20; i++) await run.advance()
  expect(run.losses).toHaveLength(63)
  expect(run.losses[0]!).toBeCloseTo(Math.log(shape.vocabulary), 1)
  expect(run.losses.at(-1)!).toBeLessThan(run.losses[0]! - 0.5)
  await run.dispose()
  expect(backend.memory().buffers).toBe(0)
  await backend.dispose()
})

test('weights as a file: all parameters end to end', async () => {
  const { backend, run } = started(1)
  const path = temporaryFile()
  const names = await writeFlatWeights(run.model, path)
  const bytes = readFileSync(path)
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  const parameters = run.model.parameters()
  expect(names).toEqual([...parameters.keys()])
  let offset = 0
  for (const { value } of parameters.values()) {
    const expected = (await read(value)) as Float32Array
    expect(values.subarray(offset, offset + expected.length)).toEqual(expected)
    offset += expected.length
  }
  expect(offset).toBe(values.length)
  await run.dispose()
  await backend.dispose()
})

test('the largest difference of two courses, in shares of the second', () => {
  expect(largestDifference([1, 2.2, 3], [1, 2, 3])).toBeCloseTo(0.1)
  expect(largestDifference([1, 2, 9], [1, 2])).toBe(0)
})

test("PyTorch trains the same model: its losses are ours (skipped where it is not installed)", async ({ skip }) => {
  const peer = await startPythonPeer('torch_peer.py', 'torch', () => undefined, { threads: 1 })
  if (peer === undefined) return skip('PyTorch is not installed')
  onTestFinished(() => peer.close())
  const { backend, run } = started(6)
  const weights = temporaryFile()
  const names = await writeFlatWeights(run.model, weights)
  const torch = await startTorchRun(peer, { shape: { ...shape, stepsPerRun: 6 }, precision: 'f32', isCompiled: false, threads: 1, weights, names, batches: fixedBatches(shape) })
  await run.advance()
  await torch.subject.run()
  expect(torch.losses).toHaveLength(6)
  expect(largestDifference(run.losses, torch.losses)).toBeLessThan(1e-5)
  await run.dispose()
  await backend.dispose()
}, 60_000)
