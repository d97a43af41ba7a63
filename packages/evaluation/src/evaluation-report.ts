// What an evaluation finds: plain JSON, item by item, so that two of them can be compared later.
import type { GenerateRequest, Json, LogLikelihoodRequest } from '@weft/contracts'
import type { Better, Task } from './task.ts'

export interface EvaluationReport {
  readonly format: 'weft-evaluation-1'
  readonly model: { readonly name: string; readonly contextLength: number }
  readonly seed: number
  /** By task name. */
  readonly tasks: Readonly<Record<string, TaskResult>>
}

export interface TaskResult {
  readonly name: string
  readonly kind: Task['kind']
  readonly description?: string
  readonly version?: number
  /** Items scored; `numAvailable` is how many the task has. */
  readonly numItems: number
  readonly numAvailable: number
  readonly numFewShot: number
  /** Items with a context that was too long for the model and was cut from the left. */
  readonly numTruncated: number
  readonly metrics: Readonly<Record<string, MetricResult>>
  readonly categories?: Readonly<Record<string, { readonly numItems: number; readonly metrics: Readonly<Record<string, MetricResult>> }>>
  readonly samples: readonly SampleResult[]
}

export interface MetricResult {
  /** null: not a finite number (a perplexity of a model that gave a probability of 0). */
  readonly value: number | null
  /** Closed form for means, bootstrap for ratios and corpus scores; null where there is none. */
  readonly stderr: number | null
  /** 95 % interval: Wilson's for shares, value ± 1.96·stderr for other means, bootstrap percentiles for the rest; null where there is none. */
  readonly low: number | null
  readonly high: number | null
  readonly better: Better
  /** Where the ideal is one half: the chance of a share at least this far from it by fair coin tosses, two-sided. */
  readonly pAgainstHalf?: number
}

export interface SampleResult {
  readonly id: string
  readonly category?: string
  /** Of the item as it was defined: items that share an id but not this are not the same item. */
  readonly contentHash: string
  readonly scores: Readonly<Record<string, number | null>>
  /** For scores that are not means: the item's share of the sums that they are computed from. */
  readonly statistics?: Readonly<Record<string, readonly (number | null)[]>>
  /** What the scores rest on: log-probabilities, the chosen answer, generated text. */
  readonly details: Readonly<Record<string, Json>>
}

export type EvaluationEvent =
  | {
      readonly kind: 'taskStart'
      readonly task: string
      readonly taskIndex: number
      readonly numTasks: number
      readonly numItems: number
      readonly numRequests: number
    }
  /** Requests answered so far. */
  | { readonly kind: 'progress'; readonly task: string; readonly done: number; readonly total: number }
  /** As soon as an item's last request is answered, in whatever order the model answers. */
  | {
      readonly kind: 'sample'
      readonly task: string
      readonly sample: SampleResult
      readonly requests: readonly (LogLikelihoodRequest | string | GenerateRequest)[]
    }
  | { readonly kind: 'taskFinished'; readonly task: string; readonly result: TaskResult }
  | { readonly kind: 'finished'; readonly report: EvaluationReport }

/** JSON has no infinities: they travel as null. */
export const jsonNumber = (value: number): number | null => (Number.isFinite(value) ? value : null)
