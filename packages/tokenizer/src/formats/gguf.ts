// A tokenizer from the metadata of a GGUF file (keys tokenizer.ggml.*): byte-level BPE, SentencePiece's BPE and Unigram, BERT's WordPiece.
// Reference: ggml-org/ggml, docs/gguf.md; llama.cpp, src/llama-vocab.cpp.
import { FormatError, UnsupportedError, type Json, type Tokenizer } from '@weft/contracts'
import { maxVocabSize } from '../tokenizer/token-table.ts'
import type { TokenRoles } from '../tokenizer/token-roles.ts'
import type { AddedToken } from '../tokenizer/added-tokens.ts'
import { ggufPatterns, type GgufPattern } from './gguf-patterns.ts'
import { asAdded, tokenizerOfPieces } from './sentencepiece.ts'
import type { PieceType, SentencePieceNormalizer } from './sentencepiece-model.ts'
import { tokenizerFromJson } from './tokenizer-json.ts'
import { writeAddedTokens } from './tokenizer-json-writer.ts'

export interface TokenizerFromGgufOptions {
  /** Which tokens begin, end and pad; default: what the file says, and well-known names that end a turn. */
  readonly roles?: TokenRoles
  /** The file's name, for errors. */
  readonly source?: string
}

/**
 * A tokenizer from a GGUF file's metadata, as `WeightsFile.metadata` of @weft/weights has it. Begin and end tokens are put around a text
 * where the file says so. The chat template stays where it is: `metadata.get('tokenizer.chat_template')`.
 * @throws FormatError where keys are missing or do not fit together; UnsupportedError for a kind of tokenizer that is not known.
 */
export const tokenizerFromGguf = (metadata: ReadonlyMap<string, Json>, options: TokenizerFromGgufOptions = {}): Tokenizer => {
  const file = readVocabulary(metadata, options)
  if (file.kind === 'gpt2') return byteLevel(file)
  if (file.kind === 'llama' || file.kind === 't5') return sentencePiece(file, file.kind)
  if (file.kind === 'bert') return wordPiece(file)
  throw new UnsupportedError(`${prefix(options.source)}tokenizer.ggml.model: expected gpt2, llama, bert or t5, got ${JSON.stringify(file.kind)}`)
}

const prefix = (source: string | undefined): string => (source === undefined ? '' : `${source}, `)

interface GgufVocabulary {
  readonly kind: string
  readonly pre: string
  readonly tokens: readonly string[]
  readonly scores: readonly number[] | undefined
  readonly types: readonly PieceType[]
  readonly metadata: ReadonlyMap<string, Json>
  readonly options: TokenizerFromGgufOptions
  /** The token that a key `tokenizer.ggml.<name>_token_id` names; −1 where it names none. */
  id(...names: string[]): number
  flag(name: string, fallback: boolean): boolean
  fail(key: string, what: string): FormatError
}

const typeNames: readonly PieceType[] = ['normal', 'normal', 'unknown', 'control', 'userDefined', 'unused', 'byte']

const readVocabulary = (metadata: ReadonlyMap<string, Json>, options: TokenizerFromGgufOptions): GgufVocabulary => {
  const fail = (key: string, what: string): FormatError =>
    new FormatError(what, { path: `tokenizer.ggml.${key}`, ...(options.source === undefined ? {} : { source: options.source }) })
  const get = (key: string): Json | undefined => metadata.get(`tokenizer.ggml.${key}`)
  const kind = get('model')
  if (typeof kind !== 'string') throw fail('model', 'expected the kind of tokenizer; the file holds none')
  const tokens = get('tokens')
  if (!Array.isArray(tokens) || tokens.length === 0 || !tokens.every((token) => typeof token === 'string')) throw fail('tokens', 'expected the texts of all tokens')
  if (tokens.length > maxVocabSize) throw fail('tokens', `expected at most ${maxVocabSize} tokens, got ${tokens.length}`)
  const numbers = (key: string): readonly number[] | undefined => {
    const value = get(key)
    if (value === undefined) return undefined
    if (!Array.isArray(value) || value.length !== tokens.length || !value.every((each) => typeof each === 'number')) {
      throw fail(key, `expected a number for each of the ${tokens.length} tokens`)
    }
    return value as readonly number[]
  }
  const types = numbers('token_type')
  const pre = get('pre')
  return {
    kind,
    pre: typeof pre === 'string' ? pre : 'default',
    tokens: tokens as readonly string[],
    scores: numbers('scores'),
    types: (tokens as readonly string[]).map((_, id) => typeNames[types?.[id] ?? 1] ?? 'normal'),
    metadata,
    options,
    fail,
    id: (...names) => {
      const id = names.map((name) => get(`${name}_token_id`)).find((value) => typeof value === 'number')
      return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < tokens.length ? id : -1
    },
    flag: (name, fallback) => {
      const value = get(name)
      return typeof value === 'boolean' ? value : fallback
    },
  }
}

