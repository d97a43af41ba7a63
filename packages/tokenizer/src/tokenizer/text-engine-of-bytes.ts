// The general engine over the vocabulary of a byte-level tokenizer, for what the engine over bytes does not give. Made from the same
// tables and the descriptions of the other parts, once it is asked for.
import { readPadding, readTruncation } from '../encoding/limits.ts'
import { jsonField } from '../formats/json-field.ts'
import { createCharacterBpe } from '../models/character-bpe.ts'
import type { Model } from '../models/model.ts'
import type { BpeModel } from '../models/piece-encoder.ts'
import { readPostProcessor } from '../post-processors/read-post-processor.ts'
import { readPieceSteps } from '../pre-tokenizers/read-pre-tokenizer.ts'
import { byteOfUnit } from '../text/byte-alphabet.ts'
import type { Pipeline } from './byte-level-tokenizer.ts'
import { createTextEngine, type TextEngine } from './text-engine.ts'
import { writtenToken } from './token-table.ts'

const engines = new WeakMap<Pipeline, TextEngine>()

export const textEngineOfBytes = (pipeline: Pipeline): TextEngine => {
  const known = engines.get(pipeline)
  if (known !== undefined) return known
  const part = (name: keyof Pipeline['components']) => jsonField(pipeline.components[name], name)
  const engine = createTextEngine({
    model: modelOf(pipeline.model),
    addedTokens: pipeline.addedTokens,
    normalizer: pipeline.normalizer,
    steps: readPieceSteps(part('pre_tokenizer')),
    alwaysTracks: false,
    processor: readPostProcessor(part('post_processor')),
    truncation: readTruncation(part('truncation')),
    padding: readPadding(part('padding')),
  })
  engines.set(pipeline, engine)
  return engine
}

const modelOf = (model: BpeModel): Model => {
  const { tokens, inVocabulary, byteIds, findWhole } = model
  const encodeAlphabet = (text: string): Uint8Array | undefined => {
    const bytes = Uint8Array.from(text, (unit) => byteOfUnit[unit.charCodeAt(0)] ?? 0)
    return Array.from(text).some((unit) => (byteOfUnit[unit.charCodeAt(0)] ?? -1) < 0) ? undefined : bytes
  }
  return createCharacterBpe({
    size: tokens.size,
    // Asked for single characters, and for whole pieces where those are taken without merging
    tokenToId: (token) => {
      const bytes = encodeAlphabet(token)
      if (bytes === undefined) return undefined
      const id = bytes.length === 1 ? byteIds[bytes[0]!]! : (findWhole?.(bytes, 0, bytes.length) ?? -1)
      return id < 0 ? undefined : id
    },
    idToToken: (id) => (inVocabulary[id] === 1 ? writtenToken(tokens, id) : undefined),
    merges: model.merges,
    unknownId: model.unknownId < 0 ? undefined : model.unknownId,
    fuseUnknown: model.fuseUnknown,
    byteFallback: false,
    ignoreMerges: findWhole !== undefined,
    continuingSubwordPrefix: '',
    endOfWordSuffix: '',
  })
}
