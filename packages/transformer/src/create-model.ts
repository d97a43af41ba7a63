// Models from nothing: parameters drawn from a seed.
import { ConfigError } from '@weft/contracts'
import { childKey, createParameter, keep, ones, random, randomKey, tensor, tidy, zeros, type Backend, type DType, type Parameter, type Tensor } from '@weft/tensor'
import { mul, scalarLike } from '@weft/tensor/ops'
import { modelOf } from './decoder-model.ts'
import type { Model } from './model.ts'
import { modelConfig, type ModelConfig, type ModelConfigOptions } from './model-config.ts'
import { parameterList, type ParameterSpec } from './parameter-list.ts'
import { ropeFrequencies } from './rope-frequencies.ts'
import type { DecoderParts } from './run.ts'

/**
 * A model with random weights: matrices and embeddings from N(0, initializerRange²), norms 1, biases 0. In GPT-2 the projections
 * back into the residual stream are narrower by √(2·numLayers), as its paper has it; Llama's are not.
 *
 * @param options.seed any integer in ±2^53; the same seed gives the same weights on every backend, up to rounding.
 * @throws ConfigError naming a field of the configuration that cannot be.
 */
export const createModel = (config: ModelConfigOptions, options: { readonly backend: Backend; readonly seed: number }): Model => {
  const { backend, seed } = options
  if (!Number.isSafeInteger(seed)) throw new ConfigError(`createModel: seed must be an integer in ±2^53, got ${seed}`)
  const whole = modelConfig(config)
  const made: Parameter[] = []
  try {
    for (const spec of parameterList(whole)) made.push(parameterOf(spec, tidy(() => startValue(whole, spec, { backend, seed }))))
  } catch (error) {
    for (const { value } of made) value.dispose()
    throw error
  }
  return assembleModel(whole, backend, made, 'f32')
}

const startValue = (config: ModelConfig, { name, shape, start }: ParameterSpec, { backend, seed }: { readonly backend: Backend; readonly seed: number }): Tensor => {
  if (start === 'ones') return ones(backend, shape)
  if (start === 'zeros') return zeros(backend, shape)
  const isNarrow = start === 'residual' && config.family === 'gpt2'
  const deviation = config.initializerRange / (isNarrow ? Math.sqrt(2 * config.numLayers) : 1)
  const normal = random(backend, shape, { key: childKey(randomKey(seed), name), distribution: 'normal' })
  return mul(normal, scalarLike(normal, deviation))
}

export const parameterOf = ({ name, role, layerIndex }: ParameterSpec, value: Tensor): Parameter =>
  createParameter({ name, role, value, ...(layerIndex === undefined ? {} : { layerIndex }) })

/** Parameters and constants put together; the model owns them. */
export const assembleModel = (config: ModelConfig, backend: Backend, parameters: readonly Parameter[], dtype: DType, quantized: Pick<DecoderParts, 'quantized' | 'activations'> = { quantized: new Map(), activations: 'float' }): Model => {
  const angles = ropeFrequencies(config)
  const frequencies =
    angles === undefined
      ? undefined
      : keep(tensor(backend, angles, [angles.length], { dtype: dtype === 'f64' ? 'f64' : 'f32' }))
  return modelOf({ config, backend, frequencies, adapters: [], ...quantized, parameters: new Map(parameters.map((parameter) => [parameter.name, parameter])) }, true)
}
