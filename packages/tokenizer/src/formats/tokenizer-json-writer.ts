// A tokenizer as Hugging Face's tokenizer.json: what `tokenizers` in Rust and Python, transformers and `tokenizerFromJson` open.
import { UnsupportedError, type Json, type Tokenizer } from '@weft/contracts'
import { writeMerges } from '../models/read-model.ts'
import type { AddedToken } from '../tokenizer/added-tokens.ts'
import { engineOf, type Pipeline } from '../tokenizer/byte-level-tokenizer.ts'
import { insideOf } from '../tokenizer/inside.ts'
import { writtenToken } from '../tokenizer/token-table.ts'

export type AddedTokenJson = {
  readonly id: number
  readonly content: string
  readonly single_word: boolean
  readonly lstrip: boolean
  readonly rstrip: boolean
  readonly normalized: boolean
  readonly special: boolean
}

/** The content of a tokenizer.json; `JSON.stringify` makes the file. */
export interface TokenizerJson {
  readonly version: '1.0'
  readonly truncation: Json
  readonly padding: Json
  readonly added_tokens: readonly AddedTokenJson[]
  readonly normalizer: Json
  readonly pre_tokenizer: Json
  readonly post_processor: Json
  readonly decoder: Json
  readonly model: {
    readonly type: 'BPE' | 'WordPiece' | 'Unigram' | 'WordLevel'
    /** Token → id, without a prototype, so that `__proto__` may be a token; of a Unigram model tokens with their scores. */
    readonly vocab: Readonly<Record<string, number>> | readonly (readonly [string, number])[]
    /** Of BPE: "left right", or pairs where a token holds a space. */
    readonly merges?: readonly string[] | readonly (readonly [string, string])[]
    readonly [setting: string]: unknown
  }
}

export const writeAddedTokens = (tokens: readonly AddedToken[]): AddedTokenJson[] =>
  tokens
    .map(({ id, content, singleWord, lstrip, rstrip, normalized, special }) => ({ id, content, single_word: singleWord, lstrip, rstrip, normalized, special }))
    .sort((a, b) => a.id - b.id)

/**
 * The tokenizer.json of a tokenizer made by this package: trained, loaded, or from tiktoken's ranks.
 * @throws UnsupportedError for a tokenizer from elsewhere.
 */
export const tokenizerToJson = (tokenizer: Tokenizer): TokenizerJson => {
  const inside = insideOf(tokenizer)
  if (inside !== undefined) return inside.write() as unknown as TokenizerJson
  const pipeline = engineOf(tokenizer)?.pipeline
  if (pipeline === undefined) throw new UnsupportedError('tokenizerToJson: expected a tokenizer made by @weft/tokenizer, got another')
  const { components } = pipeline
  return {
    version: '1.0',
    truncation: components.truncation,
    padding: components.padding,
    added_tokens: writeAddedTokens(pipeline.addedTokens),
    normalizer: components.normalizer,
    pre_tokenizer: components.pre_tokenizer,
    post_processor: components.post_processor,
    decoder: components.decoder,
    model: writeModel(pipeline),
  }
}

const writeModel = ({ model }: Pipeline): TokenizerJson['model'] => {
  const { tokens, inVocabulary, mergeTriples, unknownId, fuseUnknown, findWhole } = model
  const vocab = Object.create(null) as Record<string, number>
  const written: string[] = []
  for (let id = 0; id < tokens.size; id++) {
    if (inVocabulary[id] === 0) continue
    written[id] = writtenToken(tokens, id)
    vocab[written[id]!] = id
  }
  return {
    type: 'BPE',
    dropout: null,
    unk_token: unknownId < 0 ? null : written[unknownId]!,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: fuseUnknown,
    byte_fallback: false,
    ignore_merges: findWhole !== undefined,
    vocab,
    merges: writeMerges(mergeTriples, (id) => written[id]!),
  }
}
