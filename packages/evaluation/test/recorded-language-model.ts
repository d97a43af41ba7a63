// Answers with log-probabilities that a reference run recorded, last request first: what the harness does with them is under test.
import type { LanguageModel } from '@weft/contracts'

export interface Recording {
  readonly pairs?: ReadonlyMap<string, { readonly logProb: number; readonly isGreedy: boolean; readonly tokenCount: number }>
  readonly texts?: ReadonlyMap<string, { readonly logProb: number; readonly tokenCount: number }>
  readonly generated?: ReadonlyMap<string, string>
}

export const pairKey = (context: string, continuation: string): string => JSON.stringify([context, continuation])

export const recordedLanguageModel = ({ pairs = new Map(), texts = new Map(), generated = new Map() }: Recording): LanguageModel => {
  const recorded = <Answer>(answers: ReadonlyMap<string, Answer>, key: string): Answer => {
    const answer = answers.get(key)
    if (answer === undefined) throw new Error(`not recorded: ${key.slice(0, 300)}`)
    return answer
  }
  const backwards = <Request>(requests: readonly Request[]) => [...requests.entries()].reverse()
  return {
    name: 'recorded',
    contextLength: 512,
    async *logLikelihood(requests) {
      for (const [index, request] of backwards(requests))
        yield { index, truncatedTokens: 0, ...recorded(pairs, pairKey(request.context, request.continuation)) }
    },
    async *rollingLogLikelihood(requests) {
      for (const [index, text] of backwards(requests)) yield { index, ...recorded(texts, text) }
    },
    async *generate() {
      throw new Error('this recording generates many')
    },
    async *generateMany(requests) {
      for (const [index, { prompt }] of backwards(requests))
        yield { index, reason: 'stop' as const, text: recorded(generated, prompt as string), usage: { promptTokens: 0, newTokens: 0 } }
    },
  }
}
