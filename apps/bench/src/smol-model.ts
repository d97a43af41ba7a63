// The model that generation is measured with: SmolLM2-135M out of a GGUF file where it can be loaded, else one of the same sizes with
// random weights, which takes the same time.
import { statSync } from 'node:fs'
import type { Backend } from '@weft/tensor'
import { createModel, type Model, type ModelConfigOptions } from '@weft/transformer'
import { loadPretrained } from '@weft/transformer/node'

export interface BenchModel {
  readonly model: Model
  /** For the table. */
  readonly weights: string
  /** Read once for each token that is decoded. */
  readonly weightBytes: number
  readonly parameters: number
}

export const smolSizes: ModelConfigOptions = {
  family: 'llama',
  vocabSize: 49152,
  contextLength: 2048,
  dModel: 576,
  numLayers: 30,
  numHeads: 9,
  numKvHeads: 3,
  headDim: 64,
  dFf: 1536,
  tieEmbeddings: true,
}

export const quickSizes: ModelConfigOptions = { family: 'llama', vocabSize: 256, contextLength: 64, dModel: 32, numLayers: 2, numHeads: 4, numKvHeads: 2 }

/** @throws what the loader says where it cannot open the file. */
export const loadedModel = async (path: string, backend: Backend): Promise<BenchModel> => {
  const { model } = await loadPretrained(path, { backend })
  return { model, weights: 'its weights', weightBytes: statSync(path).size, parameters: countOf(model) }
}

export const randomModel = (sizes: ModelConfigOptions, backend: Backend): BenchModel => {
  const model = createModel(sizes, { backend, seed: 1 })
  const parameters = countOf(model)
  return { model, weights: 'random weights, f32', weightBytes: parameters * 4, parameters }
}

/** From the sizes, since quantized weights are no parameters. D width, F inner width, a tied head counted once. */
const countOf = ({ config }: Model): number => {
  const { vocabSize, dModel: D, dFf: F, numLayers, numHeads, numKvHeads, headDim } = config
  const attention = D * headDim * (2 * numHeads + 2 * numKvHeads)
  return vocabSize * D + numLayers * (attention + 3 * D * F + 2 * D) + D
}
