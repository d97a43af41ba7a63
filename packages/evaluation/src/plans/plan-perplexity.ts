// Whole documents, each window by window: log-probability per byte, word and token.
import type { RollingLogLikelihood } from '@weft/contracts'
import { itemId } from '../check-task.ts'
import { jsonNumber } from '../evaluation-report.ts'
import { metricDefinitions } from '../metric-definitions.ts'
import { countBytes, countSpacedWords } from '../metrics/text-units.ts'
import { askRolling, contentHash, runItems, type PlannedItem, type TaskPlan } from '../task-plan.ts'
import type { PerplexityTask } from '../task.ts'
import type { PlanOptions } from './plan-choices.ts'

export const planPerplexity = (task: PerplexityTask, { limit }: PlanOptions): TaskPlan => {
  const items = task.items.slice(0, limit).map((item, index): PlannedItem<string, RollingLogLikelihood> => {
    const counted = item.countedText ?? item.text
    return {
      id: itemId(item, index),
      category: item.category,
      contentHash: contentHash([item.text, counted]),
      requests: [item.text],
      score: ([answer]) => {
        const { logProb, tokenCount } = answer!
        const byteCount = countBytes(counted)
        const wordCount = countSpacedWords(counted)
        return {
          scores: {},
          statistics: {
            bitsPerByte: [logProb, byteCount],
            bytePerplexity: [logProb, byteCount],
            wordPerplexity: [logProb, wordCount],
            perplexity: [logProb, tokenCount],
          },
          details: { logProb: jsonNumber(logProb), byteCount, wordCount, tokenCount },
        }
      },
    }
  })
  return {
    numFewShot: 0,
    numItems: items.length,
    numRequests: items.length,
    run: (model, options) => runItems(items, askRolling, model, options),
    betterOf: (metric) => metricDefinitions.get(metric)!.better,
  }
}
