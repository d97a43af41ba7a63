// A real language model small enough for tests: character bigrams with add-one smoothing, fitted on a text.
import type { GenerateRequest, LanguageModel } from '@weft/contracts'

const BEGIN = '\u0002'
const PLACES = 257 // Latin-1, and one place that all others share

export const bigramLanguageModel = (text: string, name = 'bigram'): LanguageModel => {
  const vocabulary = [...new Set(text)].sort()
  const counts = new Map<string, number>()
  const totals = new Map<string, number>()
  for (const [before, after] of pairs(BEGIN, text)) {
    counts.set(before + after, (counts.get(before + after) ?? 0) + 1)
    totals.set(before, (totals.get(before) ?? 0) + 1)
  }
  const logProb = (before: string, after: string) =>
    Math.log(((counts.get(before + after) ?? 0) + 1) / ((totals.get(before) ?? 0) + PLACES))
  const likeliest = (before: string) =>
    vocabulary.reduce((best, after) => (logProb(before, after) > logProb(before, best) ? after : best), vocabulary[0]!)
  const score = (context: string, continuation: string) => {
    const steps = pairs(context === '' ? BEGIN : [...context].at(-1)!, continuation)
    return {
      logProb: steps.reduce((sum, [before, after]) => sum + logProb(before, after), 0),
      tokenCount: steps.length,
      isGreedy: steps.every(([before, after]) => likeliest(before) === after),
    }
  }
  return {
    name,
    contextLength: 1024,
    async *logLikelihood(requests) {
      for (const [index, { context, continuation }] of requests.entries())
        yield { index, ...score(context, continuation), truncatedTokens: Math.max(0, [...context].length - 1024) }
    },
    async *rollingLogLikelihood(texts) {
      for (const [index, whole] of texts.entries()) yield { index, ...score('', whole) }
    },
    async *generate({ prompt, maxNewTokens = 20 }: GenerateRequest) {
      let written = ''
      for (let i = 0; i < maxNewTokens; i++)
        written += likeliest([...(typeof prompt === 'string' ? prompt : prompt.at(-1)!.content), ...written].at(-1) ?? BEGIN)
      yield { kind: 'finish', reason: 'length', text: written, usage: { promptTokens: prompt.length, newTokens: maxNewTokens } }
    },
  }
}

const pairs = (before: string, text: string): [string, string][] =>
  [...text].map((after, i, all) => [i === 0 ? before : all[i - 1]!, after])
