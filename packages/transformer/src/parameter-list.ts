// Every parameter of a decoder by name, with its shape, role and random start. The names are the same in all families; how files
// name and lay out the same tensors is in families/.
import type { Parameter, Shape } from '@weft/tensor'
import type { ModelConfig } from './model-config.ts'

export interface ParameterSpec {
  readonly name: string
  readonly shape: Shape
  readonly role: Parameter['role']
  readonly layerIndex?: number
  /** `residual`: normal, narrower the more layers add to the residual stream. */
  readonly start: 'normal' | 'residual' | 'zeros' | 'ones'
}

/** D dModel, F dFf, V vocabSize. Matrices are [out, in]; query, key and value rows stand one after the other in `qkv`. */
export const parameterList = (config: ModelConfig): ParameterSpec[] => {
  const { vocabSize, contextLength, dModel, numLayers, positions, tieEmbeddings } = config
  return [
    { name: 'embeddings.token.weight', shape: [vocabSize, dModel], role: 'embedding', start: 'normal' },
    ...(positions.kind === 'learned' ? [{ name: 'embeddings.position.weight', shape: [contextLength, dModel], role: 'embedding', start: 'normal' } as const] : []),
    ...Array.from({ length: numLayers }, (_, i) => layerParameters(config, i)).flat(),
    ...normParameters(config, 'finalNorm'),
    ...(tieEmbeddings ? [] : [{ name: 'head.weight', shape: [vocabSize, dModel], role: 'head', start: 'normal' } as const]),
  ]
}

const layerParameters = (config: ModelConfig, layerIndex: number): ParameterSpec[] => {
  const { dModel, dFf, numHeads, numKvHeads, headDim, biases, isGated } = config
  const projection = (name: string, out: number, into: number, hasBias: boolean, start: 'normal' | 'residual' = 'normal'): ParameterSpec[] => [
    { name: `${name}.weight`, shape: [out, into], role: 'matrix', start },
    ...(hasBias ? [{ name: `${name}.bias`, shape: [out], role: 'bias', start: 'zeros' } as const] : []),
  ]
  const specs = [
    ...normParameters(config, 'attentionNorm'),
    ...projection('attention.qkv', (numHeads + 2 * numKvHeads) * headDim, dModel, biases.attention),
    ...projection('attention.output', dModel, numHeads * headDim, biases.attention, 'residual'),
    ...normParameters(config, 'feedForwardNorm'),
    ...(isGated ? projection('feedForward.gate', dFf, dModel, biases.feedForward) : []),
    ...projection('feedForward.up', dFf, dModel, biases.feedForward),
    ...projection('feedForward.down', dModel, dFf, biases.feedForward, 'residual'),
  ]
  return specs.map((spec) => ({ ...spec, name: `layers.${layerIndex}.${spec.name}`, layerIndex }))
}

const normParameters = ({ norm, dModel }: ModelConfig, name: string): ParameterSpec[] => [
  { name: `${name}.weight`, shape: [dModel], role: 'norm', start: 'ones' },
  ...(norm.kind === 'layerNorm' ? [{ name: `${name}.bias`, shape: [dModel], role: 'norm', start: 'zeros' } as const] : []),
]
