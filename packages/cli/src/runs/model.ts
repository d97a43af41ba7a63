// What `weft model info|logits|generate` does.
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { GenerateRequest } from '@weft/contracts'
import { read, tensor, tidy } from '@weft/tensor'
import { parseModelConfig } from '@weft/transformer'
import { openWeights } from '@weft/weights/node'
import { chatTemplateFor, openLanguageModel, openModel, requireTokenizer, type ModelOptions } from '../open-model.ts'
import { formatNumber } from '../progress-bar.ts'
import { UsageError, type Session } from '../session.ts'
import { readStandardInput } from '../standard-input.ts'
import { textTable } from '../text-table.ts'
import { parseJson } from '../tokenizer-file.ts'

export const info = async (session: Session, { model: path }: { readonly model: string }): Promise<void> => {
  const weights = await openWeights(path)
  try {
    const file = join(path, 'config.json')
    const isFolder = (await stat(path)).isDirectory()
    const config = isFolder ? parseModelConfig(parseJson(await readFile(file, 'utf8'), file) as Parameters<typeof parseModelConfig>[0]) : undefined
    const tensors = [...weights.tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape, elements: shape.reduce((product, size) => product * size, 1) }))
    const parameters = tensors.reduce((sum, { elements }) => sum + elements, 0)
    if (session.isJson) return session.json({ config, parameters, tensors: tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })) })
    if (config !== undefined) for (const [name, value] of Object.entries(config)) session.print(`${name.padEnd(18)}${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    session.print(`${'parameters'.padEnd(18)}${formatNumber(parameters)} in ${tensors.length} tensors`)
    if (session.isVerbose) session.write(textTable(['tensor', 'type', 'shape', 'elements'], tensors.map(({ name, dtype, shape, elements }) => [name, dtype, shape.join(' × '), elements])))
  } finally {
    await weights.close()
  }
}

interface LogitsOptions extends ModelOptions {
  readonly ids?: readonly number[]
  readonly prompt?: string
  readonly top: number
}

export const logits = async (session: Session, options: LogitsOptions): Promise<void> => {
  if ((options.ids === undefined) === (options.prompt === undefined)) throw new UsageError('give either --ids or --prompt')
  const opened = await openModel(session, options)
  const { model, backend, tokenizer } = opened
  const ids = options.ids ?? [...requireTokenizer(opened).encode(options.prompt!)]
  if (ids.length === 0) throw new UsageError('--prompt: expected some text')
  const { vocabSize } = model.config
  const beyond = ids.find((id) => id >= vocabSize)
  if (beyond !== undefined) throw new UsageError(`--ids: ${beyond} is no token id of this model, whose vocabulary has ${vocabSize}`)
  const last = tidy(() => model.forward({ tokenIds: tensor(backend, Int32Array.from(ids), [1, ids.length], { dtype: 'i32' }), logitsAt: 'last' }).logits)
  const values = [...(await read(last))].map(Number)
  if (session.isJson) return session.json({ logits: values })
  const largest = values.reduce((a, b) => Math.max(a, b), -Infinity)
  const total = values.reduce((sum, value) => sum + Math.exp(value - largest), 0)
  const order = values.map((_, id) => id).sort((a, b) => values[b]! - values[a]!).slice(0, options.top)
  const text = (id: number): string => (tokenizer === undefined || id >= tokenizer.vocabSize ? '' : JSON.stringify(tokenizer.decode([id])))
  session.write(textTable(['id', 'probability', 'logit', 'token'], order.map((id) => [id, (Math.exp(values[id]! - largest) / total).toFixed(4), values[id]!.toFixed(4), text(id)])))
}

export interface SamplingOptions {
  readonly maxNewTokens: number
  readonly temperature: number
  readonly topK?: number
  readonly topP?: number
  readonly minP?: number
  readonly repetitionPenalty?: number
  readonly seed: number
  readonly stop?: readonly string[]
}

export const samplingOf = ({ maxNewTokens, temperature, topK, topP, minP, repetitionPenalty, seed, stop }: SamplingOptions): Omit<GenerateRequest, 'prompt'> => ({
  maxNewTokens,
  temperature,
  seed,
  ...(topK === undefined ? {} : { topK }),
  ...(topP === undefined ? {} : { topP }),
  ...(minP === undefined ? {} : { minP }),
  ...(repetitionPenalty === undefined ? {} : { repetitionPenalty }),
  ...(stop === undefined ? {} : { stop }),
})

interface GenerateOptions extends ModelOptions, SamplingOptions {
  readonly prompt?: string
  readonly chat?: true
}

/** Standard output gets the continuation alone, as it comes; a line break behind it only where a person reads it. */
export const generate = async (session: Session, options: GenerateOptions): Promise<void> => {
  const text = options.prompt ?? (await readStandardInput('--prompt'))
  const { opened, tokenizer, language } = await openLanguageModel(session, options)
  const prompt = options.chat === true ? chatTemplateFor(opened, tokenizer).render({ messages: [{ role: 'user', content: text }], addGenerationPrompt: true }) : text
  const isStreaming = !session.isJson
  for await (const event of language.generate({ ...samplingOf(options), prompt }, { signal: session.signal })) {
    await session.turn()
    if (event.kind === 'token') {
      if (isStreaming) session.write(event.text)
    } else if (session.isJson) session.json({ text: event.text, reason: event.reason, usage: event.usage })
  }
  if (isStreaming && process.stdout.isTTY) session.write('\n')
  language.dispose?.()
}
