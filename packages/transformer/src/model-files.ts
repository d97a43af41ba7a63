// A model as the files that Hugging Face's transformers opens (AutoModelForCausalLM, AutoTokenizer), and Weft again.
import type { Json, Tokenizer } from '@weft/contracts'
import type { FileContent } from '@weft/sources'
import { tokenizerToJson, type ChatTemplate } from '@weft/tokenizer'
import { families } from './families/families.ts'
import { jsonFile, safetensorsFile } from './file-contents.ts'
import { toHuggingFaceConfig } from './hugging-face-config.ts'
import type { Model } from './model.ts'
import type { ModelConfig } from './model-config.ts'
import { partsOf, requireWide } from './parts-of.ts'

export interface ModelFilesOptions {
  readonly model: Model
  readonly tokenizer?: Tokenizer
  readonly chatTemplate?: ChatTemplate
}

/**
 * config.json, generation_config.json and model.safetensors in Hugging Face's names and layout; with a tokenizer also tokenizer.json
 * and tokenizer_config.json, which holds the chat template. The weights are read from the backend one tensor at a time while the
 * file is written. Adapters of a view are not part of it: see `adapterFiles` and `mergeAdapter`.
 */
export const modelFiles = ({ model, tokenizer, chatTemplate }: ModelFilesOptions): Record<string, FileContent> => {
  requireWide(partsOf(model), 'modelFiles')
  const parameters = model.baseParameters()
  const config = withTokenRoles(model.config, tokenizer)
  const isNarrow = [...parameters.values()].every(({ value, master }) => value.dtype === 'bf16' && master === undefined)
  const dtype = isNarrow ? { dtype: 'bfloat16', torch_dtype: 'bfloat16' } : {}
  const tensors = families[config.family].fileTensors(config).map(({ file, parameter, rows, isTransposed }) => ({
    name: file,
    parameter: parameters.get(parameter)!,
    ...(rows === undefined ? {} : { rows }),
    ...(isTransposed === undefined ? {} : { isTransposed }),
  }))
  return {
    'config.json': jsonFile({ ...toHuggingFaceConfig(config), ...dtype }),
    'generation_config.json': jsonFile(generationConfig(config)),
    'model.safetensors': safetensorsFile(tensors),
    ...(tokenizer === undefined ? {} : tokenizerFiles(tokenizer, { chatTemplate, contextLength: config.contextLength })),
  }
}

/** What the model does not say itself, its tokenizer does. */
const withTokenRoles = (config: ModelConfig, tokenizer: Tokenizer | undefined): ModelConfig => {
  const [beginId, padId] = [config.beginId ?? tokenizer?.beginId, config.padId ?? tokenizer?.padId]
  return {
    ...config,
    ...(beginId === undefined ? {} : { beginId }),
    ...(padId === undefined ? {} : { padId }),
    endIds: config.endIds.length > 0 ? config.endIds : (tokenizer?.endIds ?? []),
  }
}

const generationConfig = ({ beginId, endIds, padId }: ModelConfig): Json => ({
  _from_model_config: true,
  ...(beginId === undefined ? {} : { bos_token_id: beginId }),
  ...(endIds.length === 0 ? {} : { eos_token_id: endIds.length === 1 ? endIds[0]! : endIds }),
  ...(padId === undefined ? {} : { pad_token_id: padId }),
})

const tokenizerFiles = (tokenizer: Tokenizer, options: { readonly chatTemplate: ChatTemplate | undefined; readonly contextLength: number }): Record<string, FileContent> => {
  const textOf = new Map([...tokenizer.specialTokens].map(([text, id]) => [id, text]))
  const roles = { bos_token: tokenizer.beginId, eos_token: tokenizer.endIds[0], pad_token: tokenizer.padId, unk_token: tokenizer.unknownId }
  const named = Object.entries(roles).flatMap(([role, id]) => (id === undefined || !textOf.has(id) ? [] : [[role, textOf.get(id)!]]))
  return {
    'tokenizer.json': jsonFile(tokenizerToJson(tokenizer) as unknown as Json),
    'tokenizer_config.json': jsonFile({
      tokenizer_class: 'PreTrainedTokenizerFast',
      model_max_length: options.contextLength,
      clean_up_tokenization_spaces: false,
      ...(Object.fromEntries(named) as Record<string, string>),
      ...(options.chatTemplate === undefined ? {} : { chat_template: options.chatTemplate.source }),
    }),
  }
}
