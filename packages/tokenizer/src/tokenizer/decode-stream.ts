// Text of a generation as its tokens come: a character that is spread over several tokens is held back until it is whole.
import type { DecodeOptions, Tokenizer } from '@weft/contracts'

export interface DecodeStream {
  /** What this token adds to the text; empty while a character is incomplete. */
  push(tokenId: number): string
  /** What is left at the end: a U+FFFD where the last character was never completed. The stream can then be used again. */
  flush(): string
}

/** All that `push` and `flush` give, joined, is `tokenizer.decode` of the ids. */
export const decodeStream = (tokenizer: Tokenizer, options: DecodeOptions = {}): DecodeStream => {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const skipped = new Set(options.skipSpecialTokens === true ? tokenizer.specialTokens.values() : [])
  return {
    push: (tokenId) => (skipped.has(tokenId) ? '' : decoder.decode(tokenizer.tokenBytes(tokenId), { stream: true })),
    flush: () => decoder.decode(),
  }
}
