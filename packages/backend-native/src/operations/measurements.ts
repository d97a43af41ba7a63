// Entries of the operations that measure the machine; no tensor operation has their names.
import { number, type NativeOperations } from '../operation.ts'

export const measurements: NativeOperations = {
  measureFma: { attributes: [number('iterations')] },
  measureBf16: { attributes: [number('iterations')] },
  measureInt8: { attributes: [number('iterations')] },
  measureRead: { attributes: [number('bytes')] },
}
