// Rows of a table by token id, and the gradient that adds rows up again. V vocabulary, D features.
import { exec, execOne } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { cast, gather, reshape, scatterAdd } from '../primitives.ts'
import type { Tensor } from '../tensor.ts'
import { leadingSize, metaOf, numberOf, requireDType, requireFloat, requireRank } from './checks.ts'
import { quantizedEmbedding } from './quantized-mat-mul.ts'
import { widened } from './scratch.ts'
import { isQuantized, type Weight } from './weight.ts'

/** Attribute `vocabSize`: rows of the table. */
export const embeddingBackwardOp = defineOp({
  name: 'embeddingBackward',
  inputs: ['ids', 'gradient'],
  infer: ([, gradient], attrs) => [{ shape: [numberOf(attrs, 'vocabSize'), metaOf(gradient).shape.at(-1)!], dtype: metaOf(gradient).dtype }],
  decompose: ({ inputs, attrs }) => {
    const [ids, gradient] = inputs as readonly [Tensor, Tensor]
    const rows = widened(reshape(gradient, [leadingSize(gradient.shape), gradient.shape.at(-1)!]))
    return [cast(scatterAdd(reshape(ids, [ids.size]), rows, numberOf(attrs, 'vocabSize')), gradient.dtype)]
  },
})

/** An id outside of the table yields zeros. */
export const embeddingOp = defineOp({
  name: 'embedding',
  inputs: ['table', 'ids'],
  infer: ([table, ids]) => {
    requireFloat('embedding', 'table', metaOf(table))
    requireRank('embedding', 'table', metaOf(table), 2, '[V, D]')
    requireDType('embedding', 'ids', metaOf(ids), 'i32')
    return [{ shape: [...metaOf(ids).shape, metaOf(table).shape[1]!], dtype: metaOf(table).dtype }]
  },
  decompose: ({ inputs: [table, ids] }) => [gather(table as Tensor, ids as Tensor, 0)],
  saves: { inputs: ['ids'] },
  vjp: ({ saved: { ids }, gradients: [g], inputMetas: [table] }) => [exec(embeddingBackwardOp, [ids, g!], { vocabSize: metaOf(table).shape[0]! })[0], undefined],
})

/** table[ids]: table [V, D], ids i32 [...] → [..., D]. An id outside of the table yields zeros. */
export const embedding = (table: Weight, ids: Tensor): Tensor => (isQuantized(table) ? quantizedEmbedding(table, ids) : execOne(embeddingOp, [table, ids]))
