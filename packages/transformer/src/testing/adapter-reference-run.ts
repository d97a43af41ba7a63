// LoRA held against PEFT: logits with the adapter, its gradients, ten AdamW losses that train it alone, and the merged weights.
import { disposeAll, keep, read, readScalar, tensor, tidy, type Backend } from '@weft/tensor'
import { loadAdapter } from '../adapter-files.ts'
import { families } from '../families/families.ts'
import { parseModelConfig } from '../hugging-face-config.ts'
import { loadModel } from '../load-model.ts'
import { mergeAdapter } from '../merge-adapter.ts'
import type { Model } from '../model.ts'
import { deviation, largestDifference, openFile, readExpected, readJsonFile, type Deviation, type ReferenceFolder } from './reference-files.ts'
import { adamWLosses, lossAndGradients, nextTokenBatch, readGradients } from './training.ts'

type Expected = Awaited<ReturnType<typeof readExpected>>

interface ExpectedJson {
  readonly loss: number
  readonly adamw_losses: readonly number[]
  readonly tolerance: Readonly<Record<string, number>>
}

/** @param options.base the folder of the base model; `open` opens the adapter's. */
export const adapterReferenceRun = async (options: ReferenceFolder & { readonly backend: Backend; readonly base: ReferenceFolder }): Promise<Deviation[]> => {
  const { backend, base } = options
  const [expected, json] = [await readExpected(options), (await readJsonFile(options, 'expected.json')) as unknown as ExpectedJson]
  const weights = await openFile(base, 'model.safetensors')
  const adapterWeights = await openFile(options, 'adapter_model.safetensors')
  const model = await loadModel({ weights, config: parseModelConfig(await readJsonFile(base, 'config.json')), backend })
  try {
    const adapter = await loadAdapter(model, { config: await readJsonFile(options, 'adapter_config.json'), weights: adapterWeights })
    try {
      const view = model.withAdapters([adapter])
      const parameters = [...adapter.parameters().values()]
      const { values, shape } = expected.get('input_ids')!
      const batch = nextTokenBatch(values, shape as readonly [number, number])
      const { tolerance } = json
      const before = await logitDifference(model, expected, 'base_logits')
      const merged = await compareMerged(mergeAdapter(model, adapter), expected, tolerance)
      const { value, gradients } = keep(tidy(() => lossAndGradients(view, batch, parameters)))
      const [loss, byName] = await Promise.all([readScalar(value), readGradients(gradients, parameters)])
      disposeAll([value, gradients])
      return [
        deviation('base logits', before, tolerance['logits']!),
        deviation('logits', await logitDifference(view, expected, 'logits'), tolerance['logits']!),
        ...merged,
        deviation('loss', Math.abs(loss - json.loss), tolerance['loss']!),
        deviation('gradients', Math.max(...[...byName].map(([name, got]) => largestDifference(got, expected.get(`grad.${name}`)?.values ?? []))), tolerance['gradients']!),
        deviation('AdamW losses', largestDifference(await adamWLosses(view, batch, { parameters, steps: json.adamw_losses.length }), json.adamw_losses), tolerance['adamw_losses']!),
        deviation('base logits after training', await logitDifference(model, expected, 'base_logits'), tolerance['logits']!),
      ]
    } finally {
      adapter.dispose()
    }
  } finally {
    model.dispose()
    await weights.close()
    await adapterWeights.close()
  }
}

const logitDifference = async (model: Model, expected: Expected, name: string): Promise<number> => {
  const { values, shape } = expected.get('input_ids')!
  const logits = keep(tidy(() => model.forward({ tokenIds: tensor(model.backend, Int32Array.from(values), shape) }).logits))
  const reading = read(logits)
  logits.dispose()
  return largestDifference(await reading, expected.get(name)!.values)
}

const compareMerged = async (merged: Model, expected: Expected, tolerance: Readonly<Record<string, number>>): Promise<Deviation[]> => {
  try {
    const differences: number[] = []
    for (const { file, parameter, rows } of families[merged.config.family].fileTensors(merged.config)) {
      const reference = expected.get(`merged.${file}`)
      if (reference === undefined) continue
      const { value } = merged.baseParameters().get(parameter)!
      const whole = await read(value)
      const width = value.shape[1]!
      differences.push(largestDifference(rows === undefined ? whole : whole.slice(rows.start * width, (rows.start + rows.count) * width), reference.values))
    }
    return [
      deviation('merged weights', differences.length === 0 ? NaN : Math.max(...differences), tolerance['merged_weights']!),
      deviation('merged logits', await logitDifference(merged, expected, 'merged_logits'), tolerance['merged_logits']!),
    ]
  } finally {
    merged.dispose()
  }
}
