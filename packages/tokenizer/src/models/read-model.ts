// Models as a tokenizer.json describes them, but for byte-level BPE, which has a reader and an engine of its own.
import type { Json } from '@weft/contracts'
import type { JsonField } from '../formats/json-field.ts'
import { maxVocabSize } from '../tokenizer/token-table.ts'
import { createCharacterBpe } from './character-bpe.ts'
import { createMergeBarrier, type MergeBarrier } from './merge-barrier.ts'
import { createMergeTable } from './merge-table.ts'
import type { Model } from './model.ts'
import { byteTokenIds, createTokenIds, numberedTokens, type TokenIds } from './token-ids.ts'
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

/** The `vocab` object of a model. */
export const readVocabulary = (field: JsonField): TokenIds => {
  const object = field.object() as Record<string, number>
  const tokens = Object.keys(object)
  const ids = new Int32Array(tokens.length)
  for (let i = 0; i < tokens.length; i++) {
    const id = object[tokens[i]!]!
    if (!Number.isInteger(id) || id < 0 || id >= maxVocabSize) field.get(tokens[i]!).index(maxVocabSize)
    ids[i] = id
  }
  return createTokenIds(tokens, ids)
}

/** Has no prototype, so that `__proto__` may be a token. */
const writeVocabulary = ({ tokens, ids }: TokenIds): Record<string, number> => {
  const written = Object.create(null) as Record<string, number>
  const order = tokens.map((_, i) => i).sort((a, b) => ids[a]! - ids[b]!)
  for (const i of order) written[tokens[i]!] = ids[i]!
  return written
}

/** Left, right and merged ids of every merge, written as "a b" or ["a", "b"]. */
export const readMerges = (field: JsonField, vocabulary: TokenIds, prefix = ''): Int32Array => {
  if (!Array.isArray(field.value)) throw field.wrong('an array')
  const merges = field.value as readonly unknown[]
  if (merges.length > maxVocabSize) throw field.wrong(`at most ${maxVocabSize} merges`)
  const triples = new Int32Array(merges.length * 3)
  const look = (left: string, leftTo: number, right: string, rightFrom: number, at: number): boolean => {
    const leftId = vocabulary.findJoined(left, 0, leftTo, '', 0, 0)
    const rightId = vocabulary.findJoined(right, rightFrom, right.length, '', 0, 0)
    const mergedId = vocabulary.findJoined(left, 0, leftTo, right, Math.min(rightFrom + prefix.length, right.length), right.length)
    triples[at] = leftId
    triples[at + 1] = rightId
    triples[at + 2] = mergedId
    return leftId >= 0 && rightId >= 0 && mergedId >= 0
  }
  for (let i = 0; i < merges.length; i++) {
    const merge = merges[i]
    let isGood = false
    if (typeof merge === 'string') {
      const space = merge.indexOf(' ')
      isGood = space >= 0 && merge.indexOf(' ', space + 1) < 0 && look(merge, space, merge, space + 1, i * 3)
    } else if (Array.isArray(merge) && merge.length === 2) {
      const [left, right] = merge as readonly unknown[]
      isGood = typeof left === 'string' && typeof right === 'string' && look(left, left.length, right, 0, i * 3)
    }
    if (!isGood) throw field.items()[i]!.wrong('two tokens of model.vocab that together are a third')
  }
  return triples
}

const readBpe = (field: JsonField): ReadModel => {
  const vocabulary = readVocabulary(field.get('vocab'))
  const prefix = field.get('continuing_subword_prefix').stringOr('')
  const suffix = field.get('end_of_word_suffix').stringOr('')
  const triples = readMerges(field.get('merges'), vocabulary, prefix)
  const unknown = field.get('unk_token').isAbsent() ? undefined : field.get('unk_token').string()
  const unknownId = unknown === undefined ? undefined : vocabulary.get(unknown)
  const fuseUnknown = field.get('fuse_unk').booleanOr(false)
  const byteFallback = field.get('byte_fallback').booleanOr(false)
  const ignoreMerges = field.get('ignore_merges').booleanOr(false)
  const canCut = prefix === '' && suffix === ''
  const barrier = canCut ? readBarrier(vocabulary, triples, unknownId, fuseUnknown, byteFallback) : undefined
  const model = createCharacterBpe({
    size: vocabulary.size,
    tokenToId: vocabulary.get,
    idToToken: vocabulary.tokenAt,
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
      vocab: writeVocabulary(vocabulary),
      merges: writeMerges(triples, (id) => vocabulary.tokenAt(id)!),
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
  vocabulary: TokenIds,
  triples: Int32Array,
  unknownId: number | undefined,
  fuseUnknown: boolean,
  byteFallback: boolean,
): MergeBarrier | undefined => {
  const allBytes = byteFallback && !byteTokenIds(vocabulary.get).includes(-1)
  if (byteFallback && !allBytes && unknownId !== undefined) return undefined
  const isByteToken = Uint8Array.from({ length: vocabulary.size }, (_, id) => (byteTokenText.test(vocabulary.tokenAt(id) ?? '') ? 1 : 0))
  // What merges make of the tokens of bytes is not written with the characters that it stands for
  for (let i = 0; i < triples.length; i++) if (i % 3 < 2 && isByteToken[triples[i]!] === 1) return undefined
  const made = function* (): Generator<string> {
    for (let i = 2; i < triples.length; i += 3) yield vocabulary.tokenAt(triples[i]!)!
  }
  const isLocal = allBytes || (unknownId !== undefined && !fuseUnknown) // what is unknown touches no neighbour
  const isKnown = (unit: number): boolean => (unit & 0xf800) !== 0xd800 && vocabulary.get(String.fromCharCode(unit)) !== undefined
  return createMergeBarrier(made(), isLocal ? undefined : isKnown)
}

const readUnigram = (field: JsonField): ReadModel => {
  const vocab = field.get('vocab')
  if (!Array.isArray(vocab.value)) throw vocab.wrong('an array of tokens with their scores')
  const values = vocab.value as readonly unknown[]
  if (values.length > maxVocabSize) throw vocab.wrong(`at most ${maxVocabSize} tokens`)
  const tokens = new Array<string>(values.length)
  const scores = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const entry = values[i]
    const [token, score] = (Array.isArray(entry) ? entry : []) as readonly unknown[]
    if (typeof token !== 'string' || typeof score !== 'number' || !Number.isFinite(score)) throw vocab.items()[i]!.wrong('a token and its score')
    tokens[i] = token
    scores[i] = score
  }
  const unknown = field.get('unk_id')
  const unknownId = unknown.isAbsent() ? undefined : unknown.index(values.length)
  const byteFallback = field.get('byte_fallback').booleanOr(false)
  const vocabulary = numberedTokens(tokens)
  return {
    model: createUnigram({ vocabulary, scores, unknownId, byteFallback }),
    write: () => ({ type: 'Unigram', unk_id: unknownId ?? null, vocab: tokens.map((token, id) => [token, scores[id]!]), byte_fallback: byteFallback }),
  }
}

const readWordPiece = (field: JsonField): ReadModel => {
  const vocabulary = readVocabulary(field.get('vocab'))
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
      vocab: writeVocabulary(vocabulary),
    }),
  }
}

const readWordLevel = (field: JsonField): ReadModel => {
  const vocabulary = readVocabulary(field.get('vocab'))
  const unknown = field.get('unk_token').stringOr('<unk>')
  return {
    model: createWordLevel(vocabulary, unknown),
    write: () => ({ type: 'WordLevel', vocab: writeVocabulary(vocabulary), unk_token: unknown }),
  }
}
