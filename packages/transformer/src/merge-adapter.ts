// An adapter written into the weights: the same numbers without the detour.
import { keep, noGrad, tidy, type Tensor } from '@weft/tensor'
import { add, matMul, mul, pad, reshape, scalarLike } from '@weft/tensor/ops'
import type { Adapter, LowRankUpdate } from './adapter.ts'
import { parameterOf } from './create-model.ts'
import { modelOf } from './decoder-model.ts'
import type { Model } from './model.ts'
import { parameterList } from './parameter-list.ts'
import { partsOf, requireWide } from './parts-of.ts'

/**
 * A new model with W + s · B·A in place of each adapted W. Model and adapter stay as they are; what the adapter does not change
 * shares the base's memory until one of the two is trained. Other adapters of a view are not merged.
 *
 * @throws ConfigError when the adapter was made for another model.
 */
export const mergeAdapter = (model: Model, adapter: Adapter): Model => {
  const parts = partsOf(model.withAdapters([adapter])) // checks that it fits
  requireWide(parts, 'mergeAdapter')
  const merged = noGrad(() =>
    tidy(() => ({
      frequencies: parts.frequencies === undefined ? undefined : reshape(parts.frequencies, parts.frequencies.shape),
      values: parameterList(parts.config).map((spec) => {
        const { value, master } = parts.parameters.get(spec.name)!
        return { spec, value: mergedValue(master ?? value, adapter.updates.get(spec.name.replace(/\.weight$/, '')) ?? []) }
      }),
    })),
  )
  keep(merged.frequencies)
  const parameters = new Map(merged.values.map(({ spec, value }) => [spec.name, parameterOf(spec, value)]))
  return modelOf({ ...parts, parameters, frequencies: merged.frequencies, adapters: [] }, true)
}

const mergedValue = (value: Tensor, updates: readonly LowRankUpdate[]): Tensor =>
  updates.reduce((matrix, { a, b, scale, rows }) => {
    const product = matMul(b.value, a.value)
    const update = mul(product, scalarLike(product, scale))
    if (rows === undefined) return add(matrix, update)
    return add(matrix, pad(update, [rows.start, 0], [matrix.shape[0]! - rows.start - rows.count, 0]))
  }, reshape(value, value.shape))
