// PEFT's two files of a LoRA adapter: adapter_config.json and adapter_model.safetensors.
import { ConfigError, FormatError, UnsupportedError, type Json } from '@weft/contracts'
import type { FileContent } from '@weft/sources'
import { keep, tensor, type Tensor } from '@weft/tensor'
import { toFloat32, type WeightsFile } from '@weft/weights'
import type { Adapter, LowRankUpdate } from './adapter.ts'
import { configReader, isJsonObject, type ConfigReader, type JsonObject } from './families/config-reader.ts'
import { adapterIsTransposed, adapterKeyPrefix, adapterOf, linearModules, loraScale, updateOf, type LinearModule, type LoraConfig } from './lora.ts'
import type { Model } from './model.ts'
import { jsonFile, safetensorsFile } from './file-contents.ts'

/**
 * `adapter_config.json` and `adapter_model.safetensors`, which PEFT and `loadAdapter` open.
 * @param options.baseModel what PEFT calls base_model_name_or_path: where the base model is, for whoever opens the adapter.
 */
export const adapterFiles = (adapter: Adapter, options: { readonly baseModel?: string } = {}): Record<string, FileContent> => ({
  'adapter_config.json': jsonFile(peftConfig(adapter, options.baseModel)),
  'adapter_model.safetensors': safetensorsFile([...adapter.parameters().values()].map((parameter) => ({ name: parameter.name, parameter }))),
})

const peftConfig = (adapter: Adapter, baseModel: string | undefined): Json => {
  const { rank, alpha, targetModules, dropout, rankStabilized } = adapter.config
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: baseModel ?? null,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: dropout,
    target_modules: targetModules === 'all-linear' ? [...new Set([...adapter.updates.values()].flat().map(({ module }) => module.split('.').at(-1)!))] : targetModules,
    use_rslora: rankStabilized,
    use_dora: false,
    fan_in_fan_out: adapterIsTransposed(adapter),
    bias: 'none',
    modules_to_save: null,
    rank_pattern: {},
    alpha_pattern: patternOf(adapter),
    init_lora_weights: true,
    inference_mode: true,
  }
}

/** alpha of modules whose scale is not the one of the configuration. */
const patternOf = ({ config, updates }: Adapter): Record<string, Json> =>
  Object.fromEntries(
    [...updates.values()].flat().flatMap(({ module, a, scale }) => {
      const rank = a.value.shape[0]!
      const alpha = scale * (config.rankStabilized ? Math.sqrt(rank) : rank)
      return Math.abs(alpha - config.alpha) <= 1e-9 * Math.abs(config.alpha) ? [] : [[module, alpha]]
    }),
  )

/**
 * Reads an adapter that PEFT or `adapterFiles` has written.
 *
 * @param options.config the parsed adapter_config.json.
 * @throws UnsupportedError for other methods and for options that change the numbers, by name; FormatError for tensors that are
 *   missing, left over, or of another shape than the model's layers.
 */
export const loadAdapter = async (
  model: Model,
  options: { readonly config: Json; readonly weights: WeightsFile; readonly signal?: AbortSignal },
): Promise<Adapter> => {
  const { weights, signal } = options
  if (!isJsonObject(options.config)) throw new ConfigError('adapter_config.json: expected an object')
  const { config, alphaOf } = readPeftConfig(options.config)
  const modules = new Map(linearModules(model.config).map((module) => [module.module, module]))
  const updates: LowRankUpdate[] = []
  try {
    for (const name of adaptedModules(weights)) {
      signal?.throwIfAborted()
      const module = modules.get(name)
      if (module === undefined) throw new FormatError(`adapts ${name}, which is no linear layer in the blocks of this model`, { source: weights.name })
      updates.push(await loadUpdate(model, { weights, module, rank: config.rank, scaleOf: (rank) => loraScale({ alpha: alphaOf(name), rank, rankStabilized: config.rankStabilized }), signal }))
    }
    return adapterOf(config, updates)
  } catch (error) {
    for (const { a, b } of updates) for (const { value } of [a, b]) value.dispose()
    throw error
  }
}

