// config.json as Hugging Face's transformers writes it, in its newest and its older spellings, from and to a ModelConfig.
import { ConfigError, UnsupportedError, type Json } from '@weft/contracts'
import { configReader, isJsonObject } from './families/config-reader.ts'
import { families } from './families/families.ts'
import { validateModelConfig, type ModelConfig } from './model-config.ts'

/**
 * Reads a parsed config.json.
 *
 * @throws ConfigError for a field that is missing or cannot be; UnsupportedError for another family, and for any field that this
 *   reader does not know and that may change the numbers, by name. Fields about provenance, labels or generation are passed over.
 */
export const parseModelConfig = (json: Json): ModelConfig => {
  if (!isJsonObject(json)) throw new ConfigError(`config.json: expected an object, got ${json === null ? 'null' : typeof json}`)
  const modelType = json['model_type']
  const family = Object.values(families).find((candidate) => candidate.modelType === modelType)
  if (family === undefined) {
    const known = Object.values(families).map((candidate) => candidate.modelType)
    throw new UnsupportedError(`config.json: model_type ${JSON.stringify(modelType) ?? 'is missing and'} is not supported; only ${known.join(', ')}`)
  }
  const reader = configReader(json)
  const config = family.parse(reader)
  reader.finish()
  validateModelConfig(config)
  return config
}

/** config.json of this model, so that transformers' AutoModelForCausalLM opens it; `parseModelConfig` reads it back to the same. */
export const toHuggingFaceConfig = (config: ModelConfig): Record<string, Json> => {
  const family = families[config.family]
  const { beginId, endIds, padId } = config
  return {
    architectures: [family.architecture],
    model_type: family.modelType,
    vocab_size: config.vocabSize,
    ...family.toJson(config),
    tie_word_embeddings: config.tieEmbeddings,
    initializer_range: config.initializerRange,
    // transformers has other defaults for these than none (GPT-2: 50256, Llama: 1 and 2), so none must be said.
    bos_token_id: beginId ?? null,
    eos_token_id: endIds.length === 0 ? null : endIds.length === 1 ? endIds[0]! : endIds,
    pad_token_id: padId ?? null,
    dtype: 'float32',
    torch_dtype: 'float32',
    use_cache: true,
  }
}
