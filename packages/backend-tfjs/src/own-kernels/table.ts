// The kernels that work on visible memory (cpu and wasm), in place of those by tfjs alone.
import type { Attrs, Meta, Primitive, Slot } from '@weft/tensor'
import type { Body } from '../kernel.ts'
import { activationKernels } from './activation.ts'
import { attention, attentionBackward, supportsAttention } from './attention.ts'
import { binary, cast, fill, iota, unary, where } from './elementwise.ts'
import { gather, scatterAdd } from './lookup.ts'
import { matMul } from './mat-mul.ts'
import { broadcastTo, concat, pad, permute, slice } from './movement.ts'
import { normKernels } from './norm.ts'
import { reduce } from './reduce.ts'
import { ropeKernels } from './rope.ts'
import { softmaxKernels } from './softmax.ts'
import { stateKernels } from './state.ts'

const primitives: Readonly<Record<Primitive, Body>> = { fill, iota, unary, binary, where, cast, reduce, matMul, permute, broadcastTo, slice, pad, concat, gather, scatterAdd }

export const ownKernels: Readonly<Record<string, Body>> = {
  ...primitives,
  ...activationKernels,
  ...normKernels,
  ...ropeKernels,
  ...softmaxKernels,
  ...stateKernels,
  attention,
  attentionBackward,
}

/** Whether a named operation's kernel takes these inputs. */
export const supportsOwn = (op: string, inputs: readonly Slot<Meta>[], attrs: Attrs): boolean => {
  if (op in softmaxKernels) return attrs['axis'] === (inputs[0] as Meta).shape.length - 1
  return op === 'attention' || op === 'attentionBackward' ? supportsAttention(inputs, attrs) : true
}
