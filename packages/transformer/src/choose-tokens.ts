// One step of generation: the new tokens of all rows go through the model, and one token a row is chosen on the backend. Only ids and
// log-probabilities come back. B rows, T new tokens, V vocabSize.
import { disposeAll, noGrad, read, tensor, tidy, type Tensor } from '@weft/tensor'
import { logSoftmax, sampleToken, topK } from '@weft/tensor/ops'
import { abortable } from './abortable.ts'
import type { KvCache } from './kv-cache.ts'
import type { Model } from './model.ts'
import type { Sampling } from './sampling.ts'

export interface Choice {
  readonly tokenId: number
  /** ln p under the model itself, before temperature and cut-offs. */
  readonly logProb: number
  readonly topLogProbs?: readonly { readonly tokenId: number; readonly logProb: number }[]
}

export interface StepOptions {
  readonly model: Model
  readonly kvCache: KvCache
  /** The new tokens of each row: the prompt at first, then one. */
  readonly tokenIds: readonly (readonly number[] | Uint32Array)[]
  readonly sampling: Sampling
  /** In [0, 1), one a row. */
  readonly uniforms: readonly number[]
  /** All tokens of each row; looked at where there is a repetition penalty. */
  readonly histories: readonly (readonly number[])[]
  readonly topLogProbs: number
  /** Ids from here on are never chosen. */
  readonly vocabSize: number
  readonly signal: AbortSignal | undefined
}

export const chooseTokens = async (options: StepOptions): Promise<Choice[]> => {
  const { topLogProbs, signal } = options
  const { chosen, top } = noGrad(() =>
    tidy(() => {
      const logits = lastLogits(options)
      return {
        chosen: sample(logits, options),
        top: topLogProbs > 0 ? topK(logSoftmax(logits), { k: Math.min(topLogProbs, logits.shape[1]!) }) : undefined,
      }
    }),
  )
  // A read that has begun is safe from what is freed after it.
  const reads = Promise.all([chosen.tokenIds, chosen.logProbs, ...(top === undefined ? [] : [top.indices, top.values])].map((x) => read(x)))
  disposeAll([chosen, top])
  const [ids, logProbs, topIds, topValues] = await abortable(reads, signal)
  return Array.from(ids!, (tokenId, row) => {
    const choice = { tokenId, logProb: logProbs![row]! }
    if (topIds === undefined || topValues === undefined) return choice
    const k = topIds.length / ids!.length
    return { ...choice, topLogProbs: Array.from({ length: k }, (_, j) => ({ tokenId: topIds[row * k + j]!, logProb: topValues[row * k + j]! })) }
  })
}

/** [B, V] after each row's last token; shorter rows are padded on the right, where nothing sees it. */
const lastLogits = ({ model, kvCache, tokenIds }: StepOptions): Tensor => {
  const lengths = tokenIds.map((ids) => ids.length)
  const longest = Math.max(...lengths)
  const padded = new Int32Array(tokenIds.length * longest)
  tokenIds.forEach((ids, row) => padded.set(ids, row * longest))
  return model.forward({ tokenIds: tensor(model.backend, padded, [tokenIds.length, longest]), kvCache, lengths, logitsAt: 'last' }).logits
}

const sample = (logits: Tensor, { sampling, uniforms, histories, vocabSize }: StepOptions): { tokenIds: Tensor; logProbs: Tensor } => {
  const { backend } = logits
  const { temperature = 1, topK: k, topP, minP, repetitionPenalty = 1 } = sampling
  const history = repetitionPenalty === 1 ? {} : { history: historyTensor(logits, histories) }
  const mask = vocabSize >= logits.shape[1]! ? {} : { mask: lowIds(logits, vocabSize) }
  return sampleToken(
    { logits, ...mask, ...history, uniforms: tensor(backend, Float32Array.from(uniforms), [uniforms.length]) },
    {
      temperature,
      ...(k === undefined || k >= logits.shape[1]! ? {} : { topK: k }),
      ...(topP === undefined || topP === 1 ? {} : { topP }),
      ...(minP === undefined || minP === 0 ? {} : { minP }),
      ...(repetitionPenalty === 1 ? {} : { repetitionPenalty }),
    },
  )
}

/** u8 [1, 4·⌈V/32⌉]: a bit a token, the lowest first; 1 below vocabSize. */
const lowIds = (logits: Tensor, vocabSize: number): Tensor => {
  const bytes = 4 * Math.ceil(logits.shape[1]! / 32)
  const bits = Uint8Array.from({ length: bytes }, (_, i) => 0xff >> Math.max(0, Math.min(8, 8 * (i + 1) - vocabSize)))
  return tensor(logits.backend, bits, [1, bytes])
}

/** i32 [B, N], −1 where a row is shorter. */
const historyTensor = (logits: Tensor, histories: readonly (readonly number[])[]): Tensor => {
  const longest = Math.max(...histories.map((history) => history.length))
  const ids = new Int32Array(histories.length * longest).fill(-1)
  histories.forEach((history, row) => ids.set(history, row * longest))
  return tensor(logits.backend, ids, [histories.length, longest])
}
