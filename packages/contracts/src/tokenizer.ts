/** Text to token ids and back. Implementations are pure: the same text gives the same ids, whatever came before. */
export interface Tokenizer {
  /** One more than the largest id that `encode` can return. */
  readonly vocabSize: number
  /** Special tokens' text → id, for example `<|endoftext|>` → 0. */
  readonly specialTokens: ReadonlyMap<string, number>
  /** The token that opens a text, where the vocabulary has one. */
  readonly beginId?: number
  /** Any of these ends generation; may be empty. */
  readonly endIds: readonly number[]
  readonly padId?: number
  readonly unknownId?: number
  /**
   * @param options.addSpecialTokens apply the tokenizer's own template (begin and end tokens); default true.
   * @param options.allowSpecial whether special tokens written out in the text become their ids: true (all, the default), false
   *   (none: they are encoded as plain text), or the list of those allowed.
   */
  encode(text: string, options?: EncodeOptions): Uint32Array
  /**
   * @param options.skipSpecialTokens leave special tokens out of the text; default false.
   * @throws WeftError of kind `config` for an id outside the vocabulary.
   */
  decode(tokenIds: Iterable<number>, options?: DecodeOptions): string
  /** The bytes that this token adds to a text; a special token gives its text in UTF-8. */
  tokenBytes(tokenId: number): Uint8Array
}

export interface EncodeOptions {
  readonly addSpecialTokens?: boolean
  readonly allowSpecial?: boolean | readonly string[]
}

export interface DecodeOptions {
  readonly skipSpecialTokens?: boolean
}