/** Tokens that are cut out of a text before it is encoded. */
const addedTokensOf = ({ tokens, types }: GgufVocabulary): AddedToken[] =>
  tokens.flatMap((token, id) => {
    const type = types[id]
    return token === '' || (type !== 'control' && type !== 'userDefined' && type !== 'unknown') ? [] : [asAdded(token, id, type !== 'userDefined')]
  })

const endOfTurn = ['<|eot_id|>', '<|im_end|>', '<|end|>', '<|return|>', '<|call|>', '<end_of_turn>', '<|endoftext|>', '<|eom_id|>', '<EOT>', '<|end_of_text|>', '<end_of_utterance>']

/** What the file says, then every token whose name says that it ends a turn. */
const rolesOf = (file: GgufVocabulary, added: readonly AddedToken[]): TokenRoles => {
  const known = new Map(added.map(({ id, content }) => [id, content]))
  const named = (...names: string[]): string | undefined => known.get(file.id(...names))
  const texts = new Set(known.values())
  const end = [named('eos'), named('eot'), named('eom'), ...endOfTurn.filter((name) => texts.has(name))].filter((name) => name !== undefined)
  const role = (name: 'begin' | 'pad' | 'unknown', token: string | undefined) => (token === undefined ? {} : { [name]: token })
  return {
    ...role('begin', named('bos', 'cls')),
    ...role('pad', named('padding')),
    ...role('unknown', named('unknown')),
    ...(end.length === 0 ? {} : { end: [...new Set(end)] }),
    ...file.options.roles,
  }
}

interface Frame {
  readonly before: readonly number[]
  readonly behind: readonly number[]
}

const frameOf = (file: GgufVocabulary, { addBegin = false, addSeparator = false }: Pick<GgufPattern, 'addBegin' | 'addSeparator'>, addEnd = false): Frame => {
  const begin = file.flag('add_bos_token', addBegin) ? file.id('bos', 'cls') : -1
  const end = file.flag('add_eos_token', addEnd) ? file.id('eos') : -1
  const separator = file.flag('add_sep_token', addSeparator) ? file.id('seperator', 'separator', 'sep', 'eos') : -1
  return { before: [begin].filter((id) => id >= 0), behind: [...new Set([separator, end])].filter((id) => id >= 0) }
}

const processorJson = ({ tokens }: GgufVocabulary, { before, behind }: Frame): Json => {
  if (before.length + behind.length === 0) return null
  const special = (ids: readonly number[], typeId: number): Json[] => ids.map((id) => ({ SpecialToken: { id: tokens[id]!, type_id: typeId } }))
  const text = (id: 'A' | 'B', typeId: number): Json => ({ Sequence: { id, type_id: typeId } })
  return {
    type: 'TemplateProcessing',
    single: [...special(before, 0), text('A', 0), ...special(behind, 0)],
    pair: [...special(before, 0), text('A', 0), ...special(behind, 0), text('B', 1), ...special(behind, 1)],
    special_tokens: Object.fromEntries([...before, ...behind].map((id) => [tokens[id]!, { id: tokens[id]!, ids: [id], tokens: [tokens[id]!] }])),
  }
}

const vocabularyJson = (file: GgufVocabulary, textOf: (token: string, id: number) => string = (token) => token): Record<string, number> => {
  const vocab = Object.create(null) as Record<string, number>
  file.tokens.forEach((token, id) => {
    const text = textOf(token, id)
    if (text in vocab) throw file.fail(`tokens[${id}]`, `the token ${JSON.stringify(token)} is there twice`)
    vocab[text] = id
  })
  return vocab
}

