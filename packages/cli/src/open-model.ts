// A model with all that belongs to it, from the options --model, --tokenizer, --chat-template, --adapter and --backend.
import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ConfigError, type LanguageModel, type Tokenizer } from '@weft/contracts'
import type { Backend } from '@weft/tensor'
import { chatMlTemplate, compileChatTemplate, type ChatTemplate } from '@weft/tokenizer'
import { languageModel, type Model } from '@weft/transformer'
import { loadPretrained, loadPretrainedAdapter } from '@weft/transformer/node'
import { withProgress } from '@weft/sources'
import { startBackend } from './backends.ts'
import type { Session } from './session.ts'
import { openChatTemplate, openTokenizer, parseJson } from './tokenizer-file.ts'

export interface ModelOptions {
  readonly model: string
  readonly tokenizer?: string
  readonly chatTemplate?: string
  readonly adapter?: readonly string[]
  readonly backend?: string
}

export interface OpenedModel {
  readonly backend: Backend
  /** The base with its adapters. */
  readonly model: Model
  readonly base: Model
  /** Where the base lies. */
  readonly path: string
  readonly tokenizer?: Tokenizer
  readonly chatTemplate?: ChatTemplate
}

const isFile = (path: string): Promise<boolean> => stat(path).then((info) => info.isFile(), () => false)

export const openModel = async (session: Session, options: ModelOptions): Promise<OpenedModel> => {
  const { path, adapters } = await resolveModel(options.model)
  const backend = await startBackend(session, options.backend)
  const bar = session.bar('loading', 'MB')
  const loaded = await loadPretrained(path, {
    backend,
    signal: session.signal,
    wrap: (source) => withProgress(source, ({ readBytes, sizeBytes }) => bar.update(readBytes / 1e6, sizeBytes / 1e6)),
  }).finally(() => bar.end())
  const base = loaded.model
  const list = []
  for (const adapter of [...adapters, ...(options.adapter ?? [])]) list.push(await loadPretrainedAdapter(adapter, { model: base, signal: session.signal }))
  const tokenizer = options.tokenizer === undefined ? loaded.tokenizer : await openTokenizer(options.tokenizer)
  const chatTemplate = options.chatTemplate === undefined ? ((await templateOf(adapters)) ?? loaded.chatTemplate) : await openChatTemplate(options.chatTemplate)
  return {
    backend,
    base,
    path,
    model: list.length === 0 ? base : base.withAdapters(list),
    ...(tokenizer === undefined ? {} : { tokenizer }),
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
  }
}

/** A folder with a model; one whose model/ holds it (a run of the demo); or an adapter, which names its base. */
const resolveModel = async (path: string): Promise<{ path: string; adapters: string[] }> => {
  if (await isFile(join(path, 'config.json'))) return { path, adapters: [] }
  if (await isFile(join(path, 'model', 'config.json'))) return { path: join(path, 'model'), adapters: [] }
  const adapterConfig = join(path, 'adapter_config.json')
  if (!(await isFile(adapterConfig))) return { path, adapters: [] }
  const base = (parseJson(await readFile(adapterConfig, 'utf8'), adapterConfig) as { base_model_name_or_path?: unknown } | null)?.base_model_name_or_path
  if (typeof base !== 'string') throw new ConfigError(`${adapterConfig}: names no base model; give it with --model, and this folder with --adapter`)
  // As PEFT does: from where we stand; else beside the adapter.
  const beside = resolve(path, base)
  return { path: !(await isFile(join(base, 'config.json'))) && (await isFile(join(beside, 'config.json'))) ? beside : base, adapters: [path] }
}

const templateOf = async (adapters: readonly string[]): Promise<ChatTemplate | undefined> => {
  for (const adapter of adapters) {
    const file = join(adapter, 'chat_template.jinja')
    if (await isFile(file)) return openChatTemplate(file)
  }
  return undefined
}

/** @throws ConfigError where there is none, saying how to name one. */
export const requireTokenizer = ({ tokenizer, path }: Pick<OpenedModel, 'tokenizer' | 'path'>): Tokenizer => {
  if (tokenizer !== undefined) return tokenizer
  throw new ConfigError(`${path}: expected tokenizer.json beside the weights, it is not there; give one with --tokenizer (logits take --ids without any)`)
}

/** The model's own template, else ChatML where the tokenizer has its tokens. */
export const chatTemplateFor = ({ chatTemplate, path }: Pick<OpenedModel, 'chatTemplate' | 'path'>, tokenizer: Tokenizer): ChatTemplate => {
  if (chatTemplate !== undefined) return chatTemplate
  const missing = ['<|im_start|>', '<|im_end|>'].filter((token) => !tokenizer.specialTokens.has(token))
  if (missing.length > 0) throw new ConfigError(`${path}: has no chat template, and its tokenizer no ${missing.join(' and ')} for ChatML; give a template with --chat-template`)
  return compileChatTemplate(chatMlTemplate)
}

export const openLanguageModel = async (session: Session, options: ModelOptions): Promise<{ opened: OpenedModel; tokenizer: Tokenizer; language: LanguageModel }> => {
  const opened = await openModel(session, options)
  const tokenizer = requireTokenizer(opened)
  const { model, chatTemplate } = opened
  const language = languageModel({ model, tokenizer, name: options.model, ...(chatTemplate === undefined ? {} : { chatTemplate }) })
  return { opened, tokenizer, language }
}
