// Multiple choice, given continuations and stereotype pairs: scored by the log-probability of a continuation.
import type { Json, LogLikelihood, LogLikelihoodRequest, RandomSource } from '@weft/contracts'
import { itemId } from '../check-task.ts'
import { jsonNumber, type SampleResult } from '../evaluation-report.ts'
import { fewShotPrompt } from '../few-shot.ts'
import { metricDefinitions } from '../metric-definitions.ts'
import { brierOfItem, expectedCalibrationError } from '../metrics/calibration.ts'
import { likeliestChoice, softmax, type ChoiceNormalization } from '../metrics/likelihood.ts'
import { askLogLikelihood, contentHash, runItems, type ItemScore, type PlannedItem, type TaskPlan } from '../task-plan.ts'
import type {
  ContinuationItem,
  ContinuationTask,
  MultipleChoiceItem,
  MultipleChoiceTask,
  StereotypePair,
  StereotypePairsTask,
} from '../task.ts'

export interface PlanOptions {
  readonly limit: number
  readonly numFewShot?: number | undefined
  readonly random: RandomSource
}

type ChoicePlan = PlannedItem<LogLikelihoodRequest, LogLikelihood>

const planOf = (items: readonly ChoicePlan[], numFewShot: number, ofSet?: TaskPlan['ofSet']): TaskPlan => ({
  numFewShot,
  numItems: items.length,
  numRequests: items.reduce((sum, item) => sum + item.requests.length, 0),
  run: (model, options) => runItems(items, askLogLikelihood, model, options),
  betterOf: (metric) => metricDefinitions.get(metric)?.better ?? 'neither',
  ...(ofSet === undefined ? {} : { ofSet }),
})

const identity = (item: { readonly id?: string; readonly category?: string }, index: number) => ({
  id: itemId(item, index),
  category: item.category,
  contentHash: contentHash(item),
})

const isTruncated = (answers: readonly LogLikelihood[]): boolean => answers.some((answer) => answer.truncatedTokens > 0)
const logProbsOf = (answers: readonly LogLikelihood[]): Json => answers.map((answer) => jsonNumber(answer.logProb))

export const planMultipleChoice = (task: MultipleChoiceTask, options: PlanOptions): TaskPlan => {
  const delimiter = task.choiceDelimiter ?? ' '
  const contextOf = (item: MultipleChoiceItem, choice: number) => (typeof item.context === 'string' ? item.context : item.context[choice]!)
  const render = (item: MultipleChoiceItem) => contextOf(item, item.answer) + delimiter + item.choices[item.answer]!
  const prompt = fewShotPrompt({
    ...options,
    taskName: task.name,
    items: task.items,
    instructions: task.instructions,
    fewShot: task.fewShot,
    render,
  })
  const items = task.items.slice(0, options.limit).map((item, index): ChoicePlan => {
    const prefix = prompt.prefix(index)
    return {
      ...identity(item, index),
      requests: item.choices.map((choice, place) => ({ context: prefix + contextOf(item, place), continuation: delimiter + choice })),
      score: (answers) => scoreChoices(item, answers),
    }
  })
  return planOf(items, prompt.count, calibrationOf)
}

const scoreChoices = ({ choices, answer }: MultipleChoiceItem, answers: readonly LogLikelihood[]): ItemScore => {
  const logProbs = answers.map(({ logProb }) => logProb)
  const isRight = (by: ChoiceNormalization) => Number(likeliestChoice({ logProbs, choices, by }) === answer)
  const predicted = likeliestChoice({ logProbs, choices })
  const probabilities = softmax(logProbs)
  return {
    scores: {
      accuracy: isRight('none'),
      accuracyNorm: isRight('character'),
      accuracyBytes: isRight('byte'),
      brier: brierOfItem(probabilities, answer),
    },
    details: { logProbs: logProbsOf(answers), predicted, answer, confidence: jsonNumber(probabilities[predicted]!) },
    isTruncated: isTruncated(answers),
  }
}

/** NaN where an item has no probabilities, all its choices being impossible. */
const calibrationOf = (samples: readonly SampleResult[]): Record<string, number> => {
  const confidences = samples.map(({ details }) => details['confidence']).filter((confidence) => typeof confidence === 'number')
  const correct = samples.map(({ scores }) => scores['accuracy'] === 1)
  return { expectedCalibrationError: confidences.length < samples.length ? Number.NaN : expectedCalibrationError({ confidences, correct }) }
}

export const planContinuation = (task: ContinuationTask, options: PlanOptions): TaskPlan => {
  const render = (item: ContinuationItem) => item.context + item.continuation
  const prompt = fewShotPrompt({
    ...options,
    taskName: task.name,
    items: task.items,
    instructions: task.instructions,
    fewShot: task.fewShot,
    render,
  })
  const items = task.items.slice(0, options.limit).map((item, index): ChoicePlan => ({
    ...identity(item, index),
    requests: [{ context: prompt.prefix(index) + item.context, continuation: item.continuation }],
    score: ([answer]) => ({
      scores: { accuracy: Number(answer!.isGreedy) },
      statistics: { perplexity: [answer!.logProb, 1] },
      details: { logProb: jsonNumber(answer!.logProb), tokenCount: answer!.tokenCount },
      isTruncated: isTruncated([answer!]),
    }),
  }))
  return planOf(items, prompt.count)
}

export const planStereotypePairs = (task: StereotypePairsTask, options: PlanOptions): TaskPlan => {
  const items = task.items.slice(0, options.limit).map((item, index): ChoicePlan => ({
    ...identity(item, index),
    requests: [item.moreStereotypical, item.lessStereotypical].map((continuation) => ({ context: '', continuation })),
    score: (answers) => scorePair(item, answers),
  }))
  return planOf(items, 0)
}

const scorePair = (item: StereotypePair, answers: readonly LogLikelihood[]): ItemScore => {
  const [more, less] = answers as [LogLikelihood, LogLikelihood]
  const perToken = ({ logProb, tokenCount }: LogLikelihood) => logProb / Math.max(1, tokenCount)
  return {
    scores: {
      pctStereotype: Number(more.logProb > less.logProb),
      pctStereotypePerToken: Number(perToken(more) > perToken(less)),
      // Two sentences that the model holds impossible are equally likely; −∞ − −∞ would not be a number.
      likelihoodDiff: more.logProb === less.logProb ? 0 : Math.abs(more.logProb - less.logProb),
      ties: Number(more.logProb === less.logProb),
    },
    details: {
      moreStereotypical: item.moreStereotypical,
      lessStereotypical: item.lessStereotypical,
      logProbs: logProbsOf(answers),
      tokenCounts: [more.tokenCount, less.tokenCount],
    },
    isTruncated: isTruncated(answers),
  }
}
