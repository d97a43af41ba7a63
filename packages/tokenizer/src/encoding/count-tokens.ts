// How many tokens a text has, without the array of them.
import type { EncodeOptions, Tokenizer } from '@weft/contracts'
import { engineOf } from '../tokenizer/byte-level-tokenizer.ts'
import { insideOf } from '../tokenizer/inside.ts'

/** `tokenizer.encode(text, options).length`; tokenizers of this package make no array for it. */
export const countTokens = (tokenizer: Tokenizer, text: string, options: EncodeOptions = {}): number =>
  insideOf(tokenizer)?.count(text, options) ?? engineOf(tokenizer)?.count(text, options) ?? tokenizer.encode(text, options).length
