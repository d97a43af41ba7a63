// The tokenizer.json that comes nearest to a SentencePiece model: what converters to Hugging Face tokenizers make of one. The two differ
// in corners (rules longer than a grapheme, equal scores, spaces around user-defined symbols); everyday text has the same ids.
import type { Json } from '@weft/contracts'
import { writeMerges } from '../models/read-model.ts'
import { spaceSymbol } from '../normalizers/sentencepiece-normalizer.ts'
import type { AddedToken } from '../tokenizer/added-tokens.ts'
import type { SentencePieceModel } from './sentencepiece-model.ts'
import { writeAddedTokens } from './tokenizer-json-writer.ts'

export interface SentencePieceJsonParts {
  readonly unknownId: number
  /** The merges of a BPE model. */
  readonly triples: Int32Array | undefined
  readonly addedTokens: readonly AddedToken[]
  /** Ids that are put around a text, −1 for none. */
  readonly framed: { readonly begin: number; readonly end: number }
}

export const sentencePieceJson = (file: SentencePieceModel, parts: SentencePieceJsonParts): Json => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: writeAddedTokens([...parts.addedTokens, ...userDefined(file, parts.addedTokens)]),
  normalizer: normalizerJson(file),
  pre_tokenizer: preTokenizerJson(file),
  post_processor: processorJson(file, parts.framed),
  decoder: decoderJson(file),
  model: modelJson(file, parts),
})

const userDefined = ({ pieces }: SentencePieceModel, others: readonly AddedToken[]): AddedToken[] => {
  const taken = new Set(others.map(({ id }) => id))
  return pieces.flatMap(({ piece, type }, id) =>
    type !== 'userDefined' || taken.has(id) ? [] : [{ id, content: piece, special: false, lstrip: false, rstrip: false, singleWord: false, normalized: false }],
  )
}

const replace = (pattern: Json, content: string): Json => ({ type: 'Replace', pattern, content })

const normalizerJson = ({ normalizer, algorithm, treatWhitespaceAsSuffix }: SentencePieceModel): Json => {
  const { charsmap, removeExtraWhitespaces, addDummyPrefix } = normalizer
  const space = algorithm === 'bpe' || algorithm === 'char'
  const steps: Json[] = [
    ...(charsmap.length === 0 ? [] : [{ type: 'Precompiled', precompiled_charsmap: toBase64(charsmap) }]),
    ...(removeExtraWhitespaces ? [{ type: 'Strip', strip_left: true, strip_right: true }, replace({ Regex: ' {2,}' }, ' ')] : []),
    ...(space && addDummyPrefix && !treatWhitespaceAsSuffix ? [{ type: 'Prepend', prepend: spaceSymbol }] : []),
    ...(space ? [replace({ String: ' ' }, spaceSymbol)] : []),
  ]
  return steps.length === 0 ? null : { type: 'Sequence', normalizers: steps }
}

const preTokenizerJson = ({ algorithm, normalizer }: SentencePieceModel): Json =>
  algorithm === 'bpe' || algorithm === 'char'
    ? null
    : { type: 'Metaspace', replacement: spaceSymbol, prepend_scheme: normalizer.addDummyPrefix ? 'always' : 'never', split: true }

const decoderJson = ({ algorithm, byteFallback, normalizer }: SentencePieceModel): Json => {
  if (algorithm === 'unigram' && !byteFallback) {
    return { type: 'Metaspace', replacement: spaceSymbol, prepend_scheme: normalizer.addDummyPrefix ? 'always' : 'never', split: true }
  }
  return {
    type: 'Sequence',
    decoders: [
      replace({ String: spaceSymbol }, ' '),
      ...(byteFallback ? [{ type: 'ByteFallback' }] : []),
      { type: 'Fuse' },
      ...(normalizer.addDummyPrefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
    ],
  }
}

const processorJson = ({ pieces }: SentencePieceModel, { begin, end }: SentencePieceJsonParts['framed']): Json => {
  if (begin < 0 && end < 0) return null
  const special = (id: number, typeId: number): Json[] => (id < 0 ? [] : [{ SpecialToken: { id: pieces[id]!.piece, type_id: typeId } }])
  const around = (name: 'A' | 'B', typeId: number): Json[] => [...special(begin, typeId), { Sequence: { id: name, type_id: typeId } }, ...special(end, typeId)]
  const ids = [begin, end].filter((id) => id >= 0)
  return {
    type: 'TemplateProcessing',
    single: around('A', 0),
    pair: [...around('A', 0), ...around('B', 1)],
    special_tokens: Object.fromEntries(ids.map((id) => [pieces[id]!.piece, { id: pieces[id]!.piece, ids: [id], tokens: [pieces[id]!.piece] }])),
  }
}

const modelJson = ({ pieces, algorithm, byteFallback }: SentencePieceModel, { unknownId, triples }: SentencePieceJsonParts): Json => {
  if (algorithm === 'unigram') {
    return { type: 'Unigram', unk_id: unknownId, vocab: pieces.map(({ piece, score }) => [piece, score]), byte_fallback: byteFallback }
  }
  const vocab = Object.create(null) as Record<string, number>
  pieces.forEach(({ piece }, id) => {
    vocab[piece] = id
  })
  const unknown = pieces[unknownId]!.piece
  if (algorithm === 'word') return { type: 'WordLevel', vocab, unk_token: unknown }
  return {
    type: 'BPE',
    dropout: null,
    unk_token: unknown,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: true,
    byte_fallback: byteFallback,
    ignore_merges: false,
    vocab,
    merges: triples === undefined ? [] : writeMerges(triples, (id) => pieces[id]!.piece),
  }
}

const toBase64 = (bytes: Uint8Array): string => {
  let binary = ''
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(binary)
}
