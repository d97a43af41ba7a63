// Training on the native backend: small GPT-2 and Llama shapes in f32 and bf16, the same bits again for the same seed, whatever the number
// of threads, and after a resume.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNativeBackend, type NativeBackend } from '@weft/backend-native'
import { isWeftError } from '@weft/contracts'
import { memory, read, type TokenBatch } from '@weft/tensor'
import { packDocuments, tokenCorpus, train, type TrainOptions } from '@weft/trainer'
import { folderStore } from '@weft/trainer/node'
import { causal } from '@weft/trainer/objectives'
import { createModel, type Model, type ModelConfigOptions } from '@weft/transformer'
import { afterEach, describe, expect, test } from 'vitest'
import { startTfjs } from './start-tfjs.ts'

const whyNot = (): string | undefined => {
  try {
    void createNativeBackend({ threads: 1 }).dispose()
    return undefined
  } catch (error) {
    if (isWeftError(error, 'backend')) return error.message
    throw error
  }
}
const absent = whyNot()

const vocabSize = 60

/** Walks through the ids in steps that change from text to text: something to learn, and something to guess. */
const corpus = tokenCorpus(
  Array.from({ length: 60 }, (_, d) => ({ tokenIds: Array.from({ length: 50 + d }, (_, i) => (d * 7 + i * (1 + (d % 5)) + (i % 3) * ((d * i) % 4)) % vocabSize) })),
)
const batches = packDocuments({ corpus, sequenceLength: 24, batchSize: 6, seed: 5 })

const shape = { vocabSize, contextLength: 24, dModel: 48, numLayers: 2, numHeads: 4 }
const dropout = { embedding: 0.1, attention: 0.1, residual: 0.1 }
const small: Readonly<Record<string, ModelConfigOptions>> = {
  gpt2: { family: 'gpt2', ...shape },
  'gpt2 with dropout': { family: 'gpt2', ...shape, dropout },
  llama: { family: 'llama', ...shape, numKvHeads: 2 },
}
const configs: Readonly<Record<string, ModelConfigOptions>> = { ...small, wide: { family: 'gpt2', vocabSize: 1500, contextLength: 64, dModel: 160, numLayers: 2, numHeads: 5 } }

const open: NativeBackend[] = []
const scratch: string[] = []
afterEach(async () => {
  for (const backend of open.splice(0)) await backend.dispose()
  for (const folder of scratch.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'weft-native-'))
  scratch.push(made)
  return made
}

const setUp = (config: string, { threads = 2, ...options }: Partial<TrainOptions<TokenBatch>> & { readonly threads?: number }) => {
  const backend = createNativeBackend({ threads })
  open.push(backend)
  const model = createModel(configs[config]!, { backend, seed: 3 })
  const run = train({
    parameters: [...model.parameters().values()],
    objective: causal({ network: model }),
    batches,
    optimizer: { kind: 'adamW', learningRate: 3e-3 },
    schedule: { kind: 'warmupCosine', warmupSteps: 5 },
    steps: 60,
    seed: 11,
    ...options,
  })
  return { backend, model, run }
}

const lossesOf = async (run: ReturnType<typeof setUp>['run'], stopAt = Infinity): Promise<number[]> => {
  const losses: number[] = []
  for await (const event of run) {
    if (event.kind === 'step') losses.push(event.lossNats)
    if (event.kind === 'checkpoint' && event.step === stopAt) break
  }
  return losses
}

/** Every parameter: values, and masters where there are any. */
const weightsOf = async (model: Model): Promise<Record<string, ArrayLike<number>>> => {
  const weights: Record<string, ArrayLike<number>> = {}
  for (const { name, value, master } of model.parameters().values()) {
    weights[name] = await read(value)
    if (master !== undefined) weights[`${name} (master)`] = await read(master)
  }
  return weights
}

const trained = async (config: string, options: Parameters<typeof setUp>[1]): Promise<{ losses: number[]; weights: Record<string, ArrayLike<number>> }> => {
  const { model, run } = setUp(config, options)
  return { losses: await lossesOf(run), weights: await weightsOf(model) }
}

