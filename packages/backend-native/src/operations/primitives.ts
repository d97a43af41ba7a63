// Entries of the primitives.
import { number, type NativeOperations } from '../operation.ts'

export const primitives: NativeOperations = {
  fill: { attributes: [number('value')] },
  iota: {},
}
