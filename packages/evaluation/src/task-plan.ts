// A task made ready to run: items with their requests and their scoring, put to the model in one call.
import {
  WeftError,
  type CallOptions,
  type GenerateRequest,
  type Json,
  type LanguageModel,
  type LogLikelihood,
  type LogLikelihoodRequest,
  type RollingLogLikelihood,
} from '@weft/contracts'
import { jsonNumber, type SampleResult } from './evaluation-report.ts'
import type { Better } from './task.ts'

export type ModelRequest = LogLikelihoodRequest | string | GenerateRequest

export interface TaskPlan {
  readonly numFewShot: number
  readonly numItems: number
  readonly numRequests: number
  /** Puts all requests to the model in one call; a step per answer, with the sample that it completes. */
  run(model: LanguageModel, options: CallOptions): AsyncGenerator<PlanStep>
  betterOf(metric: string): Better
  readonly ofSet?: (samples: readonly SampleResult[]) => Readonly<Record<string, number>>
}

export interface PlanStep {
  readonly completed?: {
    readonly place: number
    readonly sample: SampleResult
    readonly requests: readonly ModelRequest[]
    readonly isTruncated: boolean
  }
}

export interface PlannedItem<Request, Answer> {
  readonly id: string
  readonly category?: string | undefined
  readonly contentHash: string
  readonly requests: readonly Request[]
  score(answers: readonly Answer[]): ItemScore
}

export interface ItemScore {
  readonly scores: Readonly<Record<string, number>>
  readonly statistics?: Readonly<Record<string, readonly number[]>>
  readonly details: Readonly<Record<string, Json>>
  readonly isTruncated?: boolean
}

export interface GeneratedText {
  readonly index: number
  readonly text: string
  readonly reason: 'stop' | 'length'
}

type Ask<Request, Answer> = (model: LanguageModel, requests: readonly Request[], options: CallOptions) => AsyncIterable<Answer>

export const askLogLikelihood: Ask<LogLikelihoodRequest, LogLikelihood> = (model, requests, options) =>
  model.logLikelihood(requests, options)
export const askRolling: Ask<string, RollingLogLikelihood> = (model, texts, options) => model.rollingLogLikelihood(texts, options)

/** All at once where the model can, else one after the other. */
export const askGenerate: Ask<GenerateRequest, GeneratedText> = async function* (model, requests, options) {
  if (model.generateMany !== undefined) {
    yield* model.generateMany(requests, options)
    return
  }
  for (const [index, request] of requests.entries()) {
    for await (const event of model.generate(request, options))
      if (event.kind === 'finish') yield { index, text: event.text, reason: event.reason }
  }
}

/** @throws WeftError of kind `model` for answers that are missing, doubled, out of range or not a number. */
export async function* runItems<Request extends ModelRequest, Answer extends { readonly index: number }>(
  items: readonly PlannedItem<Request, Answer>[],
  ask: Ask<Request, Answer>,
  model: LanguageModel,
  options: CallOptions,
): AsyncGenerator<PlanStep> {
  const places = items.flatMap((item, place) => item.requests.map((_, slot) => ({ place, slot })))
  const answers = items.map((item) => new Array<Answer | undefined>(item.requests.length))
  const open = items.map((item) => item.requests.length)
  let left = places.length
  for await (const answer of ask(
    model,
    items.flatMap((item) => item.requests),
    options,
  )) {
    options.signal?.throwIfAborted()
    const found = places[answer.index]
    if (found === undefined) throw badAnswer(model, `answer to request ${answer.index} of ${places.length}`)
    const { place, slot } = found
    const item = items[place]!
    if (answers[place]![slot] !== undefined) throw badAnswer(model, `second answer to request ${answer.index} (item ${item.id})`)
    if ('logProb' in answer && !(typeof answer.logProb === 'number' && answer.logProb <= 0.001)) {
      throw badAnswer(model, `log-probability of ${String(answer.logProb)} for item ${item.id}, expected a number of at most 0`)
    }
    answers[place]![slot] = answer
    left--
    yield --open[place]! === 0 ? { completed: complete(item, place, answers[place] as Answer[]) } : {}
  }
  options.signal?.throwIfAborted()
  if (left > 0) throw badAnswer(model, `no answer to ${left} of ${places.length} requests`)
}

const badAnswer = (model: LanguageModel, problem: string): WeftError => new WeftError('model', `model "${model.name}" gave ${problem}`)

const complete = <Request extends ModelRequest, Answer>(
  item: PlannedItem<Request, Answer>,
  place: number,
  answers: readonly Answer[],
): NonNullable<PlanStep['completed']> => {
  const { scores, statistics, details, isTruncated = false } = item.score(answers)
  const entries = <From, To>(record: Readonly<Record<string, From>>, change: (value: From) => To) =>
    Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
  const sample: SampleResult = {
    id: item.id,
    ...(item.category === undefined ? {} : { category: item.category }),
    contentHash: item.contentHash,
    scores: entries(scores, jsonNumber),
    ...(statistics === undefined ? {} : { statistics: entries(statistics, (values) => values.map(jsonNumber)) }),
    details,
  }
  return { place, sample, requests: item.requests, isTruncated }
}

/** A fingerprint of an item's content, to notice that two reports do not speak of the same item: FNV-1a, twice 32 bits. */
export const contentHash = (item: object): string => {
  const text = JSON.stringify(item)
  let [low, high] = [0x811c9dc5, 0x2c1b3c6d]
  for (let i = 0; i < text.length; i++) {
    low = Math.imul(low ^ text.charCodeAt(i), 0x01000193)
    high = Math.imul(high ^ text.charCodeAt(i) ^ i, 0x01000193)
  }
  return [low, high].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
}
