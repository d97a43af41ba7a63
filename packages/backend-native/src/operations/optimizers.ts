// Entries of optimizer steps over many tensors, global norm, addInto.
import type { Meta, Slot } from '@weft/tensor'
import { choice, number, type NativeOperation, type NativeOperations } from '../operation.ts'

const floats: ReadonlySet<string> = new Set(['f32', 'bf16', 'f16'])
const itemsOf = (slot: Slot<Meta>): readonly Meta[] => (slot === undefined ? [] : Array.isArray(slot) ? (slot as readonly Meta[]) : [slot as Meta])
const areFloats = (slot: Slot<Meta>): boolean => itemsOf(slot).every(({ dtype }) => floats.has(dtype))
const areFloat32 = (slot: Slot<Meta>): boolean => itemsOf(slot).every(({ dtype }) => dtype === 'f32')

/** Slots: values, masters, gradients, state lists, step, scale. All but the gradients and the scale are written in place. */
const stepOf = (stateLists: number, attributes: NativeOperation['attributes'] & object): NativeOperation => ({
  attributes,
  reusesInOrder: [0, 1, ...Array.from({ length: stateLists + 1 }, (_, i) => 3 + i)],
  supports: ([values, masters, gradients, ...states]) => areFloats(values) && areFloats(gradients) && [masters, ...states].every(areFloat32),
})

const learningRate = number('learningRate')
const weightDecay = number('weightDecay')

export const optimizers: NativeOperations = {
  adamWStep: stepOf(2, [learningRate, number('beta1'), number('beta2'), number('epsilon'), weightDecay]),
  lionStep: stepOf(1, [learningRate, number('beta1'), number('beta2'), weightDecay]),
  sgdStep: stepOf(1, [learningRate, number('momentum'), number('nesterov'), weightDecay]),
  muonStep: stepOf(1, [learningRate, number('momentum'), number('nesterov'), weightDecay, choice('adjust', ['original', 'matchRmsAdamW'])]),
  globalNorm: {},
  addInto: { reuses: [[0, 0]], supports: ([accumulator, x]) => areFloats(accumulator) && areFloats(x) },
}
