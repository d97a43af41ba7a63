// The text of tasks as documents, so that training data can be cleared of what a model will be asked.
import type { TextDocument } from '@weft/contracts'
import { itemId } from './check-task.ts'
import type { Task } from './task.ts'

/**
 * One document per item: the question with its right answer, the document, or either sentence of a pair. Ids are `task/item`.
 */
export async function* taskDocuments(tasks: Iterable<Task>): AsyncGenerator<TextDocument, void, undefined> {
  for (const task of tasks) {
    for (const [index, texts] of textsOf(task).entries()) {
      const id = `${task.name}/${itemId(task.items[index], index)}`
      for (const [part, text] of texts.entries())
        yield { id: texts.length > 1 ? `${id}/${part}` : id, text, source: task.name, metadata: { task: task.name } }
    }
  }
}

const textsOf = (task: Task): string[][] => {
  switch (task.kind) {
    case 'multipleChoice':
      return task.items.map(({ context, choices, answer }) => [
        (typeof context === 'string' ? context : context[answer]!) + (task.choiceDelimiter ?? ' ') + choices[answer]!,
      ])
    case 'continuation':
      return task.items.map(({ context, continuation }) => [context + continuation])
    case 'perplexity':
      return task.items.map(({ text }) => [text])
    case 'generation':
      return task.items.map(({ prompt, references }) => {
        const question = typeof prompt === 'string' ? prompt : prompt.map((message) => message.content).join('\n')
        return [[question, ...(references ?? []).slice(0, 1)].join(task.targetDelimiter ?? ' ')]
      })
    case 'stereotypePairs':
      return task.items.map(({ moreStereotypical, lessStereotypical }) => [moreStereotypical, lessStereotypical])
  }
}
