// LoRA (Hu et al. 2021): y = W x + s · B(A x), with A and B the only trained matrices. s = alpha / rank, or alpha / √rank where
// rank-stabilised (Kalajdzievski 2023). Module names are those of the family's files, as PEFT uses them.
import { ConfigError, UnsupportedError } from '@weft/contracts'
import { childKey, createParameter, random, randomKey, tidy, zeros, type Parameter, type Tensor } from '@weft/tensor'
import { add, mul, scalarLike } from '@weft/tensor/ops'
import type { Adapter, LowRankUpdate } from './adapter.ts'
import { disposeSymbol } from './dispose-symbol.ts'
import { families } from './families/families.ts'
import type { FileTensor } from './families/family.ts'
import type { Model } from './model.ts'
import type { ModelConfig } from './model-config.ts'
import { parameterList } from './parameter-list.ts'

export interface LoraConfig {
  readonly kind: 'lora'
  readonly rank: number
  readonly alpha: number
  /** Last parts of module names (`q_proj`, `c_attn`) or whole ones, or all linear layers of the blocks. */
  readonly targetModules: readonly string[] | 'all-linear'
  /** Of the update's input, in training passes; in [0, 1). */
  readonly dropout: number
  readonly rankStabilized: boolean
}

export type CreateAdapterOptions = Pick<LoraConfig, 'kind' | 'rank'> &
  Partial<LoraConfig> & {
    /** Any integer in ±2^53. */
    readonly seed: number
  }

/**
 * A new adapter that changes nothing yet: A is drawn uniformly from ±1/√in as PEFT does, B is 0.
 *
 * @param options.alpha default 2·rank. @param options.targetModules default 'all-linear'.
 * @throws ConfigError naming an option, or the modules that there are where a target names none.
 */
export const createAdapter = (model: Model, options: CreateAdapterOptions): Adapter => {
  const { seed, ...given } = options
  const config: LoraConfig = { alpha: 2 * options.rank, targetModules: 'all-linear', dropout: 0, rankStabilized: false, ...given }
  validateLora(config)
  if (!Number.isSafeInteger(seed)) throw new ConfigError(`createAdapter: seed must be an integer in ±2^53, got ${seed}`)
  const { backend } = model
  const targets = targetedModules(model.config, config.targetModules)
  return adapterOf(
    config,
    targets.map((target) => {
      const [out, into] = target.shape
      const a = tidy(() => uniform(model, `${target.module}.lora_A`, [config.rank, into], { seed, bound: 1 / Math.sqrt(into) }))
      return updateOf(target, { a, b: zeros(backend, [out, config.rank]), scale: loraScale(config) })
    }),
  )
}

const uniform = (model: Model, name: string, shape: readonly number[], { seed, bound }: { readonly seed: number; readonly bound: number }): Tensor => {
  const unit = random(model.backend, shape, { key: childKey(randomKey(seed), name) })
  return mul(add(unit, scalarLike(unit, -0.5)), scalarLike(unit, 2 * bound))
}

/** s of y += s · B(A x). */
export const loraScale = ({ alpha, rank, rankStabilized }: Pick<LoraConfig, 'alpha' | 'rank' | 'rankStabilized'>): number =>
  alpha / (rankStabilized ? Math.sqrt(rank) : rank)

const validateLora = ({ kind, rank, alpha, dropout, targetModules }: LoraConfig): void => {
  if (kind !== 'lora') throw new UnsupportedError(`createAdapter: kind ${JSON.stringify(kind)} is not supported; only "lora"`)
  if (!Number.isSafeInteger(rank) || rank < 1) throw new ConfigError(`createAdapter: rank must be a positive integer, got ${rank}`)
  if (!Number.isFinite(alpha)) throw new ConfigError(`createAdapter: alpha must be a number, got ${alpha}`)
  if (!(dropout >= 0 && dropout < 1)) throw new ConfigError(`createAdapter: dropout must be in [0, 1), got ${dropout}`)
  if (targetModules !== 'all-linear' && targetModules.length === 0) throw new ConfigError("createAdapter: targetModules is empty; name modules, or say 'all-linear'")
}

/** A linear layer under its name in the family's files, and the matrix [out, in] that it is. */
export interface LinearModule {
  readonly module: string
  readonly tensor: FileTensor
  readonly shape: readonly [out: number, into: number]
}

/** Every linear layer of the blocks; embeddings and head are none of them. */
export const linearModules = (config: ModelConfig): LinearModule[] => {
  const specs = new Map(parameterList(config).map((spec) => [spec.name, spec]))
  return families[config.family].fileTensors(config).flatMap((tensor) => {
    const spec = specs.get(tensor.parameter)!
    if (spec.role !== 'matrix') return []
    const [out, into] = spec.shape as [number, number]
    return [{ module: tensor.file.replace(/\.weight$/, ''), tensor, shape: [tensor.rows?.count ?? out, into] as const }]
  })
}

const targetedModules = (config: ModelConfig, targets: LoraConfig['targetModules']): LinearModule[] => {
  const all = linearModules(config)
  if (targets === 'all-linear') return all
  const matches = ({ module }: LinearModule, target: string): boolean => module === target || module.endsWith(`.${target}`)
  const unknown = targets.filter((target) => !all.some((module) => matches(module, target)))
  if (unknown.length > 0) {
    const names = [...new Set(all.map(({ module }) => module.split('.').at(-1)!))]
    throw new ConfigError(`createAdapter: no linear layer is named ${unknown.join(', ')}; there are ${names.join(', ')}`)
  }
  return all.filter((module) => targets.some((target) => matches(module, target)))
}

export const adapterKeyPrefix = 'base_model.model.'

/** Takes over both tensors. */
export const updateOf = ({ module, tensor }: LinearModule, parts: { readonly a: Tensor; readonly b: Tensor; readonly scale: number }): LowRankUpdate => {
  const layer = /^layers\.(\d+)\./.exec(tensor.parameter)
  const parameter = (part: 'lora_A' | 'lora_B', value: Tensor): Parameter =>
    createParameter({
      name: `${adapterKeyPrefix}${module}.${part}.weight`,
      value,
      role: 'matrix',
      ...(layer === null ? {} : { layerIndex: Number(layer[1]) }),
    })
  return {
    module,
    projection: tensor.parameter.replace(/\.weight$/, ''),
    ...(tensor.rows === undefined ? {} : { rows: tensor.rows }),
    isTransposed: tensor.isTransposed === true,
    a: parameter('lora_A', parts.a),
    b: parameter('lora_B', parts.b),
    scale: parts.scale,
  }
}

export const adapterOf = (config: LoraConfig, list: readonly LowRankUpdate[]): Adapter => {
  const updates = new Map<string, LowRankUpdate[]>()
  for (const update of list) updates.set(update.projection, [...(updates.get(update.projection) ?? []), update])
  const parameters = new Map(list.flatMap(({ a, b }) => [a, b]).map((parameter) => [parameter.name, parameter]))
  const adapter: Adapter = {
    kind: 'lora',
    config,
    updates,
    parameters: () => parameters,
    dispose: () => {
      for (const { value, master } of parameters.values()) for (const x of [value, master]) x?.dispose()
    },
    [disposeSymbol]: () => adapter.dispose(),
  }
  return adapter
}

/** Whether the modules it changes are stored [in, out] in the family's files (PEFT's fan_in_fan_out). */
export const adapterIsTransposed = (adapter: Adapter): boolean => [...adapter.updates.values()].flat().some(({ isTransposed }) => isTransposed)
