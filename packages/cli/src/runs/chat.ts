// What `weft model chat` does: turns in a terminal, or a message a line of standard input.
import { createInterface } from 'node:readline'
import type { ChatMessage } from '@weft/contracts'
import { languageModel } from '@weft/transformer'
import { chatTemplateFor, openModel, requireTokenizer, type ModelOptions } from '../open-model.ts'
import type { Session } from '../session.ts'
import { samplingOf, type SamplingOptions } from './model.ts'

interface ChatOptions extends ModelOptions, SamplingOptions {
  readonly system?: string
}

export const chat = async (session: Session, options: ChatOptions): Promise<void> => {
  const opened = await openModel(session, options)
  const tokenizer = requireTokenizer(opened)
  const language = languageModel({ model: opened.model, tokenizer, chatTemplate: chatTemplateFor(opened, tokenizer) })
  const messages: ChatMessage[] = options.system === undefined ? [] : [{ role: 'system', content: options.system }]
  for await (const content of process.stdin.isTTY ? askedLines(session) : pipedLines()) {
    if (content.trim() === '') continue
    messages.push({ role: 'user', content })
    const request = { ...samplingOf(options), prompt: messages }
    for await (const event of language.generate(request, { signal: session.signal })) {
      await session.turn()
      if (event.kind === 'token') {
        if (!session.isJson) session.write(event.text)
        continue
      }
      messages.push({ role: 'assistant', content: event.text })
      if (session.isJson) session.json({ role: 'assistant', content: event.text, reason: event.reason, usage: event.usage })
      else session.write('\n')
    }
  }
  language.dispose?.()
}

async function* askedLines(session: Session): AsyncGenerator<string, void, undefined> {
  const { isCancel, text } = await import('@clack/prompts')
  session.note('An empty conversation; Ctrl-C ends it.')
  for (;;) {
    const answer = await text({ message: 'You', output: process.stderr })
    if (isCancel(answer)) return
    yield answer ?? ''
  }
}

async function* pipedLines(): AsyncGenerator<string, void, undefined> {
  yield* createInterface({ input: process.stdin, crlfDelay: Infinity })
}
