// The harness: tasks in, events out, a report at the end. Knows a LanguageModel, no tensor and no tokenizer.
import { ConfigError, createRandomSource, type LanguageModel } from '@weft/contracts'
import { defineTask } from './check-task.ts'
import type { EvaluationEvent, SampleResult, TaskResult } from './evaluation-report.ts'
import { planContinuation, planMultipleChoice, planStereotypePairs, type PlanOptions } from './plans/plan-choices.ts'
import { planGeneration } from './plans/plan-generation.ts'
import { planPerplexity } from './plans/plan-perplexity.ts'
import { byCategory, summarize, type SummaryOptions } from './summarize.ts'
import type { TaskPlan } from './task-plan.ts'
import type { Task } from './task.ts'

export interface EvaluateOptions {
  readonly model: LanguageModel
  readonly tasks: readonly Task[]
  /** Solved examples before each question, instead of each task's own number; tasks that take none are left alone. */
  readonly numFewShot?: number
  /** At most so many items of each task, the first ones. */
  readonly limit?: number
  /** For solved examples, sampling and the bootstrap; default 0. */
  readonly seed?: number
  readonly signal?: AbortSignal
}

/**
 * Runs the tasks one after the other and yields events: `taskStart`, `progress` per answered request, `sample` per finished item,
 * `taskFinished`, and last `finished` with the report. All requests of a task go to the model in one call, which may answer in any
 * order. `break` stops.
 *
 * Scores follow lm-evaluation-harness 0.4: see the task types for their definitions.
 *
 * @throws ConfigError for a malformed task or option; WeftError of kind `model` where the model's answers are incomplete or not
 *   numbers; `signal.reason` when aborted.
 */
export async function* evaluate(options: EvaluateOptions): AsyncGenerator<EvaluationEvent, void, undefined> {
  const { model, tasks, seed = 0, signal } = options
  checkOptions(options)
  const random = createRandomSource({ seed })
  const results: [string, TaskResult][] = []
  for (const [taskIndex, task] of tasks.entries()) {
    signal?.throwIfAborted()
    const taskRandom = random.fork(task.name)
    const plan = planTask(task, { limit: options.limit ?? task.items.length, numFewShot: options.numFewShot, random: taskRandom })
    yield { kind: 'taskStart', task: task.name, taskIndex, numTasks: tasks.length, numItems: plan.numItems, numRequests: plan.numRequests }
    const samples = new Array<SampleResult>(plan.numItems)
    let done = 0
    let numTruncated = 0
    for await (const { completed } of plan.run(model, signal === undefined ? {} : { signal })) {
      yield { kind: 'progress', task: task.name, done: ++done, total: plan.numRequests }
      if (completed === undefined) continue
      const { place, sample, requests, isTruncated } = completed
      samples[place] = sample
      if (isTruncated) numTruncated++
      yield { kind: 'sample', task: task.name, sample, requests }
    }
    const result = taskResult(task, plan, samples, numTruncated, {
      random: taskRandom.fork('bootstrap'),
      betterOf: plan.betterOf,
      ofSet: plan.ofSet,
    })
    results.push([task.name, result])
    yield { kind: 'taskFinished', task: task.name, result }
  }
  yield {
    kind: 'finished',
    report: {
      format: 'weft-evaluation-1',
      model: { name: model.name, contextLength: model.contextLength },
      seed,
      tasks: Object.fromEntries(results),
    },
  }
}

const checkOptions = ({ tasks, limit, numFewShot }: EvaluateOptions): void => {
  for (const [name, value, least] of [
    ['limit', limit, 1],
    ['numFewShot', numFewShot, 0],
  ] as const) {
    if (value !== undefined && !(Number.isInteger(value) && value >= least))
      throw new ConfigError(`evaluate: expected ${name} to be a whole number of at least ${least}, got ${value}`)
  }
  const names = new Set<string>()
  for (const task of tasks) {
    defineTask(task)
    if (names.has(task.name)) throw new ConfigError(`evaluate: two tasks are called "${task.name}"; results are kept by name`)
    names.add(task.name)
  }
}

const planTask = (task: Task, options: PlanOptions): TaskPlan => {
  switch (task.kind) {
    case 'multipleChoice':
      return planMultipleChoice(task, options)
    case 'continuation':
      return planContinuation(task, options)
    case 'perplexity':
      return planPerplexity(task, options)
    case 'generation':
      return planGeneration(task, options)
    case 'stereotypePairs':
      return planStereotypePairs(task, options)
  }
}

const taskResult = (
  task: Task,
  plan: TaskPlan,
  samples: readonly SampleResult[],
  numTruncated: number,
  summary: Omit<SummaryOptions, 'samples'>,
): TaskResult => {
  const groups = byCategory(samples)
  const categories = [...(groups ?? [])].map(([name, members]) => {
    const metrics = summarize({ ...summary, samples: members, random: summary.random.fork(name) })
    return [name, { numItems: members.length, metrics }] as const
  })
  return {
    name: task.name,
    kind: task.kind,
    ...(task.description === undefined ? {} : { description: task.description }),
    ...(task.version === undefined ? {} : { version: task.version }),
    numItems: samples.length,
    numAvailable: task.items.length,
    numFewShot: plan.numFewShot,
    numTruncated,
    metrics: summarize({ ...summary, samples }),
    ...(groups === undefined ? {} : { categories: Object.fromEntries(categories) }),
    samples,
  }
}
