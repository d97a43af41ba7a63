// The products of a mixture of experts: each row meets the weights of its k chosen experts. The decomposition lets every expert
// meet every row of a chunk and picks afterwards: E / k times the arithmetic, but no data-dependent shape.
// N rows, D features in, F out, E experts, k chosen a row.
import { execOne } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { add, cast, equal, full, gather, iota, matMul, mul, reshape, scalarLike, scatterAdd, sum, where } from '../primitives.ts'
import { recompute } from '../tape.ts'
import type { Tensor } from '../tensor.ts'
import { tidy } from '../tidy.ts'
import { callBackward, isNeeded, neededMetas } from './backward.ts'
import { accumulationDType, metaOf, requireDType, requireFloat, requireRank, requireShape } from './checks.ts'
import { eachChunk, joinedOr, rowsFrom, zerosLike } from './cross-entropy.ts'
import { dequantizeRows } from './quantized-mat-mul.ts'
import { inSteps, widened } from './scratch.ts'
import { isQuantized, type QuantizedTensor, type Weight } from './weight.ts'

/** Where each output (row, choice) stands among all experts' outputs [E · n]: expert · n + row; no expert: outside. */
const placesOf = (expertIds: Tensor): Tensor => {
  const [rows, chosen] = expertIds.shape as [number, number]
  const row = reshape(iota(expertIds.backend, rows), [rows, 1])
  return reshape(add(mul(expertIds, scalarLike(expertIds, rows)), row), [rows * chosen])
}

/** Chunks of rows of which all experts' outputs, and inputs, take some 16 MB. */
const eachRowChunk = (rows: number, [experts, outputs, inputs]: readonly [number, number, number], body: (start: number, count: number) => void): void =>
  eachChunk(rows, experts * Math.max(outputs, inputs), 0, body)

/** `needs`: x, weights. */
export const expertLinearBackwardOp = defineOp({
  name: 'expertLinearBackward',
  inputs: ['x', 'weights', 'expertIds', 'gradient'],
  infer: ([x, weights], attrs) => neededMetas(attrs, [metaOf(x), metaOf(weights)]),
  decompose: ({ inputs, attrs }) => {
    const [x, weights, expertIds, gradient] = inputs as readonly [Tensor, Tensor, Tensor, Tensor]
    const [experts, outputs, width] = weights.shape as [number, number, number]
    const [wide, chosen] = [cast(weights, accumulationDType(x.dtype)), expertIds.shape[1]!]
    const parts: Tensor[] = []
    let total: Tensor | undefined
    eachRowChunk(x.shape[0]!, [experts, outputs, width], (start, count) => {
      const part = tidy(() => {
        const rows = reshape(widened(rowsFrom(gradient, start, count)), [count * chosen, outputs])
        // Each output's gradient goes to its expert, zeros elsewhere: [E, n, F].
        const byExpert = reshape(scatterAdd(placesOf(rowsFrom(expertIds, start, count)), rows, experts * count), [experts, count, outputs])
        return {
          x: isNeeded(attrs, 0) ? cast(inSteps(matMul(byExpert, wide), (each) => sum(each, { axes: [0] })), x.dtype) : undefined,
          weights: isNeeded(attrs, 1) ? matMul(byExpert, reshape(widened(rowsFrom(x, start, count)), [1, count, width]), { transposeA: true }) : undefined,
        }
      })
      if (part.x !== undefined) parts.push(part.x)
      if (part.weights !== undefined) total = total === undefined ? part.weights : inSteps(total, (before) => add(before, part.weights!))
    })
    return [
      ...(isNeeded(attrs, 0) ? [joinedOr(parts, x)] : []),
      ...(isNeeded(attrs, 1) ? [total === undefined ? zerosLike(weights) : cast(total, weights.dtype)] : []),
    ]
  },
})

