// Entries of embedding and its gradient, cumulative sums.
import { number, type NativeOperations } from '../operation.ts'

export const lookups: NativeOperations = {
  embedding: {},
  embeddingBackward: { attributes: [number('vocabSize')] },
  cumSum: { attributes: [number('axis'), number('exclusive'), number('reverse')] },
}
