// A backend held against PyTorch: a tiny model's logits, hidden states, attentions, loss, every gradient, ten AdamW losses and greedy
// text (the idea of llm.c's test_gpt2.c). Any backend can run it; nothing here knows a test runner.
import type { Json } from '@weft/contracts'
import { disposeAll, keep, read, readScalar, tensor, tidy, type Backend, type HostArray, type Tensor } from '@weft/tensor'
import { families } from '../families/families.ts'
import type { FileTensor } from '../families/family.ts'
import { generate } from '../generate.ts'
import { parseModelConfig } from '../hugging-face-config.ts'
import { createKvCache } from '../kv-cache.ts'
import { loadModel } from '../load-model.ts'
import type { Model } from '../model.ts'
import { deviation, largestDifference, openFile, readExpected, readJsonFile, type Deviation, type ReferenceFolder } from './reference-files.ts'
import { adamWLosses, lossAndGradients, nextTokenBatch, readGradients } from './training.ts'

export type { Deviation, ReferenceFolder }

type Expected = Awaited<ReturnType<typeof readExpected>>

/** What expected.json says, as far as it is used here. */
interface ExpectedJson {
  readonly loss: number
  readonly adamw_losses: readonly number[]
  readonly generation: { readonly greedy: { readonly prompt: readonly number[]; readonly max_new_tokens: number; readonly tokens: readonly number[]; readonly logprobs: readonly number[] } }
  readonly tolerance: Readonly<Record<string, number>>
}

/**
 * Runs a reference folder on a backend. The model is made twice and freed; nothing stays on the backend.
 *
 * @param options.config another spelling of the configuration, `config.legacy.json`; default `config.json`.
 * @returns one deviation a quantity; `passes` is whether it is within the folder's own tolerance.
 */
export const referenceRun = async (options: ReferenceFolder & { readonly backend: Backend; readonly config?: string; readonly dtype?: 'f32' | 'f64' }): Promise<Deviation[]> => {
  const { backend, dtype = 'f32' } = options
  const [expected, json] = [await readExpected(options), (await readJsonFile(options, 'expected.json')) as Json as unknown as ExpectedJson]
  const config = parseModelConfig(await readJsonFile(options, options.config ?? 'config.json'))
  const weights = await openFile(options, 'model.safetensors')
  try {
    const model = await loadModel({ weights, config, backend, dtype })
    try {
      return [...(await compareForward(model, expected, json)), ...(await compareGradients(model, expected, json)), ...(await compareGreedy(model, json)), await compareTraining(model, expected, json)]
    } finally {
      model.dispose()
    }
  } finally {
    await weights.close()
  }
}

const idsOf = (model: Model, expected: Expected): Tensor => {
  const { values, shape } = expected.get('input_ids')!
  return tensor(model.backend, Int32Array.from(values), shape)
}

const compareForward = async (model: Model, expected: Expected, { tolerance }: ExpectedJson): Promise<Deviation[]> => {
  const { logits, hiddenStates, attentions } = keep(tidy(() => model.forward({ tokenIds: idsOf(model, expected), capture: { hiddenStates: true, attentions: true } })))
  const plain = keep(tidy(() => model.forward({ tokenIds: idsOf(model, expected) }).logits))
  const reads = [logits, plain, ...hiddenStates!, ...attentions!].map((x) => read(x))
  disposeAll([logits, plain, hiddenStates, attentions])
  const [logitValues, plainValues, ...rest] = await Promise.all(reads)
  const states = rest.slice(0, hiddenStates!.length)
  const differences = (name: string, values: readonly HostArray[]): number => Math.max(...values.map((x, i) => largestDifference(x, expected.get(`${name}.${i}`)?.values ?? [])))
  return [
    deviation('logits', largestDifference(plainValues!, expected.get('logits')!.values), tolerance['logits']!),
    deviation('logits with captured attentions', largestDifference(logitValues!, expected.get('logits')!.values), tolerance['logits']!),
    deviation('hidden states', differences('hidden_states', states), tolerance['hidden_states']!),
    deviation('attentions', differences('attentions', rest.slice(states.length)), tolerance['attentions']!),
  ]
}

