// From texts to token ids, as evaluations count them: lm-evaluation-harness's rules for pairs of context and continuation.
import { ConfigError, UnsupportedError, type GenerateRequest, type LogLikelihoodRequest, type Tokenizer } from '@weft/contracts'
import type { ChatTemplate } from '@weft/tokenizer'
import { rollingWindows } from './rolling-windows.ts'
import type { ScoreUnit } from './score-plan.ts'

export interface TextOptions {
  readonly tokenizer: Tokenizer
  readonly chatTemplate: ChatTemplate | undefined
  readonly contextLength: number
}

/** What stands in for an empty context. @throws ConfigError when the tokenizer has neither a begin nor an end token. */
export const prefixIdOf = (tokenizer: Tokenizer): number => {
  const id = tokenizer.beginId ?? tokenizer.endIds[0]
  if (id === undefined) throw new ConfigError('the tokenizer has neither a begin token nor an end token, so nothing can stand in for an empty context; give one its role when you load the tokenizer')
  return id
}

/** The end of a string without what Python calls white space there: four separators and U+0085 more than JavaScript, U+FEFF less. */
const endWithoutSpace = (text: string): number => {
  let end = text.length
  for (; end > 0; end--) {
    const code = text.charCodeAt(end - 1)
    if (code !== 0x85 && !(code >= 0x1c && code <= 0x1f) && (code === 0xfeff || !/\s/.test(text[end - 1]!))) break
  }
  return end
}

export interface PairUnits {
  readonly units: readonly ScoreUnit[]
  readonly tokenCount: number
  readonly truncatedTokens: number
}

/**
 * Context and continuation are tokenized together, trailing spaces of the context moved to the continuation, and split at the
 * context's own length. Too long: cut from the left. A continuation longer than the whole context window is scored in windows.
 */
export const pairUnits = (index: number, request: LogLikelihoodRequest, { tokenizer, contextLength }: TextOptions): PairUnits => {
  const { before, after } = splitPair(request, tokenizer)
  const tokenCount = after.length
  if (tokenCount === 0) return { units: [], tokenCount, truncatedTokens: 0 }
  if (tokenCount > contextLength) {
    const windows = rollingWindows(after, { prefixId: before.at(-1)!, contextLength })
    return { units: windows.map((window) => ({ index, ...window })), tokenCount, truncatedTokens: before.length - 1 }
  }
  const truncatedTokens = Math.max(0, before.length + tokenCount - contextLength - 1)
  const input = new Uint32Array(before.length - truncatedTokens + tokenCount - 1)
  input.set(before.subarray(truncatedTokens))
  input.set(after.subarray(0, -1), before.length - truncatedTokens)
  return { units: [{ index, input, targets: after }], tokenCount, truncatedTokens }
}

const splitPair = (request: LogLikelihoodRequest, tokenizer: Tokenizer): { before: Uint32Array; after: Uint32Array } => {
  const encode = (text: string): Uint32Array => tokenizer.encode(text, { addSpecialTokens: false })
  const context = request.context.slice(0, endWithoutSpace(request.context))
  const continuation = request.context.slice(context.length) + request.continuation
  if (context === '') return { before: Uint32Array.of(prefixIdOf(tokenizer)), after: encode(continuation) }
  const [whole, before] = [encode(context + continuation), encode(context)]
  return { before, after: whole.subarray(before.length) }
}

/** The prompt's ids. @throws ConfigError for messages without a template; UnsupportedError for a `format`. */
export const promptIds = (request: GenerateRequest, { tokenizer, chatTemplate }: TextOptions): Uint32Array => {
  if (request.format !== undefined) {
    throw new UnsupportedError(`generate: format { ${Object.keys(request.format).join(', ')} } cannot be honoured yet; leave it out and check the text`)
  }
  const ids = encodePrompt(request.prompt, tokenizer, chatTemplate)
  return ids.length > 0 ? ids : Uint32Array.of(prefixIdOf(tokenizer))
}

const encodePrompt = (prompt: GenerateRequest['prompt'], tokenizer: Tokenizer, chatTemplate: ChatTemplate | undefined): Uint32Array => {
  if (typeof prompt === 'string') return tokenizer.encode(prompt)
  if (chatTemplate === undefined) throw new ConfigError('generate: the prompt is a list of messages, but the model has no chatTemplate; pass one to languageModel, or write the prompt as text')
  // The template writes special tokens itself.
  return tokenizer.encode(chatTemplate.render({ messages: prompt, addGenerationPrompt: true }), { addSpecialTokens: false })
}
