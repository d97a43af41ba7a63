// Entries of cross entropies.
import { list, number, type NativeOperations } from '../operation.ts'

const loss = [number('ignoreIndex'), number('labelSmoothing'), number('zLoss')]
// The attribute chunkRows is for decompositions: native chunks are smaller than any that it asks for.
const head = [...loss, number('softcap'), number('logitScale')]

export const losses: NativeOperations = {
  crossEntropy: { attributes: loss },
  crossEntropyBackward: { attributes: loss },
  linearCrossEntropy: { attributes: head },
  linearCrossEntropyBackward: { attributes: [...head, list('needs')] },
}
