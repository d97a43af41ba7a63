// A folder as Hugging Face lays it out, or a GGUF file, opened: configuration, weights, tokenizer, chat template.
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError, FormatError, UnsupportedError, type Json, type Tokenizer } from '@weft/contracts'
import type { ByteSource } from '@weft/sources'
import type { Backend } from '@weft/tensor'
import { compileChatTemplate, tokenizerFromGguf, type ChatTemplate } from '@weft/tokenizer'
import { tokenizerFromFolder } from '@weft/tokenizer/formats'
import { openWeights } from '@weft/weights/node'
import { isJsonObject, type JsonObject } from '../families/config-reader.ts'
import { parseModelConfig } from '../hugging-face-config.ts'
import { isGgufFile } from '../gguf-config.ts'
import { loadModel, type LoadModelOptions } from '../load-model.ts'
import type { Model } from '../model.ts'
import type { ModelConfig } from '../model-config.ts'

export interface LoadPretrainedOptions {
  readonly backend: Backend
  /** What the parameters are held in, see `loadModel`; default f32, and `quantized` for a GGUF file. */
  readonly dtype?: LoadModelOptions['dtype']
  /** How quantized matrices meet activations, see `loadModel`. */
  readonly activations?: LoadModelOptions['activations']
  /** Wraps each weights file, for example with withProgress of @weft/sources. */
  readonly wrap?: (source: ByteSource) => ByteSource
  readonly signal?: AbortSignal
}

export interface Pretrained {
  readonly model: Model
  /** Absent where the folder has no tokenizer (tokenizer.json, tokenizer.model, tekken.json, vocab.json and merges.txt, vocab.txt, tok.bin), or the GGUF file no vocabulary. */
  readonly tokenizer?: Tokenizer
  readonly chatTemplate?: ChatTemplate
  readonly config: ModelConfig
}

// A configuration is some kilobytes, a large tokenizer.json some 20 MB; what is beyond is no such file.
const maxConfigBytes = 2 ** 24
const maxTokenizerBytes = 2 ** 28

/**
 * Opens a GGUF file with its tokenizer and chat template, or a folder: config.json, model.safetensors (or its shards), the tokenizer, and
 * the chat template from chat_template.jinja or tokenizer_config.json. End tokens are those of generation_config.json where it names any.
 *
 * @throws ConfigError for a folder without config.json; FormatError for a broken file, with the place; UnsupportedError for other
 *   layouts and families.
 */
export const loadPretrained = async (path: string, options: LoadPretrainedOptions): Promise<Pretrained> => {
  const { backend, dtype = 'f32', wrap, signal } = options
  signal?.throwIfAborted()
  if (await isFile(path)) return loadFile(path, options)
  await requireFolder(path)
  const config = await readConfig(path)
  const { tokenizer, chatTemplate } = await readTokenizer(path, config)
  const weights = await openWeights(path, { ...(wrap === undefined ? {} : { wrap }), ...(signal === undefined ? {} : { signal }) })
  try {
    const model = await loadModel({ weights, config, backend, dtype, ...(signal === undefined ? {} : { signal }) })
    return { model, config, ...(tokenizer === undefined ? {} : { tokenizer }), ...(chatTemplate === undefined ? {} : { chatTemplate }) }
  } finally {
    await weights.close()
  }
}

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() === true

/** A file that says all about itself. */
const loadFile = async (path: string, options: LoadPretrainedOptions): Promise<Pretrained> => {
  const { backend, dtype = 'quantized', activations, wrap, signal } = options
  const weights = await openWeights(path, { ...(wrap === undefined ? {} : { wrap }), ...(signal === undefined ? {} : { signal }) })
  try {
    if (!isGgufFile(weights)) throw new UnsupportedError(`${path}: expected a folder with config.json and model.safetensors, or a GGUF file; weights alone do not say what model they are`)
    const text = readGgufText(weights.metadata, path)
    const model = await loadModel({ weights, backend, dtype, ...(activations === undefined ? {} : { activations }), ...(signal === undefined ? {} : { signal }) })
    return { model, config: model.config, ...text }
  } finally {
    await weights.close()
  }
}

/** The tokenizer and the chat template that a GGUF file holds; a file without a vocabulary has none. */
const readGgufText = (metadata: ReadonlyMap<string, Json>, path: string): { tokenizer?: Tokenizer; chatTemplate?: ChatTemplate } => {
  if (!metadata.has('tokenizer.ggml.model')) return {}
  const tokenizer = tokenizerFromGguf(metadata, { source: path })
  const template = metadata.get('tokenizer.chat_template')
  if (typeof template !== 'string') return { tokenizer }
  const tokens = metadata.get('tokenizer.ggml.tokens') as readonly Json[]
  const names = { bos_token: 'bos', eos_token: 'eos', pad_token: 'padding', unk_token: 'unknown' }
  const variables = Object.fromEntries(
    Object.entries(names).flatMap(([name, key]) => {
      const id = metadata.get(`tokenizer.ggml.${key}_token_id`)
      const token = typeof id === 'number' ? tokens[id] : undefined
      return typeof token === 'string' ? [[name, token]] : []
    }),
  )
  return { tokenizer, chatTemplate: compileChatTemplate(template, { variables, name: `${path}, tokenizer.chat_template` }) }
}

