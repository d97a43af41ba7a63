// Models as a tokenizer.json describes them, but for byte-level BPE, which has a reader and an engine of its own.
import type { Json } from '@weft/contracts'
import type { JsonField } from '../formats/json-field.ts'
import { maxVocabSize } from '../tokenizer/token-table.ts'
import { createCharacterBpe } from './character-bpe.ts'
import { createMergeBarrier, type MergeBarrier } from './merge-barrier.ts'
import { createMergeTable } from './merge-table.ts'
import { byteTokenIds, vocabularyOf, type Model, type Vocabulary } from './model.ts'
import { createUnigram } from './unigram.ts'
import { createWordLevel } from './word-level.ts'
import { createWordPiece } from './word-piece.ts'

export interface ReadModel {
  readonly model: Model
  /** Where pieces may be cut before they are merged. */
  readonly barrier?: MergeBarrier | undefined
  /** The model as it is written back. */
  readonly write: () => Json
}

/** The type of a model; files of old do not say it. */
export const modelTypeOf = (field: JsonField): string => {
  const type = field.get('type')
  if (!type.isAbsent()) return type.string()
  if (Array.isArray(field.get('vocab').value)) return 'Unigram'
  if (!field.get('merges').isAbsent()) return 'BPE'
  return field.get('continuing_subword_prefix').isAbsent() ? 'WordLevel' : 'WordPiece'
}

/** @throws UnsupportedError for a model that is not known here. */
export const readModel = (field: JsonField): ReadModel => {
  const type = modelTypeOf(field)
  if (type === 'BPE') return readBpe(field)
  if (type === 'Unigram') return readUnigram(field)
  if (type === 'WordPiece') return readWordPiece(field)
  if (type === 'WordLevel') return readWordLevel(field)
  throw field.get('type').unsupported(`the model ${type}`)
}

/** Token as written → id. A Map, so that `__proto__` and `constructor` are tokens like any other. */
export const readVocabulary = (field: JsonField): ReadonlyMap<string, number> => {
  const vocabulary = new Map(Object.entries(field.object())) as Map<string, number>
  for (const [token, id] of vocabulary) {
    if (!Number.isInteger(id) || id < 0 || id >= maxVocabSize) field.get(token).index(maxVocabSize)
  }
  return vocabulary
}

/** Has no prototype, so that `__proto__` may be a token. */
export const writeVocabulary = (vocabulary: ReadonlyMap<string, number>): Record<string, number> => {
  const written = Object.create(null) as Record<string, number>
  for (const [token, id] of Array.from(vocabulary).sort((a, b) => a[1] - b[1])) written[token] = id
  return written
}

/** Left, right and merged ids of every merge, written as "a b" or ["a", "b"]. */
export const readMerges = (field: JsonField, vocabulary: ReadonlyMap<string, number>, prefix = ''): Int32Array => {
  if (!Array.isArray(field.value)) throw field.wrong('an array')
  const merges = field.value as readonly unknown[]
  if (merges.length > maxVocabSize) throw field.wrong(`at most ${maxVocabSize} merges`)
  const triples = new Int32Array(merges.length * 3)
  merges.forEach((merge, i) => {
    const [left, right, more] = (typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? merge : []) as readonly unknown[]
    const leftId = vocabulary.get(left as string)
    const rightId = vocabulary.get(right as string)
    const mergedId = vocabulary.get(`${String(left)}${String(right).slice(prefix.length)}`)
    if (leftId === undefined || rightId === undefined || mergedId === undefined || more !== undefined) {
      throw field.items()[i]!.wrong('two tokens of model.vocab that together are a third')
    }
    triples[i * 3] = leftId
    triples[i * 3 + 1] = rightId
    triples[i * 3 + 2] = mergedId
  })
  return triples
}

const readBpe = (field: JsonField): ReadModel => {
  const vocabulary = vocabularyOf(readVocabulary(field.get('vocab')))
  const prefix = field.get('continuing_subword_prefix').stringOr('')
  const suffix = field.get('end_of_word_suffix').stringOr('')
  const triples = readMerges(field.get('merges'), vocabulary.ids, prefix)
  const unknown = field.get('unk_token').isAbsent() ? undefined : field.get('unk_token').string()
  const unknownId = unknown === undefined ? undefined : vocabulary.ids.get(unknown)
  const fuseUnknown = field.get('fuse_unk').booleanOr(false)
  const byteFallback = field.get('byte_fallback').booleanOr(false)
  const ignoreMerges = field.get('ignore_merges').booleanOr(false)
  const canCut = prefix === '' && suffix === ''
  const barrier = canCut ? readBarrier(vocabulary, triples, unknownId, fuseUnknown, byteFallback) : undefined
  const model = createCharacterBpe({
    size: vocabulary.tokens.length,
    tokenToId: (token) => vocabulary.ids.get(token),
    idToToken: (id) => vocabulary.tokens[id],
    merges: createMergeTable(triples),
    unknownId,
    lacksUnknown: unknown !== undefined && unknownId === undefined,
    fuseUnknown,
    byteFallback,
    ignoreMerges,
    continuingSubwordPrefix: prefix,
    endOfWordSuffix: suffix,
    barrier,
  })
  const affix = (name: string): Json => (field.get(name).value ?? null) as Json
  const affixes = { continuing_subword_prefix: affix('continuing_subword_prefix'), end_of_word_suffix: affix('end_of_word_suffix') }
  return {
    model,
    barrier: ignoreMerges ? undefined : barrier,
    write: () => ({
      type: 'BPE',
      dropout: null,
      unk_token: unknown ?? null,
      ...affixes,
      fuse_unk: fuseUnknown,
      byte_fallback: byteFallback,
      ignore_merges: ignoreMerges,
      vocab: writeVocabulary(vocabulary.ids),
      merges: writeMerges(triples, (id) => vocabulary.tokens[id]!),
    }),
  }
}

