export {
  modelConfig,
  type Activation,
  type FamilyName,
  type Llama3RopeScaling,
  type ModelConfig,
  type ModelConfigOptions,
  type ModelSizes,
  type Positions,
} from './model-config.ts'
export { parseModelConfig, toHuggingFaceConfig } from './hugging-face-config.ts'
export type { ForwardInput, ForwardOutput, Model } from './model.ts'
export { createModel } from './create-model.ts'
export { loadModel, type LoadModelOptions } from './load-model.ts'
export { modelFiles, type ModelFilesOptions } from './model-files.ts'
export { createKvCache, type KvCache, type KvCacheSnapshot } from './kv-cache.ts'
export { samplingLogProbs, type Sampling } from './sampling.ts'
export { generate, type GenerateEvent, type GenerateOptions } from './generate.ts'
export type { Choice } from './choose-tokens.ts'
export { languageModel, type LanguageModelOptions } from './language-model.ts'
export type { Adapter, LowRankUpdate } from './adapter.ts'
export { createAdapter, type CreateAdapterOptions, type LoraConfig } from './lora.ts'
export { mergeAdapter } from './merge-adapter.ts'
export { adapterFiles, loadAdapter } from './adapter-files.ts'
