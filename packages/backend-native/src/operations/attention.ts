// Entries of attention, rope, the cache, and their gradients.
import { list, number, type NativeOperations } from '../operation.ts'

const rules = [number('causal'), number('window'), number('softcap'), number('scale'), list('keyLengths')]

export const attention: NativeOperations = {
  attention: { attributes: rules },
  attentionBackward: { attributes: [...rules, list('needs')] },
}
