// A tokenizer as Hugging Face's tokenizer.json: what `tokenizers` in Rust and Python, transformers and `tokenizerFromJson` open.
import { UnsupportedError, type Json, type Tokenizer } from '@weft/contracts'
import { engineOf, type Pipeline } from '../tokenizer/byte-level-tokenizer.ts'
import { writtenToken } from '../tokenizer/token-table.ts'

/** The content of a tokenizer.json; `JSON.stringify` makes the file. */
export interface TokenizerJson {
  readonly version: '1.0'
  readonly truncation: Json
  readonly padding: Json
  readonly added_tokens: readonly {
    readonly id: number
    readonly content: string
    readonly single_word: boolean
    readonly lstrip: boolean
    readonly rstrip: boolean
    readonly normalized: boolean
    readonly special: boolean
  }[]
  readonly normalizer: Json
  readonly pre_tokenizer: Json
  readonly post_processor: Json
  readonly decoder: Json
  readonly model: {
    readonly type: 'BPE'
    readonly dropout: null
    readonly unk_token: string | null
    readonly continuing_subword_prefix: null
    readonly end_of_word_suffix: null
    readonly fuse_unk: boolean
    readonly byte_fallback: false
    readonly ignore_merges: boolean
    /** Has no prototype, so that `__proto__` may be a token. */
    readonly vocab: Readonly<Record<string, number>>
    /** "left right", or pairs where a token holds a space. */
    readonly merges: readonly string[] | readonly (readonly [string, string])[]
  }
}

/**
 * The tokenizer.json of a tokenizer made by this package: trained, loaded, or from tiktoken's ranks.
 * @throws UnsupportedError for a tokenizer from elsewhere.
 */
export const tokenizerToJson = (tokenizer: Tokenizer): TokenizerJson => {
  const pipeline = engineOf(tokenizer)?.pipeline
  if (pipeline === undefined) throw new UnsupportedError('tokenizerToJson: expected a tokenizer made by @weft/tokenizer, got another')
  const { components } = pipeline
  return {
    version: '1.0',
    truncation: components.truncation,
    padding: components.padding,
    added_tokens: pipeline.addedTokens
      .map(({ id, content, singleWord, lstrip, rstrip, normalized, special }) => ({ id, content, single_word: singleWord, lstrip, rstrip, normalized, special }))
      .sort((a, b) => a.id - b.id),
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
  const pairs: [string, string][] = []
  for (let i = 0; i < mergeTriples.length; i += 3) pairs.push([written[mergeTriples[i]!]!, written[mergeTriples[i + 1]!]!])
  const hasSpace = pairs.some(([left, right]) => left.includes(' ') || right.includes(' '))
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
    merges: hasSpace ? pairs : pairs.map(([left, right]) => `${left} ${right}`),
  }
}
