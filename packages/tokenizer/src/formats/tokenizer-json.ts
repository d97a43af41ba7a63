// Hugging Face's tokenizer.json, read: byte-level BPE with its added tokens, normalizer, pre-tokenizer, post-processor and decoder.
// What is not known here is an UnsupportedError with the path of the component; what is broken a FormatError with the place.
// Reference: huggingface/tokenizers, tokenizer/serialization.rs and models/bpe.
import type { Json, Tokenizer } from '@weft/contracts'
import type { AddedToken } from '../tokenizer/added-tokens.ts'
import { createByteLevelTokenizer } from '../tokenizer/byte-level-tokenizer.ts'
import { createByteStringTable } from '../text/byte-string-table.ts'
import { jsonField, parseJson, type JsonField } from './json-field.ts'
import { createMergeTable } from '../models/merge-table.ts'
import type { NormalizationForm } from '../normalizers/normalizer.ts'
import type { BpeModel } from '../models/piece-encoder.ts'
import { readPostProcessor } from '../post-processors/post-processor.ts'
import { readPreTokenizer } from '../pre-tokenizers/pre-tokenizer.ts'
import { resolveRoles, type TokenRoles } from '../tokenizer/token-roles.ts'
import { bytesOfToken, createTokenTable, maxVocabSize, type TokenTable } from '../tokenizer/token-table.ts'

export interface TokenizerFromJsonOptions {
  /** The file's name, for errors. */
  readonly source?: string
  /** Which tokens begin, end and pad; default: what `config` says, else well-known names such as `<|endoftext|>`. */
  readonly roles?: TokenRoles
  /** The parsed tokenizer_config.json that lies beside the file: `bos_token`, `eos_token`, `pad_token`, `unk_token` are read. */
  readonly config?: unknown
}

/**
 * A tokenizer from a tokenizer.json, given as text or parsed. Byte-level BPE; `truncation` and `padding` are kept for writing the
 * file, and not applied.
 * @throws FormatError where the file is broken; it names the path, for example `model.merges[12]`.
 * @throws UnsupportedError for a component beyond byte-level BPE, with its path.
 */
export const tokenizerFromJson = (json: unknown, options: TokenizerFromJsonOptions = {}): Tokenizer => {
  const root = jsonField(parseJson(json, options.source), '', options.source)
  const modelField = root.get('model')
  checkModel(modelField)
  const normalization = readNormalizer(root.get('normalizer'))
  const preTokenizer = readPreTokenizer(root.get('pre_tokenizer'))
  const template = readPostProcessor(root.get('post_processor'))
  checkDecoder(root.get('decoder'))
  const vocabulary = readVocabulary(modelField.get('vocab'))
  const addedTokens = readAddedTokens(root.get('added_tokens'), vocabulary)
  const model = buildModel(root, vocabulary, addedTokens)
  const beginId = template.before.find((id) => addedTokens.some((token) => token.special && token.id === id))
  const unknownId = model.unknownId < 0 ? undefined : model.unknownId
  const components = Object.fromEntries(componentNames.map((name) => [name, (root.get(name).value ?? null) as Json]))
  return createByteLevelTokenizer({
    model,
    addedTokens,
    normalization,
    preTokenizer,
    template,
    roles: resolveRoles({
      special: idsOf(addedTokens.filter((token) => token.special)),
      added: idsOf(addedTokens),
      found: { beginId, unknownId },
      roles: options.roles,
      config: options.config,
    }),
    components: components as Record<(typeof componentNames)[number], Json>,
  })
}

const componentNames = ['truncation', 'padding', 'normalizer', 'pre_tokenizer', 'post_processor', 'decoder'] as const

const idsOf = (tokens: readonly AddedToken[]): ReadonlyMap<string, number> => new Map(tokens.map((token) => [token.content, token.id]))

const checkModel = (model: JsonField): void => {
  const type = model.get('type').stringOr('BPE')
  if (type !== 'BPE') throw model.get('type').unsupported(`the model ${type} (only byte-level BPE is)`)
  for (const name of ['continuing_subword_prefix', 'end_of_word_suffix']) {
    const field = model.get(name)
    if (field.stringOr('') !== '') throw field.unsupported(`a ${name}`)
  }
}

const readNormalizer = (field: JsonField): readonly NormalizationForm[] => {
  if (field.isAbsent()) return []
  const type = field.get('type').string()
  if (type === 'Sequence') return field.get('normalizers').items().flatMap(readNormalizer)
  if (type === 'NFC' || type === 'NFD' || type === 'NFKC' || type === 'NFKD') return [type]
  throw field.get('type').unsupported(`the normalizer ${type}`)
}