const requireFolder = async (path: string): Promise<void> => {
  const info = await stat(path).catch(() => undefined)
  if (info === undefined && /^[\w.-]+\/[\w.-]+$/.test(path)) throw new UnsupportedError(`${path}: there is no such folder, and fetching from a hub is not supported yet; download the repository and give its folder`)
  if (info === undefined) throw new ConfigError(`${path}: expected a folder with config.json and model.safetensors, there is nothing`)
}

/** A small text file of the folder, or undefined where there is none. */
const readText = async (folder: string, name: string, maxBytes: number): Promise<string | undefined> => (await readBytes(folder, name, maxBytes))?.toString('utf8')

const readBytes = async (folder: string, name: string, maxBytes: number): Promise<Buffer | undefined> => {
  const path = join(folder, name)
  const info = await stat(path).catch(() => undefined)
  if (info === undefined) return undefined
  if (info.size > maxBytes) throw new FormatError(`expected at most ${maxBytes} bytes, got ${info.size}`, { source: path })
  return readFile(path)
}

/** @internal A JSON object of the folder. */
export const readJson = async (folder: string, name: string): Promise<JsonObject | undefined> => {
  const text = await readText(folder, name, maxConfigBytes)
  if (text === undefined) return undefined
  const json = parseJson(join(folder, name), text)
  if (!isJsonObject(json)) throw new FormatError('expected an object', { source: join(folder, name) })
  return json
}

const parseJson = (source: string, text: string): Json => {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as Json
  } catch (cause) {
    throw new FormatError(`expected JSON (${cause instanceof Error ? cause.message : String(cause)})`, { source }, { cause })
  }
}

const readConfig = async (folder: string): Promise<ModelConfig> => {
  const json = await readJson(folder, 'config.json')
  if (json === undefined) throw new ConfigError(`${folder}: expected config.json, it is not there; a model's folder has config.json, model.safetensors and tokenizer.json`)
  const generation = await readJson(folder, 'generation_config.json')
  const endIds = generation?.['eos_token_id']
  return parseModelConfig(endIds === undefined || endIds === null ? json : { ...json, eos_token_id: endIds })
}

const readTokenizer = async (folder: string, config: ModelConfig): Promise<{ tokenizer?: Tokenizer; chatTemplate?: ChatTemplate }> => {
  const settings = (await readJson(folder, 'tokenizer_config.json')) ?? {}
  const tokenizer = await tokenizerFromFolder((name) => readBytes(folder, name, maxTokenizerBytes), folder)
  if (tokenizer !== undefined && tokenizer.vocabSize > config.vocabSize) {
    throw new FormatError(`the tokenizer has ${tokenizer.vocabSize} tokens, but config.json says vocab_size ${config.vocabSize}`, { source: folder })
  }
  const template = await readTemplate(folder, settings)
  const chatTemplate = template === undefined ? undefined : compileChatTemplate(template, { variables: templateVariables(settings), name: join(folder, 'chat template') })
  return { ...(tokenizer === undefined ? {} : { tokenizer }), ...(chatTemplate === undefined ? {} : { chatTemplate }) }
}

/** The file of its own wins, as in transformers; several named templates: the one called default. */
const readTemplate = async (folder: string, settings: JsonObject): Promise<string | undefined> => {
  const file = await readText(folder, 'chat_template.jinja', maxConfigBytes)
  if (file !== undefined) return file
  const inSettings = settings['chat_template']
  if (typeof inSettings === 'string') return inSettings
  if (!Array.isArray(inSettings)) return undefined
  const named = (inSettings as readonly Json[]).filter(isJsonObject).find(({ name }) => name === 'default')
  return typeof named?.['template'] === 'string' ? named['template'] : undefined
}

/** bos_token and its like: templates write them out. */
const templateVariables = (settings: JsonObject): Record<string, string> => {
  const text = (value: Json | undefined): string | undefined => (isJsonObject(value ?? null) ? text((value as JsonObject)['content']) : typeof value === 'string' ? value : undefined)
  const names = ['bos_token', 'eos_token', 'pad_token', 'unk_token']
  return Object.fromEntries(names.flatMap((name) => (text(settings[name]) === undefined ? [] : [[name, text(settings[name])!]])))
}
