// What `weft tune` does: a model that goes on with text → one that answers, by all its weights or by an adapter.
import { join, resolve } from 'node:path'
import { stat } from 'node:fs/promises'
import { ConfigError, FormatError, createRandomSource, type ChatMessage, type Tokenizer } from '@weft/contracts'
import { jsonLines } from '@weft/sources'
import { fileSource, writeFiles } from '@weft/sources/node'
import { encodeWithOffsets, type ChatTemplate } from '@weft/tokenizer'
import { describeTraining, supervisedBatches } from '@weft/trainer'
import { adapterFiles, createAdapter, mergeAdapter, modelFiles, type Adapter } from '@weft/transformer'
import { chatTemplateFor, openModel, requireTokenizer, type ModelOptions, type OpenedModel } from '../open-model.ts'
import { reportFiles } from '../report-files.ts'
import { givenSettings, readSettings, requireNewFolder, settingsFile, type Settings } from '../run-settings.ts'
import { UsageError, type Session } from '../session.ts'
import { loopKeys, loopSettings, lossesOf, runLoop, type LoopSettings } from '../training-loop.ts'

interface TuneSettings extends LoopSettings {
  readonly model: string
  readonly data: string
  readonly method: 'lora' | 'full'
  readonly tokenizer: string | null
  readonly chatTemplate: string | null
  readonly rank: number
  readonly alpha: number
  readonly targetModules: readonly string[] | null
  readonly merge: boolean
  readonly maxLength: number | null
}

type Nullable = 'tokenizer' | 'chatTemplate' | 'targetModules' | 'maxLength' | 'method'

interface TuneOptions extends Partial<Omit<TuneSettings, Nullable>> {
  readonly tokenizer?: string
  readonly chatTemplate?: string
  readonly targetModules?: readonly string[]
  readonly maxLength?: number
  readonly method?: string
  readonly out: string
  readonly resume?: true
  readonly backend?: string
}

const keys = [...loopKeys, 'model', 'data', 'method', 'tokenizer', 'chatTemplate', 'rank', 'alpha', 'targetModules', 'merge', 'maxLength']

export const tuneModel = async (session: Session, options: TuneOptions): Promise<void> => {
  const { out, resume = false } = options
  const run = resume ? await readSettings(out, 'tune', givenSettings(options, keys)) : undefined
  const settings = run === undefined ? newSettings(options) : (run.settings as unknown as TuneSettings)
  if (run === undefined) await requireNewFolder(out)
  const conversations = await readConversations(session, settings.data)
  const facts = { conversations: conversations.length }
  if (run !== undefined && JSON.stringify(run.facts) !== JSON.stringify(facts)) throw new ConfigError(`${settings.data}: is not the data that this run began with (${JSON.stringify(run.facts)} then, ${JSON.stringify(facts)} now)`)
  const opened = await openModel(session, modelOptions(settings, options.backend))
  if (opened.model !== opened.base) throw new UsageError(`--model: ${settings.model} is an adapter; tune its base, or a merged model (weft tune --merge writes one)`)
  const tokenizer = requireTokenizer(opened)
  const template = chatTemplateFor(opened, tokenizer)
  const batches = batchesOf(session, { settings, conversations, opened, tokenizer, template })
  if (run === undefined) await writeFiles(out, settingsFile('tune', settings as unknown as Settings, facts))
  await tuneOn(session, { settings, opened, tokenizer, template, batches, out, isResumed: resume })
}

const newSettings = (options: TuneOptions): TuneSettings => {
  const { model, data, method = 'lora', rank = 8 } = options
  if (model === undefined || data === undefined) throw new UsageError('give the model to start from with --model and conversations with --data (or go on with a run by --resume)')
  if (method !== 'lora' && method !== 'full') throw new UsageError(`--method: expected lora or full, got ${method}`)
  if (method === 'full') for (const name of ['rank', 'alpha', 'targetModules', 'merge'] as const) if (options[name] !== undefined) throw new UsageError(`--${name === 'targetModules' ? 'target-modules' : name} is for --method lora`)
  return {
    ...loopSettings(options, { steps: 200, batchSize: 4, learningRate: method === 'lora' ? 2e-3 : 3e-4, weightDecay: 0, validationFraction: 0 }),
    model,
    data,
    method,
    tokenizer: options.tokenizer ?? null,
    chatTemplate: options.chatTemplate ?? null,
    rank,
    alpha: options.alpha ?? 2 * rank,
    targetModules: options.targetModules ?? null,
    merge: options.merge ?? false,
    maxLength: options.maxLength ?? null,
  }
}

const modelOptions = ({ model, tokenizer, chatTemplate }: TuneSettings, backend: string | undefined): ModelOptions => ({
  model,
  ...(tokenizer === null ? {} : { tokenizer }),
  ...(chatTemplate === null ? {} : { chatTemplate }),
  ...(backend === undefined ? {} : { backend }),
})

const roles: readonly unknown[] = ['system', 'user', 'assistant', 'tool'] satisfies ChatMessage['role'][]