const byteLevel = (file: GgufVocabulary): Tokenizer => {
  const pattern = ggufPatterns.get(file.pre)
  if (pattern === undefined) {
    throw new UnsupportedError(`${prefix(file.options.source)}tokenizer.ggml.pre: expected a known way to cut text (${[...ggufPatterns.keys()].join(', ')}), got ${JSON.stringify(file.pre)}`)
  }
  const merges = file.metadata.get('tokenizer.ggml.merges')
  if (!Array.isArray(merges)) throw file.fail('merges', 'expected the merges of a byte-level BPE')
  const pairs = (merges as readonly Json[]).map((merge, i): [string, string] => {
    const at = typeof merge === 'string' ? merge.indexOf(' ', 1) : -1
    if (at < 0) throw file.fail(`merges[${i}]`, `expected two tokens with a space between them, got ${JSON.stringify(merge)}`)
    return [(merge as string).slice(0, at), (merge as string).slice(at + 1)]
  })
  const added = addedTokensOf(file)
  return tokenizerFromJson(
    {
      added_tokens: writeAddedTokens(added),
      normalizer: null,
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          ...pattern.patterns.map((source) => ({ type: 'Split', pattern: { Regex: source }, behavior: 'Isolated', invert: false })),
          { type: 'ByteLevel', add_prefix_space: file.flag('add_space_prefix', false), trim_offsets: true, use_regex: false },
        ],
      },
      post_processor: processorJson(file, frameOf(file, pattern)),
      decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      model: { type: 'BPE', vocab: vocabularyJson(file), merges: pairs, ignore_merges: pattern.ignoreMerges ?? false },
    },
    { roles: rolesOf(file, added), ...(file.options.source === undefined ? {} : { source: file.options.source }) },
  )
}

const sentencePiece = (file: GgufVocabulary, kind: 'llama' | 't5'): Tokenizer => {
  const { tokens, scores, metadata } = file
  if (scores === undefined) throw file.fail('scores', 'expected the scores of a SentencePiece vocabulary')
  const namedUnknown = file.id('unknown')
  const hasUnknown = file.types.includes('unknown')
  const types = hasUnknown ? file.types : file.types.map((type, id) => (id === Math.max(0, namedUnknown) ? 'unknown' : type))
  const charsmap = metadata.get('tokenizer.ggml.precompiled_charsmap')
  const normalizer: SentencePieceNormalizer = {
    name: '',
    charsmap: Array.isArray(charsmap) ? Uint8Array.from(charsmap as readonly number[]) : new Uint8Array(0),
    addDummyPrefix: file.flag('add_space_prefix', true),
    removeExtraWhitespaces: file.flag('remove_extra_whitespaces', kind === 't5'),
    escapeWhitespaces: true,
  }
  const { before, behind } = frameOf(file, { addBegin: kind === 'llama' }, kind === 't5')
  const added = addedTokensOf({ ...file, types })
  return tokenizerOfPieces(
    {
      pieces: tokens.map((piece, id) => ({ piece: piece === '' ? `[EMPTY_${id}]` : piece, score: scores[id]!, type: types[id]! })),
      algorithm: kind === 't5' ? 'unigram' : 'bpe',
      byteFallback: types.includes('byte'),
      treatWhitespaceAsSuffix: file.flag('treat_whitespace_as_suffix', false),
      unknownSurface: ' \u2047 ',
      normalizer,
      beginId: file.id('bos'),
      endId: file.id('eos'),
      padId: file.id('padding'),
    },
    {
      addBegin: before.length > 0,
      addEnd: behind.length > 0,
      addedTokens: added,
      roles: rolesOf(file, added),
      ...(file.options.source === undefined ? {} : { source: file.options.source }),
    },
  )
}

/** In these files a token that begins a word has ▁ before it, one that continues a word nothing. */
const wordPiece = (file: GgufVocabulary): Tokenizer => {
  const isBracketed = (token: string): boolean => token.startsWith('[') && token.endsWith(']')
  const textOf = (token: string): string => (isBracketed(token) ? token : token.startsWith('\u2581') ? token.slice(1) : `##${token}`)
  const special = file.tokens.flatMap((token, id) => (file.types[id] === 'control' || file.types[id] === 'unknown' || /^\[(?:PAD|UNK|CLS|SEP|MASK)\]$/.test(token) ? [asAdded(token, id, true)] : []))
  const unknownId = file.id('unknown')
  return tokenizerFromJson(
    {
      added_tokens: writeAddedTokens(special),
      normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: processorJson(file, frameOf(file, { addBegin: true, addSeparator: true })),
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: unknownId < 0 ? '[UNK]' : file.tokens[unknownId]!,
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 2 ** 31 - 1, // the reference has no limit
        vocab: vocabularyJson(file, textOf),
      },
    },
    { roles: rolesOf(file, special), ...(file.options.source === undefined ? {} : { source: file.options.source }) },
  )
}