describe.skipIf(absent !== undefined)(`the native backend${absent === undefined ? '' : ` (${absent})`}`, () => {
  describe.each(Object.keys(small))('%s', (config) => {
    test('learns in f32 and in bf16, by the same course; every donation is used and nothing is left behind', async () => {
      const [wide, half] = [setUp(config, {}), setUp(config, { precision: 'bf16' })]
      const before = [wide, half].map(({ backend }) => backend.memory().buffers)
      const [f32, bf16] = [await lossesOf(wide.run), await lossesOf(half.run)]
      expect(f32.at(-1)).toBeLessThan(f32[0]! - 1)
      bf16.forEach((loss, i) => expect(Math.abs(loss / f32[i]! - 1), `step ${i + 1}: ${loss} in bf16, ${f32[i]} in f32`).toBeLessThan(0.01))
      expect(bf16).not.toEqual(f32)
      expect([wide, half].map(({ backend }) => memory(backend).missedDonations)).toEqual([0, 0])
      // bf16 has a master beside each value but those of norms, and nothing else more.
      const masters = [...half.model.parameters().values()].filter(({ role }) => role !== 'norm').length
      expect(wide.backend.memory().buffers).toBe(before[0])
      expect(half.backend.memory().buffers).toBe(before[1]! + masters)
    })

    test.each(['f32', 'bf16'] as const)('the same seed gives the same bits in %s, with one thread, two, and three', async (precision) => {
      const first = await trained(config, { precision, steps: 25 })
      for (const threads of [2, 1, 3]) expect(await trained(config, { precision, steps: 25, threads })).toEqual(first)
      const other = await trained(config, { precision, steps: 25, seed: 12 })
      if (config.includes('dropout')) expect(other.losses).not.toEqual(first.losses) // the seed draws the masks
    })

    test('a bf16 run that is resumed from its folder goes on to the last bit', async () => {
      const whole = await trained(config, { precision: 'bf16', steps: 24 })
      const checkpoint = { store: folderStore(folder()), everySteps: 8 }
      const first = await lossesOf(setUp(config, { precision: 'bf16', steps: 24, checkpoint }).run, 16)
      const rest = setUp(config, { precision: 'bf16', steps: 24, checkpoint, resume: 'latest' })
      expect([...first, ...(await lossesOf(rest.run))]).toEqual(whole.losses)
      expect(await weightsOf(rest.model)).toEqual(whole.weights)
    })
  })

  test.each(['f32', 'bf16'] as const)('a model that is cut into many pieces has the same bits in %s, too', async (precision) => {
    const wide = { precision, steps: 3, batches: packDocuments({ corpus, sequenceLength: 64, batchSize: 10, seed: 5 }) }
    const first = await trained('wide', wide)
    for (const threads of [2, 1, 3]) expect(await trained('wide', { ...wide, threads })).toEqual(first)
  })

  test('accumulated micro-batches in bf16 follow the big batch', async () => {
    const of = async (batchSize: number, gradientAccumulationSteps: number): Promise<number[]> =>
      lossesOf(setUp('gpt2', { precision: 'bf16', steps: 20, gradientAccumulationSteps, batches: packDocuments({ corpus, sequenceLength: 24, batchSize, seed: 5 }) }).run)
    const [big, small] = [await of(6, 1), await of(2, 3)]
    small.forEach((loss, i) => expect(Math.abs(loss / big[i]! - 1)).toBeLessThan(0.005))
  })
})

test('a backend without bf16 refuses it by name', async () => {
  const backend = await startTfjs('cpu')
  const model = createModel(configs['gpt2']!, { backend, seed: 3 })
  const run = train({ parameters: [...model.parameters().values()], objective: causal({ network: model }), batches, optimizer: { kind: 'adamW', learningRate: 1e-3 }, steps: 1, seed: 1, precision: 'bf16' })
  await expect(run.next()).rejects.toThrow(/precision: backend tfjs-cpu has no bf16; use precision 'f32'/)
  model.dispose()
})
