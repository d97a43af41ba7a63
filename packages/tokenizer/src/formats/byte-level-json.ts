// The part of Hugging Face's tokenizer.json that is byte-level BPE in its usual surroundings, for the engine that works on UTF-8.
// Reference: huggingface/tokenizers, tokenizer/serialization.rs and models/bpe.
import type { Json, Tokenizer } from '@weft/contracts'
import type { AddedToken } from '../tokenizer/added-tokens.ts'
import { createByteLevelTokenizer } from '../tokenizer/byte-level-tokenizer.ts'
import { createByteStringTable } from '../text/byte-string-table.ts'
import type { Normalizer } from '../text/tracked-text.ts'
import type { JsonField } from './json-field.ts'
import type { JsonParts } from './json-parts.ts'
import { createMergeTable } from '../models/merge-table.ts'
import type { BpeModel } from '../models/piece-encoder.ts'
import { modelTypeOf, readMerges, readVocabulary } from '../models/read-model.ts'
import type { TokenIds } from '../models/token-ids.ts'
import type { Template } from '../post-processors/template-frame.ts'
import { readPreTokenizer } from '../pre-tokenizers/pre-tokenizer.ts'
import { bytesOfToken, createTokenTable, type TokenTable } from '../tokenizer/token-table.ts'

/** Whether the file is such a tokenizer; any other goes to the general engine. */
export const isByteLevel = (root: JsonField): boolean => {
  const model = root.get('model')
  if (modelTypeOf(model) !== 'BPE' || model.get('byte_fallback').booleanOr(false)) return false
  if (model.get('continuing_subword_prefix').stringOr('') !== '' || model.get('end_of_word_suffix').stringOr('') !== '') return false
  const steps = flatten(root.get('pre_tokenizer'), 'pretokenizers')
  const last = steps.at(-1)
  if (last?.get('type').value !== 'ByteLevel') return false
  if (steps.length > 1 && last.get('add_prefix_space').booleanOr(true)) return false
  if (!steps.slice(0, -1).every((step) => step.get('type').value === 'Split' || step.get('type').value === 'Digits')) return false
  if (flatten(root.get('normalizer'), 'normalizers').some((step) => step.get('type').value === 'ByteLevel')) return false
  const decoders = flatten(root.get('decoder'), 'decoders')
  return decoders.length > 0 && decoders.every((step) => step.get('type').value === 'ByteLevel')
}

const flatten = (field: JsonField, name: string): readonly JsonField[] => {
  if (field.isAbsent()) return []
  return field.get('type').value === 'Sequence' ? field.get(name).items().flatMap((item) => flatten(item, name)) : [field]
}

export const byteLevelFromParts = (parts: JsonParts, template: Template, normalizer: Normalizer | undefined): Tokenizer => {
  const { root, addedTokens } = parts
  const vocabulary = readVocabulary(root.get('model').get('vocab'))
  const components = Object.fromEntries(componentNames.map((name) => [name, (root.get(name).value ?? null) as Json]))
  const unknown = root.get('model').get('unk_token').value
  return createByteLevelTokenizer({
    model: buildModel(root, vocabulary, addedTokens),
    addedTokens,
    normalizer,
    preTokenizer: readPreTokenizer(root.get('pre_tokenizer')),
    template,
    roles: parts.rolesFor(typeof unknown === 'string' ? vocabulary.get(unknown) : undefined),
    components: { ...(components as Record<(typeof componentNames)[number], Json>), post_processor: parts.processorJson },
  })
}

const componentNames = ['truncation', 'padding', 'normalizer', 'pre_tokenizer', 'post_processor', 'decoder'] as const

const buildModel = (root: JsonField, vocabulary: TokenIds, addedTokens: readonly AddedToken[]): BpeModel => {
  const field = root.get('model')
  let { size } = vocabulary
  for (const token of addedTokens) size = Math.max(size, token.id + 1)
  const builder = createTokenTable(size)
  const inVocabulary = new Uint8Array(size)
  vocabulary.tokens.forEach((token, i) => {
    const id = vocabulary.ids[i]!
    if (inVocabulary[id] === 1) throw field.get('vocab').get(token).wrong('an id that no other token has')
    inVocabulary[id] = 1
    builder.addWritten(id, token)
  })
  const byteIds = findByteIds(builder.finish())
  for (const token of addedTokens) {
    if (builder.has(token.id) && vocabulary.get(token.content) !== token.id) {
      const place = root.get('added_tokens').items().find((item) => item.get('content').value === token.content)
      throw (place ?? root).get('id').wrong(`for ${JSON.stringify(token.content)} an id that no other token has`)
    }
    builder.setText(token.id, token.content)
  }
  const tokens = builder.finish()
  const mergeTriples = readMerges(field.get('merges'), vocabulary)
  const model = {
    tokens,
    inVocabulary,
    byteIds,
    merges: createMergeTable(mergeTriples),
    mergeTriples,
    unknownId: readUnknown(field.get('unk_token'), vocabulary, byteIds),
    fuseUnknown: field.get('fuse_unk').booleanOr(false),
  }
  return field.get('ignore_merges').booleanOr(false) ? { ...model, findWhole: wholeTokenFinder(tokens, inVocabulary) } : model
}

const findByteIds = (tokens: TokenTable): Int32Array => {
  const ids = new Int32Array(256).fill(-1)
  for (let id = 0; id < tokens.size; id++) {
    if (tokens.lengths[id] === 1 && tokens.isText[id] === 0) ids[tokens.pool[tokens.starts[id]!]!] = id
  }
  return ids
}

/** Where every byte has a token nothing is unknown, and it does not matter whether the unknown token is there. */
const readUnknown = (field: JsonField, vocabulary: TokenIds, byteIds: Int32Array): number => {
  if (field.isAbsent()) return -1
  const id = vocabulary.get(field.string())
  if (id === undefined && byteIds.includes(-1)) throw field.wrong('a token of model.vocab')
  return id ?? -1
}

/** Finds the tokens of the model's own vocabulary by their bytes. */
const wholeTokenFinder = (tokens: TokenTable, inVocabulary: Uint8Array): NonNullable<BpeModel['findWhole']> => {
  const table = createByteStringTable()
  const ids: number[] = []
  for (let id = 0; id < tokens.size; id++) {
    if (inVocabulary[id] === 0 || tokens.isText[id] === 1) continue
    const bytes = bytesOfToken(tokens, id)
    ids[table.intern(bytes, 0, bytes.length)] = id
  }
  return (bytes, start, end) => {
    const found = table.find(bytes, start, end)
    return found < 0 ? -1 : ids[found]!
  }
}
