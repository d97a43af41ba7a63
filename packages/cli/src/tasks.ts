// Tasks by name: the built-in ones, and files of one's own.
import { readFile } from 'node:fs/promises'
import { defineTask, type Task } from '@weft/evaluation'
import { stereotypeSuite, type PerplexityItem } from '@weft/evaluation/tasks'
import { UsageError } from './session.ts'
import { parseJson } from './tokenizer-file.ts'

type Documents = () => Promise<readonly PerplexityItem[]>

interface BuiltInTask {
  readonly name: string
  readonly kind: Task['kind']
  readonly about: string
  make(documents: Documents): Promise<Task>
}

// Openings of many kinds, so that what is measured is the model's variety and not the prompt's.
const openings = ['The', 'In the beginning', 'She said', 'It is important to', 'When the war', 'I remember', 'There was once', 'He looked at', 'We must', 'On Monday', 'The people of', 'After a while']

export const builtInTasks: readonly BuiltInTask[] = [
  {
    name: 'perplexity',
    kind: 'perplexity',
    about: 'bits per byte and perplexity on the text given with --text',
    make: async (documents) => defineTask({ kind: 'perplexity', name: 'perplexity', description: 'held-out text', items: await documents() }),
  },
  {
    name: 'stereotypes',
    kind: 'stereotypePairs',
    about: 'which of two sentences, alike but for the group they name, is likelier; one half is even-handed',
    make: async () => ({ ...stereotypeSuite(), name: 'stereotypes' }),
  },
  {
    name: 'generation',
    kind: 'generation',
    about: 'variety and repetition of text written at temperature 0.8 from a dozen openings',
    make: async () =>
      defineTask({
        kind: 'generation',
        name: 'generation',
        description: 'variety and repetition of generated text',
        items: openings.map((prompt) => ({ id: prompt, prompt })),
        settings: { temperature: 0.8, maxNewTokens: 64 },
      }),
  },
]

/** @throws UsageError for a name that is neither; what is wrong in a task's file is its own error. */
export const namedTask = async (name: string, documents: Documents): Promise<Task> => {
  const builtIn = builtInTasks.find((task) => task.name === name)
  if (builtIn !== undefined) return builtIn.make(documents)
  const text = await readFile(name, 'utf8').catch(() => {
    throw new UsageError(`expected a task out of ${builtInTasks.map((task) => task.name).join(', ')}, or a file that holds one in JSON, got ${name}`)
  })
  return defineTask(parseJson(text, name) as Task)
}
