// Entries of sampleToken, topK, argMax.
import type { Meta, Slot } from '@weft/tensor'
import { number, type NativeOperations } from '../operation.ts'

const hasDType = (slot: Slot<Meta>, dtype: string): boolean => slot === undefined || (slot as Meta).dtype === dtype

export const sampling: NativeOperations = {
  argMax: { attributes: [number('axis')] },
  topK: { attributes: [number('k')], supports: ([x]) => !hasDType(x, 'i32') && !hasDType(x, 'u8') },
  sampleToken: {
    attributes: [number('temperature'), number('topK'), number('topP'), number('minP'), number('repetitionPenalty')],
    supports: ([logits, bias, , , uniforms]) => (logits as Meta).shape[1] !== 0 && hasDType(bias, 'f32') && hasDType(uniforms, 'f32'),
  },
}
