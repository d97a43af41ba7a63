// The GPT-2 shaped models that training is measured with: sizes, batch, and settings equal on all sides.
import type { ModelConfigOptions } from '@weft/transformer'

export interface GptShape {
  readonly name: string
  readonly layers: number
  readonly heads: number
  readonly width: number
  readonly vocabulary: number
  readonly batch: number
  readonly length: number
  readonly learningRate: number
  readonly weightDecay: number
  /** Of the gradient's norm; null: none. */
  readonly clip: number | null
  /** Steps of one measured run. */
  readonly stepsPerRun: number
}

const usual = { learningRate: 1e-3, weightDecay: 0.1, clip: 1 } as const

export const gptShapes = {
  small: { ...usual, name: 'GPT 0.87M', layers: 4, heads: 4, width: 128, vocabulary: 512, batch: 12, length: 64, stepsPerRun: 12 },
  middle: { ...usual, name: 'GPT 2.2M', layers: 4, heads: 4, width: 192, vocabulary: 2048, batch: 8, length: 128, stepsPerRun: 6 },
  large: { ...usual, name: 'GPT 12.3M', layers: 6, heads: 6, width: 384, vocabulary: 4096, batch: 8, length: 256, stepsPerRun: 2 },
  // llm.c has neither clipping nor decay by role, so nobody has them here.
  gpt2: { name: 'GPT-2 124M', layers: 12, heads: 12, width: 768, vocabulary: 50257, batch: 4, length: 64, learningRate: 1e-4, weightDecay: 0, clip: null, stepsPerRun: 1 },
  tiny: { ...usual, name: 'GPT tiny', layers: 1, heads: 2, width: 32, vocabulary: 128, batch: 2, length: 16, clip: null, weightDecay: 0, stepsPerRun: 2 },
} as const satisfies Readonly<Record<string, GptShape>>

export const describeShape = ({ name, layers, heads, width, vocabulary, batch, length }: GptShape): string =>
  `${name} (${layers} ${layers === 1 ? 'layer' : 'layers'}, ${heads} heads, ${width}, V ${vocabulary}; B ${batch}, T ${length})`

export const modelConfigOf = ({ layers, heads, width, vocabulary, length }: GptShape): ModelConfigOptions => ({
  family: 'gpt2',
  vocabSize: vocabulary,
  contextLength: length,
  dModel: width,
  numLayers: layers,
  numHeads: heads,
})

/** Parameters: 12·D² + 13·D a layer, both embeddings, the last norm. */
export const parameterCount = ({ layers, width, vocabulary, length }: GptShape): number =>
  layers * (12 * width ** 2 + 13 * width) + (vocabulary + length) * width + 2 * width

/** Forward and backward, as it is commonly counted. */
export const flopsPerToken = (shape: GptShape): number => 6 * parameterCount(shape)
