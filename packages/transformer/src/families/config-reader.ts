// Reads fields of a config.json, remembers which, and in the end names those that nobody read: a field that changes the numbers
// must never be passed over in silence.
import { ConfigError, UnsupportedError, type Json } from '@weft/contracts'

export type JsonObject = { readonly [key: string]: Json }

export const isJsonObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Fields of transformers' configurations that say nothing about a model's numbers: provenance, labels, run-time and generation defaults. */
const neutralFields = new Set(
  `architectures auto_map model_type transformers_version dtype torch_dtype use_cache return_dict return_dict_in_generate output_hidden_states
  output_attentions output_scores torchscript use_bfloat16 tf_legacy_loss finetuning_task task_specific_params tokenizer_class prefix problem_type
  id2label label2id num_labels pruned_heads is_decoder is_encoder_decoder chunk_size_feed_forward name_or_path gradient_checkpointing
  sep_token_id decoder_start_token_id cross_attention_hidden_size max_length min_length do_sample early_stopping num_beams num_beam_groups
  diversity_penalty temperature top_k top_p typical_p repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size
  bad_words_ids num_return_sequences forced_bos_token_id forced_eos_token_id remove_invalid_values exponential_decay_length_penalty
  suppress_tokens begin_suppress_tokens is_llama_config unsloth_version transformers.js_config license`
    .split(/\s+/),
)

export interface ConfigReader {
  /** The value of the first of these names that is there and not null; the others count as read too. */
  read(...names: string[]): Json | undefined
  integer(names: readonly string[], fallback?: number): number
  number(names: readonly string[], fallback?: number): number
  boolean(name: string, fallback: boolean): boolean
  object(name: string): JsonObject | undefined
  /** A field of which only these values are supported; absent and null count as the first. */
  only(name: string, ...supported: Json[]): Json
  /** Fields that do not matter to this family. */
  ignore(...names: string[]): void
  /** beginId, endIds and padId; an id beyond the vocabulary is left out, as checkpoints with −1 mean none. */
  tokenIds(vocabSize: number): { beginId?: number; endIds: number[]; padId?: number }
  /** @throws UnsupportedError naming every field that was not read and is not null, false or neutral. */
  finish(): void
}

export const configReader = (json: JsonObject, place = 'config.json'): ConfigReader => {
  const seen = new Set<string>()
  const read = (...names: string[]): Json | undefined => {
    for (const name of names) seen.add(name)
    const found = names.find((name) => json[name] !== undefined && json[name] !== null)
    return found === undefined ? undefined : json[found]
  }
  const fail = (name: string, expected: string, got: Json | undefined): never => {
    throw new ConfigError(`${place}: ${name} must be ${expected}, got ${got === undefined ? 'nothing' : JSON.stringify(got)}`)
  }
  const number = (names: readonly string[], fallback?: number): number => {
    const value = read(...names) ?? fallback
    return typeof value === 'number' ? value : fail(names.join(' or '), 'a number', value)
  }
  const integer = (names: readonly string[], fallback?: number): number => {
    const value = number(names, fallback)
    return Number.isSafeInteger(value) ? value : fail(names.join(' or '), 'an integer', value)
  }
  return {
    read,
    number,
    integer,
    boolean: (name, fallback) => {
      const value = read(name) ?? fallback
      return typeof value === 'boolean' ? value : fail(name, 'true or false', value)
    },
    object: (name) => {
      const value = read(name)
      return value === undefined || isJsonObject(value) ? value : fail(name, 'an object', value)
    },
    only: (name, ...supported) => {
      const value = read(name) ?? supported[0]!
      if (supported.includes(value)) return value
      throw new UnsupportedError(`${place}: ${name} ${JSON.stringify(value)} is not supported; only ${supported.map((x) => JSON.stringify(x)).join(', ')}`)
    },
    ignore: (...names) => void names.forEach((name) => seen.add(name)),
    tokenIds: (vocabSize) => {
      const ids = (name: string): number[] => {
        const value = read(name)
        const list = (Array.isArray(value) ? value : [value]) as Json[]
        return list.filter((id): id is number => typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < vocabSize)
      }
      const [beginId] = ids('bos_token_id')
      const [padId] = ids('pad_token_id')
      return { ...(beginId === undefined ? {} : { beginId }), endIds: ids('eos_token_id'), ...(padId === undefined ? {} : { padId }) }
    },
    finish: () => {
      const isOff = (value: Json | undefined): boolean => value === undefined || value === null || value === false || isEmpty(value)
      const unknown = Object.keys(json).filter((name) => !seen.has(name) && !neutralFields.has(name) && !name.startsWith('_') && !isOff(json[name]))
      if (unknown.length === 0) return
      const named = unknown.map((name) => `${name} = ${JSON.stringify(json[name]).slice(0, 80)}`)
      throw new UnsupportedError(`${place}: unknown field${unknown.length > 1 ? 's' : ''} that may change the numbers: ${named.join(', ')}`)
    },
  }
}

const isEmpty = (value: Json): boolean => (Array.isArray(value) ? value.length === 0 : isJsonObject(value) && Object.keys(value).length === 0)
