// Chat templates: Jinja programs that turn messages into the one text that a model reads. Run by @huggingface/jinja with the
// settings and the names that transformers uses; the message format of the contracts is translated on the way in.
import { Template } from '@huggingface/jinja'
import { ConfigError, FormatError, type ChatMessage } from '@weft/contracts'
import { findSpans, markGenerationBlocks } from './assistant-spans.ts'

/** A message of the contracts, or an object in the form that the template itself expects: it is passed on as it is. */
export type TemplateMessage = ChatMessage | Readonly<Record<string, unknown>>

export interface RenderOptions {
  readonly messages: readonly TemplateMessage[]
  /** In the form of OpenAI's API, `{ type: 'function', function: { name, description, parameters } }`, which templates expect. */
  readonly tools?: readonly unknown[]
  /** End with the opening of an assistant's turn; default false. */
  readonly addGenerationPrompt?: boolean
  /** Any other variable of the template; `bosToken` is `bos_token` there, and so on. */
  readonly [variable: string]: unknown
}

export interface RenderedChat {
  readonly text: string
  /** UTF-16 ranges of what the assistant says, the end-of-turn token included: where the loss goes in training. In order. */
  readonly assistantSpans: readonly (readonly [start: number, end: number])[]
}

export interface ChatTemplate {
  /** The Jinja source. */
  readonly source: string
  /** @throws ConfigError where the template refuses the messages (`raise_exception`) or fails; its message has the reason. */
  render(options: RenderOptions): string
  /**
   * The text, and which parts of it are the assistant's: the `{% generation %}` blocks of the template where it has them. Else each
   * turn is the text that it adds behind the generation prompt.
   * @throws UnsupportedError where a template without such blocks writes a turn differently once others follow.
   */
  renderWithSpans(options: RenderOptions): RenderedChat
}

/**
 * Compiles a Jinja chat template (tokenizer_config.json's `chat_template`, or a chat_template.jinja).
 * @param options.variables set in every rendering unless it sets them itself, for example `{ bosToken: '<s>', eosToken: '</s>' }`.
 * @param options.name the file's name, for errors.
 * @throws FormatError where the source is not a template.
 */
export const compileChatTemplate = (
  source: string,
  options: { readonly variables?: Readonly<Record<string, unknown>>; readonly name?: string } = {},
): ChatTemplate => {
  const place = options.name ?? 'chat template'
  const template = compile(source, place)
  const marked = markGenerationBlocks(source)
  const markedTemplate = marked === undefined ? undefined : compile(marked.source, place)
  const run = (from: Template, given: RenderOptions, more: Readonly<Record<string, unknown>> = {}): string => {
    try {
      return from.render({ ...templateVariables({ ...options.variables, ...given }), ...more })
    } catch (cause) {
      throw new ConfigError(`${place}: rendering ${given.messages.length} messages failed: ${reasonOf(cause)}`, { cause })
    }
  }
  return {
    source,
    render: (given) => run(template, given),
    renderWithSpans: (given) =>
      findSpans({
        place,
        messages: given.messages,
        render: (changes) => run(template, { ...given, ...changes }),
        renderMarked:
          markedTemplate === undefined || marked === undefined
            ? undefined
            : (open, close) => run(markedTemplate, given, { [marked.open]: open, [marked.close]: close }),
      }),
  }
}

const compile = (source: string, place: string): Template => {
  try {
    return new Template(source)
  } catch (cause) {
    throw new FormatError(`expected a Jinja template: ${reasonOf(cause)}`, { source: place }, { cause })
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What the template sees: names in snake_case, messages in the form of OpenAI's API. */
const templateVariables = (given: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const variables: Record<string, unknown> = { add_generation_prompt: false }
  for (const [name, value] of Object.entries(given)) if (value !== undefined) variables[snakeCase(name)] = value
  variables['messages'] = (given['messages'] as readonly TemplateMessage[]).map(templateMessage)
  return variables
}

/** `bosToken` → `bos_token`; a name in capitals stays. */
const snakeCase = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, (_, before: string, after: string) => `${before}_${after.toLowerCase()}`)

const templateMessage = (message: TemplateMessage): Record<string, unknown> => {
  const { toolCalls, toolCallId, ...rest } = message as Readonly<Record<string, unknown>>
  return {
    ...rest,
    ...(toolCallId === undefined ? {} : { tool_call_id: toolCallId }),
    ...(toolCalls === undefined ? {} : { tool_calls: (toolCalls as NonNullable<ChatMessage['toolCalls']>).map(templateToolCall) }),
  }
}

const templateToolCall = ({ id, name, arguments: values }: NonNullable<ChatMessage['toolCalls']>[number]): Record<string, unknown> => ({
  ...(id === undefined ? {} : { id }),
  type: 'function',
  function: { name, arguments: values },
})

/**
 * ChatML, for models of one's own: each message is `<|im_start|>role`, a line feed, its content, `<|im_end|>` and a line feed. Give
 * `<|im_start|>` and `<|im_end|>` to the tokenizer as special tokens. The assistant's part is marked for `renderWithSpans`: content and
 * `<|im_end|>`.
 */
export const chatMlTemplate = `{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' -}}
{%- if message.role == 'assistant' -%}
{%- generation -%}{{- message.content + '<|im_end|>' -}}{%- endgeneration -%}
{%- else -%}
{{- message.content + '<|im_end|>' -}}
{%- endif -%}
{{- '\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
`