const checkDecoder = (field: JsonField): void => {
  if (field.isAbsent()) return
  const type = field.get('type').string()
  if (type === 'Sequence') return field.get('decoders').items().forEach(checkDecoder)
  if (type !== 'ByteLevel') throw field.get('type').unsupported(`the decoder ${type}`)
}

/** Token as written → id. A Map, so that `__proto__` and `constructor` are tokens like any other. */
const readVocabulary = (field: JsonField): ReadonlyMap<string, number> => {
  const vocabulary = new Map(Object.entries(field.object())) as Map<string, number>
  for (const [token, id] of vocabulary) {
    if (!Number.isInteger(id) || id < 0 || id >= maxVocabSize) field.get(token).index(maxVocabSize)
  }
  return vocabulary
}

const readAddedTokens = (field: JsonField, vocabulary: ReadonlyMap<string, number>): readonly AddedToken[] => {
  if (field.isAbsent()) return []
  const seen = new Set<string>()
  const tokens: AddedToken[] = []
  for (const item of field.items()) {
    const content = item.get('content').string()
    const fileId = item.get('id').index(maxVocabSize)
    if (content === '' || seen.has(content)) continue // as the reference does
    seen.add(content)
    const special = item.get('special').booleanOr(false)
    tokens.push({
      id: vocabulary.get(content) ?? fileId, // the vocabulary's id goes first, also in the reference
      content,
      special,
      lstrip: item.get('lstrip').booleanOr(false),
      rstrip: item.get('rstrip').booleanOr(false),
      singleWord: item.get('single_word').booleanOr(false),
      normalized: item.get('normalized').booleanOr(!special),
    })
  }
  return tokens
}

const buildModel = (root: JsonField, vocabulary: ReadonlyMap<string, number>, addedTokens: readonly AddedToken[]): BpeModel => {
  const field = root.get('model')
  let size = 0
  for (const id of vocabulary.values()) size = Math.max(size, id + 1)
  for (const token of addedTokens) size = Math.max(size, token.id + 1)
  const builder = createTokenTable(size)
  const inVocabulary = new Uint8Array(size)
  const vocabField = field.get('vocab')
  for (const [token, id] of vocabulary) {
    if (inVocabulary[id] === 1) throw vocabField.get(token).wrong('an id that no other token has')
    inVocabulary[id] = 1
    builder.addWritten(id, token)
  }
  const byteIds = findByteIds(builder.finish())
  for (const token of addedTokens) {
    if (builder.has(token.id) && vocabulary.get(token.content) !== token.id) {
      const place = root.get('added_tokens').items().find((item) => item.get('content').value === token.content)
      throw (place ?? root).get('id').wrong(`for ${JSON.stringify(token.content)} an id that no other token has`)
    }
    builder.setText(token.id, token.content)
  }
  const tokens = builder.finish()
  if (field.get('byte_fallback').booleanOr(false) && byteIds.includes(-1)) {
    throw field.get('byte_fallback').unsupported('byte_fallback in a vocabulary that lacks bytes')
  }
  const mergeTriples = readMerges(field.get('merges'), vocabulary)
  const model = {
    tokens,
    inVocabulary,
    byteIds,
    merges: createMergeTable(mergeTriples),
    mergeTriples,
    unknownId: readUnknown(field.get('unk_token'), vocabulary),
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

const readUnknown = (field: JsonField, vocabulary: ReadonlyMap<string, number>): number => {
  if (field.isAbsent()) return -1
  const id = vocabulary.get(field.string())
  if (id === undefined) throw field.wrong('a token of model.vocab')
  return id
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

/** Left, right and merged ids of every merge, written as "a b" or ["a", "b"]. */
const readMerges = (field: JsonField, vocabulary: ReadonlyMap<string, number>): Int32Array => {
  if (!Array.isArray(field.value)) throw field.wrong('an array')
  const merges = field.value as readonly unknown[]
  if (merges.length > maxVocabSize) throw field.wrong(`at most ${maxVocabSize} merges`)
  const triples = new Int32Array(merges.length * 3)
  merges.forEach((merge, i) => {
    const [left, right, more] = (typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? merge : []) as readonly unknown[]
    const leftId = vocabulary.get(left as string)
    const rightId = vocabulary.get(right as string)
    const mergedId = vocabulary.get(`${String(left)}${String(right)}`)
    if (leftId === undefined || rightId === undefined || mergedId === undefined || more !== undefined) {
      throw field.items()[i]!.wrong('two tokens of model.vocab that together are a third')
    }
    triples.set([leftId, rightId, mergedId], i * 3)
  })
  return triples
}