/** An id outside of the experts yields zeros. */
export const expertLinearOp = defineOp({
  name: 'expertLinear',
  inputs: ['x', 'weights', 'expertIds'],
  infer: ([x, weights, expertIds]) => {
    const op = 'expertLinear'
    requireFloat(op, 'x', metaOf(x))
    requireFloat(op, 'weights', metaOf(weights))
    requireRank(op, 'x', metaOf(x), 2, '[N, D]')
    requireRank(op, 'weights', metaOf(weights), 3, '[E, F, D]')
    requireDType(op, 'expertIds', metaOf(expertIds), 'i32')
    requireRank(op, 'expertIds', metaOf(expertIds), 2, '[N, k]')
    const [rows, width] = metaOf(x).shape as [number, number]
    const [experts, outputs] = metaOf(weights).shape as [number, number]
    requireShape(op, 'weights', metaOf(weights), [experts, outputs, width], '[E, F, D]')
    requireShape(op, 'expertIds', metaOf(expertIds), [rows, metaOf(expertIds).shape[1]!], '[N, k]')
    return [{ shape: [...metaOf(expertIds).shape, outputs], dtype: metaOf(x).dtype }]
  },
  decompose: ({ inputs, outputs: [output] }) => {
    const [x, weights, expertIds] = inputs as readonly [Tensor, Tensor, Tensor]
    const [experts, width, features] = weights.shape as [number, number, number]
    const wide = cast(weights, accumulationDType(x.dtype))
    const parts: Tensor[] = []
    eachRowChunk(x.shape[0]!, [experts, width, features], (start, count) => {
      parts.push(
        tidy(() => {
          const rows = reshape(widened(rowsFrom(x, start, count)), [1, count, features])
          const all = reshape(matMul(rows, wide, { transposeB: true }), [experts * count, width])
          return cast(reshape(gather(all, placesOf(rowsFrom(expertIds, start, count)), 0), [count, expertIds.shape[1]!, width]), output!.dtype)
        }),
      )
    })
    return [parts.length === 0 ? full(x.backend, output!.shape, 0, { dtype: output!.dtype }) : joinedOr(parts, parts[0]!)]
  },
  saves: { inputs: ['x', 'weights', 'expertIds'] },
  vjp: ({ saved: { x, weights, expertIds }, gradients: [g], attrs, needs: [needX, needWeights] }) => [
    ...callBackward(expertLinearBackwardOp, [x, weights, expertIds, g], attrs, [needX, needWeights]),
    undefined,
  ],
})

/** One expert at a time is unpacked; the backward pass unpacks them again. */
const quantizedExpertLinear = (x: Tensor, weights: QuantizedTensor, expertIds: Tensor): Tensor => {
  const [experts, width] = weights.shape as [number, number]
  const [rows, chosen] = expertIds.shape as [number, number]
  const product = ([input, packed, chosenIds]: readonly Tensor[]): Tensor[] => {
    const ids = reshape(chosenIds!, [rows, chosen, 1])
    let output = full(x.backend, [rows, chosen, width], 0, { dtype: x.dtype })
    for (let expert = 0; expert < experts; expert++) {
      const matrix = cast(dequantizeRows({ ...weights, packed: packed! }, expert * width, width), x.dtype)
      const outputs = reshape(matMul(input!, matrix, { transposeB: true }), [rows, 1, width])
      output = where(equal(ids, scalarLike(ids, expert)), outputs, output)
    }
    return [output]
  }
  return recompute(product, [x, weights.packed, expertIds])[0]!
}

/**
 * output[n, j] = x[n] · weights[expertIds[n, j]]ᵀ; an id outside of the experts yields zeros.
 *
 * @param x [N, D]
 * @param weights [E, F, D], or quantized
 * @param expertIds i32 [N, k]
 * @returns [N, k, F]
 */
export const expertLinear = (x: Tensor, weights: Weight, expertIds: Tensor): Tensor =>
  isQuantized(weights) ? quantizedExpertLinear(x, weights, expertIds) : execOne(expertLinearOp, [x, weights, expertIds])
