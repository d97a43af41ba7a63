// The inside of a model, for this package alone: users see `Model`.
import { ConfigError } from '@weft/contracts'
import type { Model } from './model.ts'
import type { DecoderParts } from './run.ts'

const inside = new WeakMap<Model, DecoderParts>()

export const rememberParts = (model: Model, parts: DecoderParts): void => void inside.set(model, parts)

export const partsOf = (model: Model): DecoderParts => {
  const parts = inside.get(model)
  if (parts === undefined) throw new ConfigError('expected a Model made by createModel or loadModel of this copy of @weft/transformer')
  return parts
}
