// Entries of activations, dropout and their gradients.
import { choice, list, number, type NativeOperations } from '../operation.ts'
import { sameDType } from './same-dtype.ts'

const approximate = choice('approximate', ['none', 'tanh'])

export const activations: NativeOperations = {
  gelu: { attributes: [approximate] },
  silu: {},
  sigmoid: {},
  relu: {},
  swiGlu: {},
  geGlu: { attributes: [approximate] },
  dropout: { attributes: [number('rate'), list('key')] },
  randomBits: { attributes: [list('key')] },
  geluBackward: { attributes: [approximate], supports: sameDType(0, 1) },
  siluBackward: { supports: sameDType(0, 1) },
  sigmoidBackward: { supports: sameDType(0, 1) },
  reluBackward: { supports: sameDType(0, 1) },
  swiGluBackward: { attributes: [list('needs')], supports: sameDType(0, 1, 2) },
  geGluBackward: { attributes: [list('needs'), approximate], supports: sameDType(0, 1, 2) },
}
