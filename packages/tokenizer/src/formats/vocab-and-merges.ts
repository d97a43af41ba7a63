// GPT-2's older pair of files: vocab.json (token → id) and merges.txt (a merge per line, in order).
import type { Tokenizer } from '@weft/contracts'
import { jsonField, parseJson } from './json-field.ts'
import { describePreTokenizer } from '../pre-tokenizers/pre-tokenizer.ts'
import { namedPatterns } from '../pre-tokenizers/known-patterns.ts'
import type { TokenRoles } from '../tokenizer/token-roles.ts'
import { tokenizerFromJson } from './tokenizer-json.ts'

export interface TokenizerFromVocabAndMergesOptions {
  /** The content of vocab.json, as text or parsed. */
  readonly vocab: unknown
  /** The content of merges.txt. */
  readonly merges: string
  /** Tokens of the vocabulary that are special; default `<|endoftext|>` where it is there. */
  readonly specialTokens?: readonly string[]
  readonly roles?: TokenRoles
  /** The files' name, for errors. */
  readonly source?: string
}

/**
 * A tokenizer from vocab.json and merges.txt, with GPT-2's split pattern.
 * @throws FormatError where the files are broken or do not belong together.
 */
export const tokenizerFromVocabAndMerges = (options: TokenizerFromVocabAndMergesOptions): Tokenizer => {
  const vocab = jsonField(parseJson(options.vocab, options.source), 'vocab', options.source)
  const specialTokens = options.specialTokens ?? (Object.hasOwn(vocab.object(), '<|endoftext|>') ? ['<|endoftext|>'] : [])
  const lines = options.merges.split('\n').map((line) => line.replace(/\r$/, ''))
  return tokenizerFromJson(
    {
      added_tokens: specialTokens.map((content) => ({ content, id: vocab.get(content).value, special: true, normalized: false })),
      normalizer: null,
      pre_tokenizer: describePreTokenizer(namedPatterns.gpt2),
      post_processor: null,
      decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      model: { type: 'BPE', vocab: vocab.value, merges: lines.filter((line, i) => line !== '' && !(i === 0 && line.startsWith('#version'))) },
    },
    {
      ...(options.source === undefined ? {} : { source: options.source }),
      ...(options.roles === undefined ? {} : { roles: options.roles }),
    },
  )
}