/** JSON lines of `{ messages }` or `{ prompt, completion }`. @throws FormatError with the line of a record that is neither. */
const readConversations = async (session: Session, path: string): Promise<ChatMessage[][]> => {
  const info = await stat(path).catch(() => undefined)
  if (info?.isFile() !== true) throw new ConfigError(`${path}: expected a file of JSON lines, ${info === undefined ? 'there is nothing' : 'got a folder'}`)
  const source = await fileSource(path)
  const conversations: ChatMessage[][] = []
  try {
    for await (const { value, line } of jsonLines(source, { signal: session.signal })) {
      const messages = conversationOf(value)
      if (messages === undefined) throw new FormatError('expected {"messages": [{"role", "content"}, …]} or {"prompt", "completion"}', { source: path, line })
      conversations.push(messages)
    }
  } finally {
    await source.close?.()
  }
  if (conversations.length === 0) throw new ConfigError(`${path}: expected conversations, got none`)
  return conversations
}

const conversationOf = (value: unknown): ChatMessage[] | undefined => {
  if (typeof value !== 'object' || value === null) return undefined
  const { messages, prompt, completion } = value as Record<string, unknown>
  if (typeof prompt === 'string' && typeof completion === 'string') return [{ role: 'user', content: prompt }, { role: 'assistant', content: completion }]
  const isMessage = (one: unknown): one is ChatMessage => typeof one === 'object' && one !== null && roles.includes((one as ChatMessage).role) && typeof (one as ChatMessage).content === 'string'
  return Array.isArray(messages) && messages.length > 0 && messages.every(isMessage) ? messages : undefined
}

interface Learning {
  readonly settings: TuneSettings
  readonly opened: OpenedModel
  readonly tokenizer: Tokenizer
  readonly template: ChatTemplate
}

const batchesOf = (session: Session, { settings, conversations, opened, tokenizer, template }: Learning & { readonly conversations: readonly ChatMessage[][] }) => {
  const { validationFraction, batchSize, seed } = settings
  const maxLength = Math.min(settings.maxLength ?? Infinity, opened.model.config.contextLength)
  const random = createRandomSource({ seed }).fork('held-out conversations')
  const parts: [ChatMessage[][], ChatMessage[][]] = [[], []]
  for (const conversation of conversations) parts[random.nextFloat() < validationFraction ? 1 : 0].push(conversation)
  const encode = (text: string) => encodeWithOffsets(tokenizer, text, { addSpecialTokens: false })
  const onSkipped = ({ index, reason }: { readonly index: number; readonly reason: string }): void => session.warn(`left out: conversation ${index + 1}: ${reason}`)
  const shared = { chatTemplate: template, encode, padId: tokenizer.padId ?? 0, batchSize, maxLength, seed, onSkipped }
  return {
    training: supervisedBatches({ ...shared, conversations: parts[0] }),
    validation: parts[1].length === 0 ? undefined : supervisedBatches({ ...shared, conversations: parts[1], epochs: 1, shuffle: false }),
  }
}

const tuneOn = async (session: Session, { settings, opened, tokenizer, template, batches, out, isResumed }: Learning & { readonly batches: ReturnType<typeof batchesOf>; readonly out: string; readonly isResumed: boolean }): Promise<void> => {
  const { model, base, path } = opened
  const { method, rank, alpha, targetModules, seed } = settings
  const adapter = method === 'full' ? undefined : createAdapter(base, { kind: 'lora', rank, alpha, seed, ...(targetModules === null ? {} : { targetModules }) })
  const network = adapter === undefined ? model : model.withAdapters([adapter])
  const parameters = [...(adapter?.parameters() ?? model.baseParameters()).values()]
  const files = () => (adapter === undefined ? modelFiles({ model, tokenizer, chatTemplate: template }) : filesOfAdapter(adapter, resolve(path), template))
  const events = await runLoop(session, { out, command: 'tune', isResumed, settings, network, parameters, batches: batches.training, validation: batches.validation, extra: files })
  const losses = lossesOf(events)
  await writeFiles(out, { ...files(), ...reportFiles({ settings, ...losses }, describeTraining(events, { title: 'Tuning' })) })
  if (adapter !== undefined && settings.merge) await writeFiles(join(out, 'merged'), modelFiles({ model: mergeAdapter(base, adapter), tokenizer, chatTemplate: template }))
  if (session.isJson) session.json({ ...losses, method, out })
  else session.print(`${out}: ${adapter === undefined ? 'a model' : 'an adapter'} after ${losses.steps} steps${losses.lossNats === null ? '' : `, loss ${losses.lossNats.toFixed(3)} nats a token`}`)
}

/** PEFT's files, and the template that the answers were learned in. */
const filesOfAdapter = (adapter: Adapter, baseModel: string, template: ChatTemplate) => ({
  ...adapterFiles(adapter, { baseModel }),
  'chat_template.jinja': new TextEncoder().encode(template.source),
})
