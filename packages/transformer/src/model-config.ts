// One description of a decoder, plain JSON: what GPT-2, Llama and their relatives have in common and where they differ. Knows no
// file format: families/ translates the spellings of published checkpoints.
import { ConfigError } from '@weft/contracts'
import { families } from './families/families.ts'

export type FamilyName = 'gpt2' | 'llama'

export type Activation = 'gelu' | 'geluTanh' | 'silu' | 'relu'

/** Stretches the rotary frequencies of a trained length to longer contexts, in three bands (Llama 3.1). */
export interface Llama3RopeScaling {
  readonly kind: 'llama3'
  readonly factor: number
  readonly lowFrequencyFactor: number
  readonly highFrequencyFactor: number
  readonly originalContextLength: number
}

export type Positions =
  /** A learned vector a position, added to the token's. */
  | { readonly kind: 'learned' }
  /** Rotation of queries and keys; dimension i pairs with i + headDim / 2. */
  | { readonly kind: 'rotary'; readonly theta: number; readonly scaling?: Llama3RopeScaling }

export interface ModelConfig {
  /** Whose names and file layout the model is saved with. */
  readonly family: FamilyName
  readonly vocabSize: number
  /** The most tokens that the model sees at once. */
  readonly contextLength: number
  readonly dModel: number
  readonly numLayers: number
  readonly numHeads: number
  /** Heads of keys and values; each serves numHeads / numKvHeads query heads. */
  readonly numKvHeads: number
  readonly headDim: number
  readonly dFf: number
  readonly norm: { readonly kind: 'layerNorm' | 'rmsNorm'; readonly epsilon: number }
  readonly activation: Activation
  /** down(activation(gate(x)) · up(x)) instead of down(activation(up(x))). */
  readonly isGated: boolean
  readonly positions: Positions
  /** Whether the head is the token embedding itself. */
  readonly tieEmbeddings: boolean
  readonly biases: { readonly attention: boolean; readonly feedForward: boolean }
  /** Rates in [0, 1), used in training passes alone. */
  readonly dropout: { readonly embedding: number; readonly attention: number; readonly residual: number }
  /** Deviation of the random weights of `createModel`. */
  readonly initializerRange: number
  readonly beginId?: number
  /** Any of these ends generation. */
  readonly endIds: readonly number[]
  readonly padId?: number
}

export type ModelSizes = Pick<ModelConfig, 'family' | 'vocabSize' | 'contextLength' | 'dModel' | 'numLayers' | 'numHeads'>

/** A ModelConfig of which only the sizes are needed; all else follows the family. */
export type ModelConfigOptions = ModelSizes & Partial<ModelConfig>

/**
 * A whole configuration from its sizes: what is absent is as the family has it.
 *
 * GPT-2: LayerNorm, learned positions, tanh-GELU of width 4·dModel, biases, tied head, dropout 0.
 * Llama: RMSNorm, rotary positions (theta 10000), gated SiLU of width 8/3·dModel rounded up to a multiple of 32, no biases, tied head.
 *
 * @throws ConfigError naming the field and what it must be.
 */
export const modelConfig = (options: ModelConfigOptions): ModelConfig => {
  requireSizes(options)
  const { dModel, numHeads } = options
  const shared = { numKvHeads: numHeads, headDim: dModel / numHeads, tieEmbeddings: true, initializerRange: 0.02, endIds: [] }
  const defaults = { ...shared, dropout: { embedding: 0, attention: 0, residual: 0 }, ...families[options.family].defaults(options) }
  const config = { ...defaults, ...defined(options) } as ModelConfig
  validateModelConfig(config)
  return config
}

/** Without the keys whose value is undefined: they would hide the defaults. */
const defined = (options: ModelConfigOptions): ModelConfigOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as ModelConfigOptions

const fail = (field: string, expected: string, got: unknown): never => {
  throw new ConfigError(`model config: ${field} must be ${expected}, got ${JSON.stringify(got) ?? String(got)}`)
}

