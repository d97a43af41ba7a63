// Token ids of many documents in one array: a corpus of millions of tokens stays one allocation.
import { ConfigError } from '@weft/contracts'

export interface TokenCorpus {
  /** All documents, one after the other. */
  readonly tokenIds: Int32Array
  /** Document d is tokenIds[starts[d] … starts[d + 1]); one element more than documents. */
  readonly starts: Float64Array
  /** Loss weight of each document, where any differs from 1. */
  readonly weights?: Float32Array
}

/**
 * Lays documents end to end.
 * @param options.endId appended to each document, so that the model learns where a text ends.
 */
export const tokenCorpus = (
  documents: Iterable<{ readonly tokenIds: ArrayLike<number>; readonly weight?: number }>,
  options: { readonly endId?: number } = {},
): TokenCorpus => {
  let tokenIds = new Int32Array(1024)
  let length = 0
  const starts = [0]
  const weights: number[] = []
  for (const document of documents) {
    const { tokenIds: ids, weight = 1 } = document
    if (!(weight >= 0)) throw new ConfigError(`tokenCorpus: document ${weights.length}: expected a weight ≥ 0, got ${weight}`)
    const needed = length + ids.length + 1
    if (needed > tokenIds.length) {
      const larger = new Int32Array(Math.max(needed, tokenIds.length * 2))
      larger.set(tokenIds.subarray(0, length))
      tokenIds = larger
    }
    tokenIds.set(ids, length)
    length += ids.length
    if (options.endId !== undefined) tokenIds[length++] = options.endId
    starts.push(length)
    weights.push(weight)
  }
  const uneven = weights.some((weight) => weight !== 1)
  return { tokenIds: tokenIds.slice(0, length), starts: Float64Array.from(starts), ...(uneven ? { weights: Float32Array.from(weights) } : {}) }
}
