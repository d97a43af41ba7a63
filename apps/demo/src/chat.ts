// The end: talk to it. Ctrl-C stops an answer, not the program; /quit or Ctrl-D leaves.
import { createInterface } from 'node:readline/promises'
import { isWeftError, type ChatMessage, type LanguageModel } from '@weft/contracts'
import { nextTurn } from './next-turn.ts'
import { paint } from './terminal.ts'

export const chat = async (lm: LanguageModel): Promise<void> => {
  const reader = createInterface({ input: process.stdin, output: process.stdout })
  let answering: AbortController | undefined
  reader.on('SIGINT', () => (answering === undefined ? reader.close() : answering.abort()))
  process.stdout.write(paint('dim', '\nTalk to it: ask who spoke in which year, or how a passage goes on. /new forgets, /quit leaves.\n'))
  let messages: ChatMessage[] = []
  const closed = new Promise<string>((resolve) => reader.once('close', () => resolve('/quit'))) // Ctrl-D, or Ctrl-C while nothing is said: the question would wait for ever
  for (;;) {
    const question = await Promise.race([reader.question(paint('bold', 'you ▸ ')).catch(() => '/quit'), closed])
    if (question.trim() === '/quit') break
    if (question.trim() === '/new') messages = []
    if (question.trim() === '' || question.trim() === '/new') continue
    messages = [...messages, { role: 'user', content: question }]
    answering = new AbortController()
    process.stdout.write(paint('cyan', 'model ▸ '))
    const answer = await say(lm, messages, answering.signal)
    answering = undefined
    messages = [...messages, { role: 'assistant', content: answer }]
  }
  reader.close()
}

/** Streams the answer; an answer that was stopped counts as far as it came. */
const say = async (lm: LanguageModel, messages: readonly ChatMessage[], signal: AbortSignal): Promise<string> => {
  let text = ''
  try {
    for await (const event of lm.generate({ prompt: messages, maxNewTokens: 60, temperature: 0.3 }, { signal })) {
      await nextTurn()
      if (event.kind !== 'token') continue
      process.stdout.write(event.text)
      text += event.text
    }
  } catch (error) {
    if (signal.aborted) process.stdout.write(' (stopped)')
    else if (isWeftError(error, 'config')) process.stdout.write('(the talk is longer than the model can see; /new starts afresh)')
    else throw error
  }
  process.stdout.write('\n')
  return text
}
