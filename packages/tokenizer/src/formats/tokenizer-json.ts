// Hugging Face's tokenizer.json, read whole: its model, added tokens, normalizer, pre-tokenizer, post-processor, decoder, truncation and
// padding. What is not known here is an UnsupportedError with the path of the component; what is broken a FormatError with the place.
// Reference: huggingface/tokenizers, tokenizer/serialization.rs.
import type { Json, Tokenizer } from '@weft/contracts'
import { cleanUpSpaces } from '../decoders/text-decoders.ts'
import { readDecoder, readTokenBytes } from '../decoders/read-decoder.ts'
import { readPadding, readTruncation } from '../encoding/limits.ts'
import { cutLong } from '../models/merge-barrier.ts'
import { readModel } from '../models/read-model.ts'
import { readNormalizer } from '../normalizers/read-normalizer.ts'
import { asksForOrigins, readPieceSteps } from '../pre-tokenizers/read-pre-tokenizer.ts'
import { createTextTokenizer } from '../tokenizer/text-tokenizer.ts'
import { byteLevelFromParts, isByteLevel } from './byte-level-json.ts'
import { readParts, type JsonParts, type ReadOptions } from './json-parts.ts'
import { writeAddedTokens } from './tokenizer-json-writer.ts'

export interface TokenizerFromJsonOptions extends ReadOptions {
  /** Tidy the spaces before punctuation in decoded texts, as `clean_up_tokenization_spaces` does; default false. */
  readonly cleanUpSpaces?: boolean
}

/**
 * A tokenizer from a tokenizer.json, given as text or parsed: the same ids, offsets and texts as Hugging Face tokenizers gives.
 * Its `truncation` and `padding` apply where `encodeDetailed` and `encodeBatch` are asked for them.
 * @throws FormatError where the file is broken; it names the path, for example `model.merges[12]`.
 * @throws UnsupportedError for a component that is not known, with its path.
 */
export const tokenizerFromJson = (json: unknown, options: TokenizerFromJsonOptions = {}): Tokenizer => {
  const parts = readParts(json, options)
  const { root, template } = parts
  if (isByteLevel(root) && template !== undefined && options.cleanUpSpaces !== true) {
    return byteLevelFromParts(parts, template, readNormalizer(root.get('normalizer')))
  }
  return general(parts, options.cleanUpSpaces === true)
}

const general = ({ root, addedTokens, processor, processorJson, rolesFor }: JsonParts, isCleanedUp: boolean): Tokenizer => {
  const { model, barrier, write } = readModel(root.get('model'))
  const normalizer = readNormalizer(root.get('normalizer'))
  const decoders = readDecoder(root.get('decoder'))
  const component = (name: string): Json => (root.get(name).value ?? null) as Json
  const components = {
    truncation: component('truncation'),
    padding: component('padding'),
    normalizer: component('normalizer'),
    pre_tokenizer: component('pre_tokenizer'),
    post_processor: processorJson,
    decoder: component('decoder'),
  }
  return createTextTokenizer({
    model,
    addedTokens,
    normalizer,
    steps: readPieceSteps(root.get('pre_tokenizer')),
    alwaysTracks: asksForOrigins(root.get('pre_tokenizer'), normalizer !== undefined),
    barrier: barrier === undefined ? undefined : cutLong(barrier),
    processor,
    truncation: readTruncation(root.get('truncation')),
    padding: readPadding(root.get('padding')),
    decoders: isCleanedUp ? [...decoders, cleanUpSpaces] : decoders,
    bytesOfToken: readTokenBytes(root.get('decoder')),
    roles: rolesFor(model.unknownId),
    write: () => {
      const { truncation, padding, ...others } = components
      return { version: '1.0', truncation, padding, added_tokens: writeAddedTokens(addedTokens), ...others, model: write() } satisfies Json
    },
  })
}
