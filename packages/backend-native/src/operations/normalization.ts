// Entries of norms, softmax and their gradients.
import { list, number, type NativeOperations } from '../operation.ts'
import { sameDType } from './same-dtype.ts'

export const norms: NativeOperations = {
  layerNorm: { attributes: [number('epsilon')] },
  rmsNorm: { attributes: [number('epsilon'), number('offset')] },
  addLayerNorm: { attributes: [number('epsilon')] },
  addRmsNorm: { attributes: [number('epsilon'), number('offset')] },
  layerNormBackward: { attributes: [list('needs')], supports: sameDType(0, 4) },
  rmsNormBackward: { attributes: [list('needs'), number('offset')], supports: sameDType(0, 3) },
  addLayerNormBackward: { attributes: [list('needs')], supports: sameDType(1, 4, 5) },
  addRmsNormBackward: { attributes: [list('needs'), number('offset')], supports: sameDType(1, 3, 4) },
}

export const softmaxes: NativeOperations = {
  softmax: { attributes: [number('axis')] },
  logSoftmax: { attributes: [number('axis')] },
  softmaxBackward: { attributes: [number('axis')], supports: sameDType(0, 1) },
  logSoftmaxBackward: { attributes: [number('axis')], supports: sameDType(0, 1) },
}

export const normalization: NativeOperations = { ...norms, ...softmaxes }
