// Generated text: against references, and for its variety and repetition.
import { ConfigError, type GenerateRequest } from '@weft/contracts'
import { itemId } from '../check-task.ts'
import type { SampleResult } from '../evaluation-report.ts'
import { fewShotPrompt, type FewShotPrompt } from '../few-shot.ts'
import { metricDefinitions } from '../metric-definitions.ts'
import { answerScores, isExactMatch } from '../metrics/answer-match.ts'
import { bleuStatistics } from '../metrics/bleu.ts'
import { chrFStatistics } from '../metrics/chr-f.ts'
import { distinctN, longestRepeat, repetition } from '../metrics/diversity.ts'
import { rouge } from '../metrics/rouge.ts'
import { wordsOf } from '../metrics/text-units.ts'
import { askGenerate, contentHash, runItems, type GeneratedText, type ItemScore, type PlannedItem, type TaskPlan } from '../task-plan.ts'
import type { GenerationItem, GenerationMetric, GenerationTask } from '../task.ts'
import type { PlanOptions } from './plan-choices.ts'

const MAX_NEW_TOKENS = 256 // lm-evaluation-harness's default

export const planGeneration = (task: GenerationTask, options: PlanOptions): TaskPlan => {
  const prompt = fewShotPrompt({
    ...options,
    taskName: task.name,
    items: task.items,
    instructions: task.instructions,
    fewShot: task.fewShot,
    render: (item) => renderExample(task, item),
  })
  const metrics = metricsOf(task)
  const names = new Set(metrics.map((metric) => (typeof metric === 'string' ? metric : metric.name)))
  const items = task.items.slice(0, options.limit).map((item, index): PlannedItem<GenerateRequest, GeneratedText> => ({
    id: itemId(item, index),
    category: item.category,
    contentHash: contentHash(item),
    requests: [requestOf(task, item, index, prompt, options)],
    score: ([answer]) => scoreText(task, metrics, item, answer!),
  }))
  const custom = new Map(metrics.flatMap((metric) => (typeof metric === 'string' ? [] : [[metric.name, metric.better] as const])))
  return {
    numFewShot: prompt.count,
    numItems: items.length,
    numRequests: items.length,
    run: (model, callOptions) => runItems(items, askGenerate, model, callOptions),
    betterOf: (metric) => custom.get(metric) ?? metricDefinitions.get(metric)?.better ?? 'neither',
    ofSet: (samples) => distinctOf(samples, names),
  }
}

const metricsOf = (task: GenerationTask): NonNullable<GenerationTask['metrics']> => {
  if (task.metrics !== undefined) return task.metrics
  const hasReferences = task.items.every((item) => item.references !== undefined)
  return hasReferences ? ['exactMatch', 'answerF1'] : ['distinct1', 'distinct2', 'distinct3', 'repetition', 'longestRepeat', 'numWords']
}

const renderExample = (task: GenerationTask, item: GenerationItem): string => {
  const [target] = item.references ?? []
  if (typeof item.prompt !== 'string' || target === undefined) {
    throw new ConfigError(`task "${task.name}": solved examples need a prompt that is a string and a reference`)
  }
  return item.prompt + (task.targetDelimiter ?? ' ') + target
}

const requestOf = (
  task: GenerationTask,
  item: GenerationItem,
  index: number,
  prompt: FewShotPrompt,
  { random }: PlanOptions,
): GenerateRequest => {
  const { settings = {} } = task
  const prefix = prompt.prefix(index)
  if (typeof item.prompt !== 'string' && prefix !== '') {
    throw new ConfigError(
      `task "${task.name}": instructions and solved examples go before a string, not before chat messages; put them into the messages`,
    )
  }
  const stop = settings.stop ?? (prompt.count > 0 ? [prompt.separator] : undefined)
  return {
    maxNewTokens: MAX_NEW_TOKENS,
    temperature: 0,
    ...settings,
    prompt: typeof item.prompt === 'string' ? prefix + item.prompt : item.prompt,
    ...(stop === undefined ? {} : { stop }),
    // Samples are the same from run to run, and differ from item to item.
    ...((settings.temperature ?? 0) > 0 && settings.seed === undefined ? { seed: random.fork(`generate/${index}`).nextUint32() } : {}),
  }
}

const scoreText = (
  task: GenerationTask,
  metrics: NonNullable<GenerationTask['metrics']>,
  item: GenerationItem,
  { text, reason }: GeneratedText,
): ItemScore => {
  const answer = extractAnswer(task, text)
  const scores: Record<string, number> = {}
  const statistics: Record<string, readonly number[]> = {}
  for (const metric of metrics) {
    if (typeof metric !== 'string') scores[metric.name] = metric.score({ text: answer, item })
    else if (metric === 'bleu') statistics[metric] = bleuStatistics(answer, item.references!)
    else if (metric === 'chrF') statistics[metric] = chrFStatistics(answer, item.references!)
    else if (!metric.startsWith('distinct')) scores[metric] = scoreOf(metric, task, answer, item.references ?? [])
  }
  const prompt =
    typeof item.prompt === 'string' ? item.prompt : item.prompt.map((message) => `${message.role}: ${message.content}`).join('\n')
  return {
    scores,
    ...(Object.keys(statistics).length === 0 ? {} : { statistics }),
    details: {
      prompt,
      text,
      ...(answer === text ? {} : { answer }),
      finishReason: reason,
      ...(item.references === undefined ? {} : { references: item.references }),
    },
  }
}

const scoreOf = (metric: GenerationMetric, task: GenerationTask, answer: string, references: readonly string[]): number => {
  switch (metric) {
    case 'exactMatch': {
      const ignorePatterns = (task.exactMatch?.ignorePatterns ?? []).map((source) => new RegExp(source, 'gs'))
      return Number(references.some((reference) => isExactMatch(answer, reference, { ...task.exactMatch, ignorePatterns })))
    }
    case 'answerMatch':
      return answerScores({ prediction: answer, references }).exactMatch
    case 'answerF1':
      return answerScores({ prediction: answer, references }).f1
    case 'rouge1':
    case 'rouge2':
    case 'rougeL':
    case 'rougeLsum':
      return rouge({ prediction: answer, references })[metric].f1
    case 'repetition':
      return repetition({ text: answer })
    case 'longestRepeat':
      return longestRepeat(answer)
    case 'numWords':
      return wordsOf(answer).length
    default:
      throw new ConfigError(`task "${task.name}": ${metric} has no score per item`)
  }
}

/** The text that is scored; `[invalid]` where the pattern finds nothing. */
const extractAnswer = (task: Pick<GenerationTask, 'extract'>, text: string): string => {
  if (task.extract === undefined) return text
  const { pattern, flags = '', pick = 'first' } = task.extract
  const matches = [...text.matchAll(new RegExp(pattern, [...new Set(`g${flags}`)].join('')))]
  const match = pick === 'first' ? matches[0] : matches.at(-1)
  if (match === undefined) return '[invalid]'
  return (match.slice(1).find((group) => group !== undefined && group !== '') ?? match[0]).trim()
}

const distinctOf = (samples: readonly SampleResult[], names: ReadonlySet<string>): Record<string, number> => {
  const texts = samples.map(({ details }) => String(details['answer'] ?? details['text']))
  const entries = [1, 2, 3].filter((n) => names.has(`distinct${n}`)).map((n) => [`distinct${n}`, distinctN({ texts, n })] as const)
  return Object.fromEntries(entries)
}
