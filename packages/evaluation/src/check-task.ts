// Tasks are checked once, when they are defined: they come from files, and a wrong index should not surface as a low score.
import { ConfigError } from '@weft/contracts'
import { generationMetrics, type FewShot, type GenerationTask, type Task } from './task.ts'

type Item = Task['items'][number]

/**
 * Checks a task and returns it: names, ids, answers, delimiters. A task is plain data, so one read from JSON works as well.
 *
 * @throws ConfigError that names the task, the item and what is wrong.
 */
export const defineTask = <T extends Task>(task: T): T => {
  const name: unknown = task?.name
  if (typeof name !== 'string' || name === '') throw new ConfigError(`task: expected a name, got ${show(name)}`)
  const check = checks[task.kind]
  if (check === undefined) fail(name, `expected a kind out of ${Object.keys(checks).join(', ')}, got ${show(task.kind)}`)
  if (!Array.isArray(task.items) || task.items.length === 0) fail(name, 'expected a list of at least one item')
  const ids = new Set<string>()
  for (const [index, item] of task.items.entries()) {
    const id = itemId(item, index)
    const problem = ids.has(id) ? 'its id occurs twice; comparisons need unique ids' : (commonProblem(item) ?? check(item))
    if (problem !== undefined) fail(name, `item ${index}${item?.id === undefined ? '' : ` (${item.id})`}: ${problem}`)
    ids.add(id)
  }
  if (task.kind === 'generation') checkGeneration(task)
  if ('fewShot' in task && task.fewShot !== undefined) checkFewShot(name, task.fewShot, check)
  return task
}

export const itemId = (item: { readonly id?: string } | undefined, index: number): string => item?.id ?? String(index)

const show = (value: unknown): string => JSON.stringify(value) ?? String(value)

const fail = (name: string, problem: string): never => {
  throw new ConfigError(`task "${name}": ${problem}`)
}

const commonProblem = (item: Item): string | undefined => {
  if (typeof item !== 'object' || item === null) return `expected an object, got ${show(item)}`
  if (item.id !== undefined && typeof item.id !== 'string') return `expected id to be a string, got ${show(item.id)}`
  return item.category === undefined || typeof item.category === 'string'
    ? undefined
    : `expected category to be a string, got ${show(item.category)}`
}

const textProblem = (record: object, keys: readonly string[]): string | undefined => {
  const values = record as Readonly<Record<string, unknown>>
  const wrong = keys.find((key) => typeof values[key] !== 'string')
  return wrong === undefined ? undefined : `expected ${wrong} to be a string, got ${show(values[wrong])}`
}

const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every((text) => typeof text === 'string')

/** What is wrong with one item, per kind of task. */
const checks: Readonly<Record<Task['kind'], (item: Item) => string | undefined>> = {
  multipleChoice: (item) => {
    const { context, choices, answer } = item as { context?: unknown; choices?: unknown; answer?: unknown }
    if (!isTexts(choices) || choices.length < 2) return `expected at least two choices, got ${show(choices)}`
    if (typeof context !== 'string' && !(isTexts(context) && context.length === choices.length)) {
      return `expected context to be a string, or one for each of the ${choices.length} choices`
    }
    const isIndex = Number.isInteger(answer) && (answer as number) >= 0 && (answer as number) < choices.length
    return isIndex ? undefined : `expected answer to be an index from 0 to ${choices.length - 1}, got ${show(answer)}`
  },
  continuation: (item) => textProblem(item, ['context', 'continuation']),
  perplexity: (item) => textProblem(item, 'countedText' in item && item.countedText !== undefined ? ['text', 'countedText'] : ['text']),
  generation: (item) => {
    const { prompt, references } = item as { prompt?: unknown; references?: unknown }
    if (typeof prompt !== 'string' && !(Array.isArray(prompt) && prompt.length > 0))
      return `expected prompt to be a string or chat messages, got ${show(prompt)}`
    return references === undefined || (isTexts(references) && references.length > 0)
      ? undefined
      : `expected references to be strings, got ${show(references)}`
  },
  stereotypePairs: (item) => textProblem(item, ['moreStereotypical', 'lessStereotypical']),
}

const comparing = new Set(['exactMatch', 'answerMatch', 'answerF1', 'bleu', 'chrF', 'rouge1', 'rouge2', 'rougeL', 'rougeLsum'])

const checkGeneration = (task: GenerationTask): void => {
  for (const metric of task.metrics ?? []) {
    const name = typeof metric === 'string' ? metric : metric.name
    if (typeof metric === 'string' && !generationMetrics.includes(metric))
      fail(task.name, `expected metrics out of ${generationMetrics.join(', ')}, got ${show(metric)}`)
    const lacking = comparing.has(name) && typeof metric === 'string' ? task.items.findIndex((item) => item.references === undefined) : -1
    if (lacking >= 0) fail(task.name, `${name} needs references, item ${lacking} has none`)
  }
  for (const source of [...(task.exactMatch?.ignorePatterns ?? []), ...(task.extract === undefined ? [] : [task.extract.pattern])]) {
    try {
      new RegExp(source)
    } catch (cause) {
      throw new ConfigError(`task "${task.name}": ${show(source)} is not a regular expression`, { cause })
    }
  }
}

const checkFewShot = (name: string, fewShot: FewShot<Item>, check: (item: Item) => string | undefined): void => {
  const { count = 0, sampler = 'random' } = fewShot
  if (!Number.isInteger(count) || count < 0) fail(name, `expected fewShot.count to be 0 or more, got ${show(count)}`)
  if (sampler !== 'random' && sampler !== 'first') fail(name, `expected fewShot.sampler to be random or first, got ${show(sampler)}`)
  for (const [index, example] of (fewShot.examples ?? []).entries()) {
    const problem = check(example)
    if (problem !== undefined) fail(name, `fewShot.examples[${index}]: ${problem}`)
  }
}
