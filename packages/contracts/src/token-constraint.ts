/** An immutable position in a grammar; opaque to all but its constraint. */
export type GrammarState = { readonly __grammarState?: never } | number | string

/** Which tokens may come next. The masks cover ids < vocabSize; ids beyond are always forbidden. */
export interface TokenConstraint {
  start(): GrammarState
  /** A bit per token, 32 to a word, the lowest bit first: 1 = allowed. */
  mask(state: GrammarState): Uint32Array
  advance(state: GrammarState, tokenId: number): GrammarState
  /** Whether the text so far is a whole sentence of the grammar. */
  isComplete(state: GrammarState): boolean
}
