// Entries of attention, rope, the cache, and their gradients.
import type { Meta, Slot } from '@weft/tensor'
import { list, number, type NativeOperations } from '../operation.ts'

const rules = [number('causal'), number('window'), number('softcap'), number('scale'), list('keyLengths')]
const turn = [number('offset'), number('scale')]
const heads = [number('numHeads'), number('numKvHeads')]

const dtypeOf = (slot: Slot<Meta>): string => (slot as Meta).dtype

/** Whether the gradients of heads have one dtype. */
const areGradientsAlike = (inputs: readonly Slot<Meta>[]): boolean => dtypeOf(inputs[2]) === dtypeOf(inputs[3]) && dtypeOf(inputs[3]) === dtypeOf(inputs[4])

/** Whether the gradient that came has the dtype of the output. */
const isGradientLikeOutput = (inputs: readonly Slot<Meta>[]): boolean => dtypeOf(inputs[9]) === dtypeOf(inputs[11])

export const attention: NativeOperations = {
  attention: { attributes: rules },
  attentionBackward: { attributes: [...rules, list('needs')], supports: isGradientLikeOutput },
  rope: { attributes: turn },
  ropeBackward: { attributes: turn },
  qkvRope: { attributes: [...heads, ...turn] },
  qkvRopeBackward: { attributes: [...heads, ...turn], supports: areGradientsAlike },
  splitHeads: {},
  splitHeadsBackward: {},
  kvAppend: { attributes: [list('at')], reuses: [[0, 0]] },
}
