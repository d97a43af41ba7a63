// The inside of a model, for this package alone: users see `Model`.
import { ConfigError, UnsupportedError } from '@weft/contracts'
import type { Model } from './model.ts'
import type { DecoderParts } from './run.ts'

const inside = new WeakMap<Model, DecoderParts>()

export const rememberParts = (model: Model, parts: DecoderParts): void => void inside.set(model, parts)

export const partsOf = (model: Model): DecoderParts => {
  const parts = inside.get(model)
  if (parts === undefined) throw new ConfigError('expected a Model made by createModel or loadModel of this copy of @weft/transformer')
  return parts
}

/** @throws UnsupportedError for a model whose matrices are quantized, where the call needs their values. */
export const requireWide = ({ quantized }: DecoderParts, call: string): void => {
  if (quantized.size > 0) throw new UnsupportedError(`${call}: the model's matrices are quantized; load it with dtype 'f32' for this`)
}