/** Module names in the file. @throws FormatError for a tensor that is neither A nor B of one, or has no partner. */
const adaptedModules = (weights: WeightsFile): string[] => {
  const parts = new Map<string, Set<string>>()
  for (const key of weights.tensors.keys()) {
    const match = /^base_model\.model\.(.+)\.(lora_[AB])\.weight$/.exec(key)
    if (match === null) throw new FormatError(`expected ${adapterKeyPrefix}<module>.lora_A.weight and lora_B.weight alone, got ${key}`, { source: weights.name })
    parts.set(match[1]!, (parts.get(match[1]!) ?? new Set()).add(match[2]!))
  }
  if (parts.size === 0) throw new FormatError('expected the tensors of an adapter, got none', { source: weights.name })
  for (const [module, found] of parts) {
    if (found.size < 2) throw new FormatError(`has only one of lora_A and lora_B for ${module}`, { source: weights.name })
  }
  return [...parts.keys()]
}

const loadUpdate = async (
  model: Model,
  options: { readonly weights: WeightsFile; readonly module: LinearModule; readonly rank: number; readonly scaleOf: (rank: number) => number; readonly signal: AbortSignal | undefined },
): Promise<LowRankUpdate> => {
  const { weights, module, scaleOf, signal } = options
  const name = (part: string): string => `${adapterKeyPrefix}${module.module}.${part}.weight`
  const [a, b] = [weights.tensors.get(name('lora_A'))!.shape, weights.tensors.get(name('lora_B'))!.shape]
  const [out, into] = module.shape
  const rank = a[0]!
  if (a.length !== 2 || b.length !== 2 || a[1] !== into || b[0] !== out || b[1] !== rank) {
    throw new FormatError(`${module.module}: lora_A [${a.join(', ')}] and lora_B [${b.join(', ')}] do not fit a layer from ${into} to ${out}`, { source: weights.name })
  }
  const upload = async (part: string): Promise<Tensor> => {
    const info = weights.tensors.get(name(part))!
    const bytes = await weights.read(name(part), signal === undefined ? {} : { signal })
    return keep(tensor(model.backend, toFloat32(info.dtype, bytes), info.shape))
  }
  const first = await upload('lora_A')
  try {
    return updateOf(module, { a: first, b: await upload('lora_B'), scale: scaleOf(rank) })
  } catch (error) {
    first.dispose()
    throw error
  }
}

const readPeftConfig = (json: JsonObject): { config: LoraConfig; alphaOf: (module: string) => number } => {
  const reader = configReader(json, 'adapter_config.json')
  reader.only('peft_type', 'LORA')
  reader.only('bias', 'none')
  reader.only('use_dora', false)
  // Other starts (PiSSA, OLoRA, CorDA, LoftQ) change the base model too, so that the adapter is right for no plain one.
  reader.only('init_lora_weights', true, false, 'gaussian', 'orthogonal', 'eva')
  // Which modules and which ranks: the tensors say it. The rest is provenance.
  reader.ignore('task_type', 'base_model_name_or_path', 'revision', 'inference_mode', 'peft_version', 'fan_in_fan_out', 'rank_pattern', 'exclude_modules')
  reader.ignore('layers_to_transform', 'layers_pattern', 'megatron_core', 'qalora_group_size', 'ensure_weight_tying', 'eva_config', 'runtime_config')
  const [rank, alpha] = [reader.integer(['r']), reader.number(['lora_alpha'])]
  const alphas = Object.entries(reader.object('alpha_pattern') ?? {})
  const config: LoraConfig = {
    kind: 'lora',
    rank,
    alpha,
    targetModules: readTargets(reader),
    dropout: reader.number(['lora_dropout'], 0),
    rankStabilized: reader.boolean('use_rslora', false),
  }
  reader.finish()
  for (const [pattern, value] of alphas) {
    if (typeof value !== 'number') throw new ConfigError(`adapter_config.json: alpha_pattern.${pattern} must be a number, got ${JSON.stringify(value)}`)
    if (!/^[\w.]+$/.test(pattern)) throw new UnsupportedError(`adapter_config.json: alpha_pattern ${JSON.stringify(pattern)} is a regular expression; only plain module names are supported`)
  }
  const alphaOf = (module: string): number => (alphas.find(([name]) => module === name || module.endsWith(`.${name}`))?.[1] as number | undefined) ?? alpha
  return { config, alphaOf }
}

/** What the tensors do not say themselves: only for writing the file again. */
const readTargets = (reader: ConfigReader): LoraConfig['targetModules'] => {
  const targets = reader.read('target_modules')
  return Array.isArray(targets) && targets.every((target) => typeof target === 'string') ? (targets as string[]) : 'all-linear'
}
