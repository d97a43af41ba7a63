// Small real models and reference folders for the tests of this package.
import { join } from 'node:path'
import { fileSource } from '@weft/sources/node'
import { keep, read, tensor, tidy, type Backend, type HostArray, type Tensor } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { trainTokenizer } from '@weft/tokenizer'
import type { Tokenizer } from '@weft/contracts'
import { expect } from 'vitest'
import { createModel, modelConfig, type ForwardInput, type Model, type ModelConfigOptions } from '../src/index.ts'
import { largestDifference } from '../src/testing/reference-files.ts'
import type { ReferenceFolder } from '../src/testing.ts'

export const fixturePath = (name: string): string => join(import.meta.dirname, 'fixtures', name)

export const folderAt = (path: string): ReferenceFolder => ({ open: (file) => fileSource(join(path, file)) })

export const tinyConfig = (family: 'gpt2' | 'llama', more: Partial<ModelConfigOptions> = {}): ModelConfigOptions => ({
  family,
  vocabSize: 40,
  contextLength: 24,
  dModel: 16,
  numLayers: 2,
  numHeads: 4,
  ...(family === 'llama' ? { numKvHeads: 2, dFf: 32 } : {}),
  initializerRange: 0.3, // wide, so that a slip shows
  ...more,
})

export const tinyModel = (backend: Backend, family: 'gpt2' | 'llama', more: Partial<ModelConfigOptions> = {}): Model =>
  createModel(modelConfig(tinyConfig(family, more)), { backend, seed: 5 })

export const ids = (model: Model, rows: readonly (readonly number[])[]): Tensor => tensor(model.backend, Int32Array.from(rows.flat()), [rows.length, rows[0]!.length])

/** Values of the logits of a pass. */
export const logitsOf = async (model: Model, rows: readonly (readonly number[])[], more: Partial<ForwardInput> = {}): Promise<HostArray> => {
  const logits = keep(tidy(() => model.forward({ tokenIds: ids(model, rows), ...more }).logits))
  const values = await read(logits)
  logits.dispose()
  return values
}

/** The largest absolute difference; infinite where there are not as many, or where one is NaN. */
export const difference = (got: ArrayLike<number>, expected: ArrayLike<number>): number => {
  const largest = largestDifference(got, expected)
  return Number.isNaN(largest) ? Infinity : largest
}

/** Runs a test on a fresh backend and expects it to be empty in the end. */
export const onCpu = async (run: (backend: Backend) => Promise<void> | void): Promise<void> => {
  const backend = createCpuBackend()
  await run(backend)
  expect(backend.memory().buffers).toBe(0)
}

export const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

/** A real tokenizer: bytes, a few merges, a begin and an end token. */
export const tinyTokenizer = async (): Promise<Tokenizer> => {
  const texts = ['the cat sat on the mat', 'the dog sat on the log', 'a cat and a dog', 'Größe, naïve, 日本語 😀']
  for await (const event of trainTokenizer({ algorithm: 'bpe', texts, vocabSize: 290, specialTokens: ['<s>', '</s>'] })) {
    if (event.kind === 'finished') return event.tokenizer
  }
  throw new Error('the training ended without a tokenizer')
}
