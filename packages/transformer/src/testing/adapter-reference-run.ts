// LoRA held against PEFT: logits with the adapter, its gradients, ten AdamW losses that train it alone, and the merged weights.
import { disposeAll, keep, read, readScalar, tensor, tidy, type Backend } from '@weft/tensor'
import type { Adapter } from '../adapter.ts'
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
  const files = [await openFile(base, 'model.safetensors'), await openFile(options, 'adapter_model.safetensors')] as const
  try {
    using model = await loadModel({ weights: files[0], config: parseModelConfig(await readJsonFile(base, 'config.json')), backend })
    using adapter = await loadAdapter(model, { config: await readJsonFile(options, 'adapter_config.json'), weights: files[1] })
    return await compareAdapter(model, adapter, { expected, json })
  } finally {
    for (const file of files) await file.close()
  }
}

const compareAdapter = async (model: Model, adapter: Adapter, { expected, json }: { readonly expected: Expected; readonly json: ExpectedJson }): Promise<Deviation[]> => {
  const { tolerance } = json
  const view = model.withAdapters([adapter])
  const parameters = [...adapter.parameters().values()]
  const { values, shape } = expected.get('input_ids')!
  const batch = nextTokenBatch(values, shape as readonly [number, number])
  const before = await logitDifference(model, expected, 'base_logits')
  const merged = await compareMerged(mergeAdapter(model, adapter), expected, tolerance)
  const { value, gradients } = keep(tidy(() => lossAndGradients(view, batch, parameters)))
  const reads = Promise.all([readScalar(value), readGradients(gradients, parameters)])
  disposeAll([value, gradients])
  const [loss, byName] = await reads
  const gradientDifferences = [...byName].map(([name, got]) => largestDifference(got, expected.get(`grad.${name}`)?.values ?? []))
  const adapted = await logitDifference(view, expected, 'logits')
  const losses = await adamWLosses(view, batch, { parameters, steps: json.adamw_losses.length })
  return [
    deviation('base logits', before, tolerance['logits']!),
    deviation('logits', adapted, tolerance['logits']!),
    ...merged,
    deviation('loss', Math.abs(loss - json.loss), tolerance['loss']!),
    deviation('gradients', Math.max(...gradientDifferences), tolerance['gradients']!),
    deviation('AdamW losses', largestDifference(losses, json.adamw_losses), tolerance['adamw_losses']!),
    deviation('base logits after training', await logitDifference(model, expected, 'base_logits'), tolerance['logits']!),
  ]
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
