// Text of a generation as its tokens come: what is not certain yet is held back, a character that is spread over several tokens above
// all. Nothing is decoded twice.
import type { DecodeOptions, Tokenizer } from '@weft/contracts'
import { insideOf } from './inside.ts'

export interface DecodeStream {
  /** What this token adds to the text; empty while a character is incomplete. */
  push(tokenId: number): string
  /** What is left at the end: a U+FFFD where the last character was never completed. The stream can then be used again. */
  flush(): string
}

/**
 * All that `push` and `flush` give, joined, is `tokenizer.decode` of the ids. With a decoder that knows byte tokens (`<0xE2>`) a run of
 * those is shown when it ends: whether it is text is only known then.
 */
export const decodeStream = (tokenizer: Tokenizer, options: DecodeOptions = {}): DecodeStream => {
  const inside = insideOf(tokenizer)
  if (inside !== undefined) return inside.startDecoding(options)
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const skipped = new Set(options.skipSpecialTokens === true ? tokenizer.specialTokens.values() : [])
  return {
    push: (tokenId) => (skipped.has(tokenId) ? '' : decoder.decode(tokenizer.tokenBytes(tokenId), { stream: true })),
    flush: () => decoder.decode(),
  }
}