const compareGradients = async (model: Model, expected: Expected, { loss, tolerance }: ExpectedJson): Promise<Deviation[]> => {
  const { values, shape } = expected.get('input_ids')!
  const parameters = [...model.parameters().values()]
  const batch = nextTokenBatch(values, shape as readonly [number, number])
  const { value, gradients } = keep(tidy(() => lossAndGradients(model, batch, parameters)))
  const [lossValue, byName] = [readScalar(value), readGradients(gradients, parameters)]
  disposeAll([value, gradients])
  const got = await byName
  const tensors = families[model.config.family].fileTensors(model.config)
  const deviations = tensors.map((file) => {
    const reference = expected.get(`grad.${file.file}`)?.values ?? new Float32Array(0)
    const largest = reference.reduce((a, b) => Math.max(a, Math.abs(b)), 1)
    return largestDifference(inFileLayout(got.get(file.parameter)!, model.parameters().get(file.parameter)!.value.shape, file), reference) / largest
  })
  return [deviation('loss', Math.abs((await lossValue) - loss), tolerance['loss']!), deviation('gradients', Math.max(...deviations), tolerance['gradients']!)]
}

/** The part of a parameter that a file's tensor is, in the file's layout. */
const inFileLayout = (values: HostArray, shape: readonly number[], { rows, isTransposed }: FileTensor): HostArray => {
  const width = values.length / shape[0]!
  const part = rows === undefined ? values : values.slice(rows.start * width, (rows.start + rows.count) * width)
  if (isTransposed !== true) return part
  const height = part.length / width
  return part.map((_, i) => part[(i % height) * width + Math.floor(i / height)]!)
}

const compareGreedy = async (model: Model, { generation: { greedy }, tolerance }: ExpectedJson): Promise<Deviation[]> => {
  const logProbs: number[] = []
  const tokens: number[] = []
  for await (const event of generate({ model, tokenIds: Uint32Array.from(greedy.prompt), sampling: { temperature: 0 }, maxNewTokens: greedy.max_new_tokens, stopIds: [] })) {
    if (event.kind === 'finish') continue
    tokens.push(event.tokenId)
    logProbs.push(event.logProb)
  }
  const wrong = tokens.filter((token, i) => token !== greedy.tokens[i]).length + Math.abs(tokens.length - greedy.tokens.length)
  return [
    deviation('greedy tokens that differ', wrong, 0),
    deviation('greedy log-probabilities', largestDifference(logProbs, greedy.logprobs), tolerance['generation_logprobs']!),
    deviation('cached against whole logits', await cacheDifference(model, [...greedy.prompt, ...greedy.tokens]), tolerance['logits']!),
  ]
}

/** One token at a time through a cache, and all at once. */
const cacheDifference = async (model: Model, ids: readonly number[]): Promise<number> => {
  const cache = createKvCache(model, { rows: 1, maxTokens: 4 }) // grows on the way
  const all = keep(tidy(() => model.forward({ tokenIds: tensor(model.backend, Int32Array.from(ids), [1, ids.length]) }).logits))
  try {
    const steps: number[] = []
    for (const id of ids) {
      const step = keep(tidy(() => model.forward({ tokenIds: tensor(model.backend, Int32Array.of(id), [1, 1]), kvCache: cache }).logits))
      steps.push(...(await read(step)))
      step.dispose()
    }
    return largestDifference(steps, await read(all))
  } finally {
    all.dispose()
    cache.dispose()
  }
}

const compareTraining = async (model: Model, expected: Expected, { adamw_losses: losses, tolerance }: ExpectedJson): Promise<Deviation> => {
  const { values, shape } = expected.get('input_ids')!
  const batch = nextTokenBatch(values, shape as readonly [number, number])
  const got = await adamWLosses(model, batch, { parameters: [...model.parameters().values()], steps: losses.length })
  return deviation('AdamW losses', largestDifference(got, losses), tolerance['adamw_losses']!)
}
