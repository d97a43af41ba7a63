// Entries of norms, softmax and their gradients.
import type { Meta, Slot } from '@weft/tensor'
import { list, number, type NativeOperations } from '../operation.ts'

const dtypeOf = (slot: Slot<Meta>): string => (slot as Meta).dtype

/** Whether the gradient that came has the dtype of the rows. */
const gradientLike = (rows: number, gradients: readonly number[]) => (inputs: readonly Slot<Meta>[]): boolean =>
  gradients.every((slot) => inputs[slot] === undefined || dtypeOf(inputs[slot]) === dtypeOf(inputs[rows]))

const norms: NativeOperations = {
  layerNorm: { attributes: [number('epsilon')] },
  rmsNorm: { attributes: [number('epsilon'), number('offset')] },
  addLayerNorm: { attributes: [number('epsilon')] },
  addRmsNorm: { attributes: [number('epsilon'), number('offset')] },
  layerNormBackward: { attributes: [list('needs')], supports: gradientLike(0, [4]) },
  rmsNormBackward: { attributes: [list('needs'), number('offset')], supports: gradientLike(0, [3]) },
  addLayerNormBackward: { attributes: [list('needs')], supports: gradientLike(1, [4, 5]) },
  addRmsNormBackward: { attributes: [list('needs'), number('offset')], supports: gradientLike(1, [3, 4]) },
}

export const normalization: NativeOperations = { ...norms }