// Beyond any published model, and small enough that no product of two of them leaves the integers that a number holds exactly.
const maxSize = 2 ** 24

const requireSizes = (options: ModelSizes): void => {
  if (!Object.hasOwn(families, options.family)) fail('family', `one of ${Object.keys(families).join(', ')}`, options.family)
  for (const field of ['vocabSize', 'contextLength', 'dModel', 'numLayers', 'numHeads'] as const) requireSize(field, options[field])
}

const requireSize = (field: string, value: unknown): void => {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > maxSize) fail(field, `an integer from 1 to ${maxSize}`, value)
}

const requireNumber = (field: string, value: number, low: number, high: number): void => {
  if (typeof value !== 'number' || !(value >= low && value < high)) fail(field, `a number in [${low}, ${high})`, value)
}

/** @throws ConfigError naming the first field that cannot be. */
export const validateModelConfig = (config: ModelConfig): void => {
  requireSizes(config)
  for (const field of ['numKvHeads', 'headDim', 'dFf'] as const) requireSize(field, config[field])
  const { numHeads, numKvHeads, headDim, norm, positions, dropout, vocabSize } = config
  if (numHeads % numKvHeads !== 0) fail('numKvHeads', `a divisor of numHeads ${numHeads}`, numKvHeads)
  if (norm.kind !== 'layerNorm' && norm.kind !== 'rmsNorm') fail('norm.kind', "'layerNorm' or 'rmsNorm'", norm.kind)
  requireNumber('norm.epsilon', norm.epsilon, 0, 1)
  if (!['gelu', 'geluTanh', 'silu', 'relu'].includes(config.activation)) fail('activation', 'gelu, geluTanh, silu or relu', config.activation)
  if (config.isGated && config.activation === 'relu') fail('activation', 'silu, gelu or geluTanh where isGated', config.activation)
  if (positions.kind === 'rotary') {
    if (headDim % 2 !== 0) fail('headDim', 'even for rotary positions', headDim)
    requireNumber('positions.theta', positions.theta, 1, Infinity)
    if (positions.scaling !== undefined) validateScaling(positions.scaling)
  } else if (positions.kind !== 'learned') fail('positions.kind', "'learned' or 'rotary'", (positions as { kind: unknown }).kind)
  for (const field of ['embedding', 'attention', 'residual'] as const) requireNumber(`dropout.${field}`, dropout[field], 0, 1)
  requireNumber('initializerRange', config.initializerRange, 0, 100)
  const ids = { beginId: config.beginId, padId: config.padId, ...Object.fromEntries(config.endIds.map((id, i) => [`endIds[${i}]`, id])) }
  for (const [field, id] of Object.entries(ids)) {
    if (id !== undefined && (!Number.isInteger(id) || id < 0 || id >= vocabSize)) fail(field, `a token id below vocabSize ${vocabSize}`, id)
  }
  requireFamily(config)
}

/** @throws ConfigError where the family's code elsewhere could not open a model like this. */
const requireFamily = (config: ModelConfig): void => {
  const demands = families[config.family].demands(config).filter((demand) => demand !== false)
  if (demands.length > 0) throw new ConfigError(`model config: family ${config.family} needs ${demands.join(', ')}; choose another family or change these`)
}

const validateScaling = (scaling: Llama3RopeScaling): void => {
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalContextLength } = scaling
  requireNumber('positions.scaling.factor', factor, 1, Infinity)
  requireNumber('positions.scaling.lowFrequencyFactor', lowFrequencyFactor, 0, Infinity)
  requireNumber('positions.scaling.highFrequencyFactor', highFrequencyFactor, 0, Infinity)
  if (!(highFrequencyFactor > lowFrequencyFactor)) fail('positions.scaling.highFrequencyFactor', `above lowFrequencyFactor ${lowFrequencyFactor}`, highFrequencyFactor)
  requireSize('positions.scaling.originalContextLength', originalContextLength)
}
