// A ModelConfig out of a GGUF file's metadata and the shape of its embedding.
import { FormatError, UnsupportedError, type Json } from '@weft/contracts'
import type { WeightsFile } from '@weft/weights'
import { configReader } from './families/config-reader.ts'
import type { Family } from './families/family.ts'
import { families } from './families/families.ts'
import { validateModelConfig, type ModelConfig } from './model-config.ts'

export const isGgufFile = (weights: WeightsFile): boolean => weights.metadata.has('general.architecture')

/**
 * @throws UnsupportedError for an architecture that is not here, and for any field of it that this reader does not know, by name;
 *   ConfigError for a field that is missing or cannot be; FormatError for a file without an embedding.
 */
export const ggufModelConfig = (weights: WeightsFile): ModelConfig => {
  const architecture = weights.metadata.get('general.architecture')
  const family = Object.values(families).find(({ gguf }) => gguf.architecture === architecture)
  if (family === undefined) {
    const known = Object.values(families).map(({ gguf }) => gguf.architecture)
    throw new UnsupportedError(`${weights.name}: general.architecture ${JSON.stringify(architecture)} is not supported; only ${known.join(', ')}`)
  }
  const config = parse(weights, family)
  validateModelConfig(config)
  return config
}

const parse = (weights: WeightsFile, { gguf }: Family): ModelConfig => {
  const { metadata, tensors } = weights
  const prefix = `${gguf.architecture}.`
  const own = [...metadata].filter(([name]) => name.startsWith(prefix)).map(([name, value]): [string, Json] => [name.slice(prefix.length), value])
  const reader = configReader(Object.fromEntries(own), `${weights.name}: ${prefix}…`)
  const vocabSize = tensors.get('token_embd.weight')?.shape[0]
  if (vocabSize === undefined) throw new FormatError('has no tensor token_embd.weight; it holds no model (a vocabulary alone?)', { source: weights.name })
  const config = gguf.parse({ reader, vocabSize, hasHead: tensors.has('output.weight'), tokens: tokensOf(metadata, vocabSize) })
  reader.finish()
  return config
}

const tokensOf = (metadata: ReadonlyMap<string, Json>, vocabSize: number): { beginId?: number; endIds: number[]; padId?: number } => {
  const id = (name: string): number | undefined => {
    const value = metadata.get(`tokenizer.ggml.${name}_token_id`)
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < vocabSize ? value : undefined
  }
  const [beginId, padId] = [id('bos'), id('padding')]
  const endIds = ['eos', 'eot', 'eom'].map(id).filter((x) => x !== undefined)
  return { ...(beginId === undefined ? {} : { beginId }), endIds: [...new Set(endIds)], ...(padId === undefined ? {} : { padId }) }
}