/** "left right", or pairs where a token holds a space. */
export const writeMerges = (triples: Int32Array, tokenOf: (id: number) => string): string[] | [string, string][] => {
  const pairs: [string, string][] = []
  for (let i = 0; i < triples.length; i += 3) pairs.push([tokenOf(triples[i]!), tokenOf(triples[i + 1]!)])
  return pairs.some(([left, right]) => left.includes(' ') || right.includes(' ')) ? pairs : pairs.map(([left, right]) => `${left} ${right}`)
}

const byteTokenText = /^<0x[0-9A-F]{2}>$/

const readBarrier = (
  { ids, tokens }: Vocabulary,
  triples: Int32Array,
  unknownId: number | undefined,
  fuseUnknown: boolean,
  byteFallback: boolean,
): MergeBarrier | undefined => {
  const allBytes = byteFallback && !byteTokenIds(ids).includes(-1)
  if (byteFallback && !allBytes && unknownId !== undefined) return undefined
  // What merges make of the tokens of bytes is not written with the characters that it stands for
  for (let i = 0; i < triples.length; i++) if (i % 3 < 2 && byteTokenText.test(tokens[triples[i]!]!)) return undefined
  const made = function* (): Generator<string> {
    for (let i = 2; i < triples.length; i += 3) yield tokens[triples[i]!]!
  }
  const fuses = unknownId !== undefined && fuseUnknown && !allBytes
  const isKnown = (unit: number): boolean => (unit & 0xf800) !== 0xd800 && ids.has(String.fromCharCode(unit))
  return createMergeBarrier(made(), fuses ? isKnown : undefined)
}

const readUnigram = (field: JsonField): ReadModel => {
  const vocab = field.get('vocab')
  if (!Array.isArray(vocab.value)) throw vocab.wrong('an array of tokens with their scores')
  const values = vocab.value as readonly unknown[]
  if (values.length > maxVocabSize) throw vocab.wrong(`at most ${maxVocabSize} tokens`)
  const pieces = values.map((entry, i): [string, number] => {
    const [token, score] = (Array.isArray(entry) ? entry : []) as readonly unknown[]
    if (typeof token !== 'string' || typeof score !== 'number' || !Number.isFinite(score)) throw vocab.items()[i]!.wrong('a token and its score')
    return [token, score]
  })
  const unknown = field.get('unk_id')
  const unknownId = unknown.isAbsent() ? undefined : unknown.index(pieces.length)
  const byteFallback = field.get('byte_fallback').booleanOr(false)
  return {
    model: createUnigram({ pieces, unknownId, byteFallback }),
    write: () => ({ type: 'Unigram', unk_id: unknownId ?? null, vocab: pieces, byte_fallback: byteFallback }),
  }
}

const readWordPiece = (field: JsonField): ReadModel => {
  const vocabulary = vocabularyOf(readVocabulary(field.get('vocab')))
  const unknown = field.get('unk_token').stringOr('[UNK]')
  const continuingSubwordPrefix = field.get('continuing_subword_prefix').stringOr('##')
  const limit = field.get('max_input_chars_per_word')
  const maxInputCharsPerWord = limit.isAbsent() ? 100 : limit.index(2 ** 31)
  return {
    model: createWordPiece(vocabulary, { unknown, continuingSubwordPrefix, maxInputCharsPerWord }),
    write: () => ({
      type: 'WordPiece',
      unk_token: unknown,
      continuing_subword_prefix: continuingSubwordPrefix,
      max_input_chars_per_word: maxInputCharsPerWord,
      vocab: writeVocabulary(vocabulary.ids),
    }),
  }
}

const readWordLevel = (field: JsonField): ReadModel => {
  const vocabulary = vocabularyOf(readVocabulary(field.get('vocab')))
  const unknown = field.get('unk_token').stringOr('<unk>')
  return {
    model: createWordLevel(vocabulary, unknown),
    write: () => ({ type: 'WordLevel', vocab: writeVocabulary(vocabulary.ids), unk_token: unknown }),
  }
}
